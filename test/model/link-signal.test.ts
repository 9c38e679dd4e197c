import assert from "node:assert/strict";
import { test } from "node:test";
import { FactReader, Facts } from "../../src/graph-state/facts.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import type { Login } from "../../src/ingest/login.ts";
import { LinkSignal } from "../../src/model/link-signal.ts";
import { trainingInput } from "../../src/model/training-input.ts";
import { addLogin, familiarAfterAnHour, login, loginBytes } from "../graph-state/logins.ts";
import { untrainedEpoch } from "./epochs.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = 100 * HOUR_MS;

/** What the link signal says of a login, in a graph that holds some others. */
function linkOf(others: readonly Login[], asked: Login, isAdopted = true) {
  const graph = new Graph({ window: { days: 30, maxLinks: 10_000 } });
  for (const other of others) addLogin(graph, other);
  const signal = new LinkSignal(graph, familiarAfterAnHour(graph));
  if (isAdopted) signal.adopt(untrainedEpoch(1, 1, trainingInput(graph)));
  const facts = new Facts();
  const bytes = loginBytes(asked);
  new FactReader(graph, familiarAfterAnHour(graph)).read(bytes, facts);
  return { probability: signal.probability(bytes, facts), oddness: { ...signal.oddness } };
}

const known = (hoursAgo: number): Login[] => [
  login({ timeMs: NOW_MS - hoursAgo * HOUR_MS }),
  login({ timeMs: NOW_MS - 50 * HOUR_MS, user: "U2", sourceHost: "C3", targetHost: "C4" }),
];

test("a link that is known needs no predicting, one that is young does", () => {
  const old = linkOf(known(2), login({ timeMs: NOW_MS }));
  assert.equal(old.probability, 1);
  assert.deepEqual(old.oddness, { userSource: 0, userTarget: 0, sourceTarget: 0 });
  const young = linkOf(known(0.5), login({ timeMs: NOW_MS }));
  assert.ok(Object.values(young.oddness).some((nats) => nats > 0));
});

test("each link of a login that is new has an oddness of its own", () => {
  const { probability, oddness } = linkOf(known(2), login({ timeMs: NOW_MS, targetHost: "C4" }));
  assert.equal(oddness.userSource, 0);
  // The least likely of three counts, corrected for having looked at three.
  const least = Math.exp(-Math.max(...Object.values(oddness)));
  assert.ok(
    Math.abs(probability! - Math.min(1, 3 * least)) < 1e-12,
    `${probability} of ${JSON.stringify(oddness)}`,
  );
});

test("without an epoch nothing is said", () => {
  const { probability, oddness } = linkOf(known(2), login({ timeMs: NOW_MS }), false);
  assert.equal(probability, undefined);
  assert.ok(Object.values(oddness).every(Number.isNaN));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { FactReader, Facts } from "../../src/graph-state/facts.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import type { Login } from "../../src/ingest/login.ts";
import { DECODER_NAMES } from "../../src/model/decoders/decoder.ts";
import { DECODERS, meanVector, relationVectors } from "../../src/model/decoders/decoders.ts";
import { LinkSignal } from "../../src/model/link-signal.ts";
import { linkClassOf } from "../../src/model/relation-names.ts";
import { tailProbability } from "../../src/model/tail.ts";
import { trainingInput } from "../../src/model/training/training-input.ts";
import { addLogin, familiarAfterAnHour, login, loginBytes } from "../graph-state/logins.ts";
import { untrainedEpoch } from "./epochs.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = 100 * HOUR_MS;
const HOSTS = "sourceHost-targetHost";

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

for (const decoder of DECODER_NAMES) {
  test(`${decoder}: a new link between known hosts is scored in its direction, under its relation or one in the middle`, () => {
    const graph = new Graph({ window: { days: 30, maxLinks: 10_000 } });
    for (const other of known(2)) addLogin(graph, other);
    addLogin(
      graph,
      login({ timeMs: NOW_MS - HOUR_MS, sourceHost: "C4", targetHost: "C3", authType: "NTLM" }),
    );
    const input = trainingInput(graph);
    const epoch = untrainedEpoch(1, 1, input, 2, decoder);
    const { manifest, parameters, output } = epoch;
    const relationNames = [...input.graph.relationNames];
    parameters.decoder.forEach((_, i, values) => {
      values[i] = 0.6 + i / 10;
    });
    const signal = new LinkSignal(graph, familiarAfterAnHour(graph));
    signal.adopt(epoch);
    const vectors = relationVectors(manifest.shape, parameters);
    const hosts = relationNames.flatMap((name, r) => (linkClassOf(name) === HOSTS ? [r] : []));
    assert.equal(hosts.length, 2);
    const rowOf = (name: string) => input.entityNames.lastIndexOf(name) * 2;
    for (const [authType, vector] of [
      ["NTLM", vectors.slice(2 * relationNames.indexOf(`${HOSTS}/NTLM::Network`)).slice(0, 2)],
      ["Negotiate", meanVector(manifest.shape, vectors, hosts)],
    ] as const) {
      const asked = loginBytes(login({ timeMs: NOW_MS, sourceHost: "C3", targetHost: "C1", authType }));
      const facts = new Facts();
      new FactReader(graph, familiarAfterAnHour(graph)).read(asked, facts);
      signal.probability(asked, facts);
      const score = DECODERS[decoder].score(output, rowOf("C3"), vector, 0, output, rowOf("C1"), 2);
      const expected = -Math.log(tailProbability(manifest.calibration[HOSTS]!, -score));
      assert.ok(
        expected > 0 && Math.abs(signal.oddness.sourceTarget - expected) < 1e-9,
        `${authType}: ${expected}`,
      );
    }
    // A user that nobody knows is scored too.
    const stranger = loginBytes(login({ timeMs: NOW_MS, user: "U9", sourceHost: "C3" }));
    const facts = new Facts();
    new FactReader(graph, familiarAfterAnHour(graph)).read(stranger, facts);
    const probability = signal.probability(stranger, facts)!;
    assert.ok(probability > 0 && probability <= 1 && signal.oddness.userSource >= 0);
  });
}

test("without an epoch nothing is said", () => {
  const { probability, oddness } = linkOf(known(2), login({ timeMs: NOW_MS }), false);
  assert.equal(probability, undefined);
  assert.ok(Object.values(oddness).every(Number.isNaN));
});

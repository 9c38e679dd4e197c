import assert from "node:assert/strict";
import { test } from "node:test";
import { Graph } from "../../src/graph-state/graph.ts";
import type { Evidence } from "../../src/ingest/login.ts";
import { delegatingSources } from "../../src/model/delegating-sources.ts";
import { addLogin, login } from "../graph-state/logins.ts";

/** Logins of so many accounts from each host, with that evidence. */
function graphOf(hosts: Readonly<Record<string, readonly [accounts: number, evidence: Evidence]>>): Graph {
  const graph = new Graph({ window: { days: 30, maxLinks: 10_000 } });
  for (const [sourceHost, [accounts, evidence]] of Object.entries(hosts))
    for (let i = 0; i < accounts; i++) addLogin(graph, login({ user: `U${i}`, sourceHost, evidence }));
  return graph;
}

test("a host from which accounts log on that asked for their tickets elsewhere is delegating", () => {
  const graph = graphOf({
    FRONT: [6, "strong"],
    JOBS: [9, "strong"],
    DESK: [9, "ticket"],
    RELAY: [9, "weak"],
  });
  assert.deepEqual(delegatingSources(graph), [
    { host: "JOBS", accounts: 9 },
    { host: "FRONT", accounts: 6 },
  ]);
});

test("few accounts say nothing, nor does an input without ticket requests", () => {
  assert.deepEqual(delegatingSources(graphOf({ DESK: [4, "strong"], OTHER: [3, "ticket"] })), []);
  assert.deepEqual(delegatingSources(graphOf({ FRONT: [9, "strong"] })), []);
});

test("one account in ten may have asked there", () => {
  const graph = graphOf({ FRONT: [20, "strong"], DESK: [1, "ticket"] });
  for (let i = 0; i < 2; i++)
    addLogin(graph, login({ user: `U${i}`, sourceHost: "FRONT", evidence: "ticket" }));
  assert.equal(delegatingSources(graph).length, 1);
  addLogin(graph, login({ user: "U2", sourceHost: "FRONT", evidence: "ticket" }));
  assert.deepEqual(delegatingSources(graph), []);
});

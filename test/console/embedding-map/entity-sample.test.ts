import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { entityCounts } from "../../../src/console/embedding-map/entity-counts.ts";
import { entitySample } from "../../../src/console/embedding-map/entity-sample.ts";
import { Scoring } from "../../../src/engine/scoring.ts";
import type { Graph } from "../../../src/graph-state/graph.ts";
import type { Epoch } from "../../../src/model/epoch.ts";
import { DAY_MS, ordinary, START_MS } from "../../engine/office.ts";
import { login, loginBytes } from "../../graph-state/logins.ts";
import { untrainedEpoch } from "../../model/epochs.ts";

/** A graph of some hours in which one login that hardly ever happens was alerted on. */
function alertedGraph(): Graph {
  const config = loadConfig({ environment: {}, flags: { "training.mode": "off" } });
  const { graph } = new Scoring(config, () => true);
  for (const one of ordinary(START_MS + DAY_MS / 2)) {
    const bytes = loginBytes(one);
    const ids = new Int32Array(16);
    graph.names.find(bytes, ids);
    graph.apply(bytes, ids);
  }
  const bytes = loginBytes(
    login({ timeMs: START_MS + DAY_MS / 2, user: "rare", sourceHost: "W3", targetHost: "payroll" }),
  );
  const ids = new Int32Array(16);
  graph.names.find(bytes, ids);
  graph.apply(bytes, ids);
  graph.markAlert(bytes, ids, false, () => true);
  return graph;
}

function epochOf(entities: readonly (readonly [kind: string, name: string])[]): Epoch {
  const epoch = untrainedEpoch(1);
  const kindNames = ["user", "host", "feature"];
  return {
    ...epoch,
    manifest: { ...epoch.manifest, kindNames },
    entityKinds: Uint8Array.from(entities, ([kind]) => kindNames.indexOf(kind)),
    entityNames: entities.map(([, name]) => name),
  };
}

const graph = alertedGraph();

test("an alert is counted once at an entity, however many of its links it is on", () => {
  assert.deepEqual(entityCounts(graph, "user", "rare"), { alerts: 1, logins: 1 });
  assert.equal(entityCounts(graph, "host", "W3").alerts, 1);
  assert.deepEqual(entityCounts(graph, "user", "U5"), {
    alerts: 0,
    logins: entityCounts(graph, "host", "W5").logins,
  });
  assert.deepEqual(entityCounts(graph, "user", "nobody"), { alerts: 0, logins: 0 });
});

test("those with alerts are sampled first, then the most frequent, and nothing that is no user or host", async () => {
  const epoch = epochOf([
    ["user", "nobody"],
    ["host", "payroll"],
    ["feature", "user degree 1"],
    ["user", "U1"],
    ["user", "rare"],
    ["host", "W3"],
    ["user", "P1"],
  ]);
  const names = async (countMax: number) =>
    (await entitySample(graph, epoch, countMax)).map(({ row, name }) => `${row} ${name}`);
  assert.deepEqual(await names(3), ["1 payroll", "4 rare", "5 W3"]);
  assert.deepEqual(await names(4), ["1 payroll", "3 U1", "4 rare", "5 W3"]);
  assert.deepEqual((await names(100)).length, 6);
  // As they come, whatever it takes to pick them.
  assert.deepEqual(await names(1), [(await names(3))[2]!]);
});

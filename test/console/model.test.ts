import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Ajv2020 } from "ajv/dist/2020.js";
import { loadConfig } from "../../src/config/load.ts";
import { MAP_ENTITIES_MAX } from "../../src/console/embedding-map/embedding-maps.ts";
import { Engine } from "../../src/engine/engine.ts";
import { WholeMerging } from "../../src/engine/segment-merging.ts";
import { trainEpoch } from "../../src/engine/training/train-epoch.ts";
import { findSources } from "../../src/ingest/sources.ts";
import { EmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import { REAL_TIME } from "../../src/time.ts";
import { EXAMPLE_FILE, temporaryFolder } from "../processes/oddlink.ts";
import { engineOf, get, stage } from "./console-stage.ts";

/** The epoch of one step, which the gate rejects. */
const BAD = 3;
const ALERTED = "U748@DOM1";

/** An engine that has read the example to its end, or as much of it as the store does not have already. */
async function engineOn(store: string): Promise<Engine> {
  const config = loadConfig({
    environment: {},
    flags: {
      "training.dimensions": 8,
      "training.steps": 40,
      "training.everyHours": 8,
      "training.warmStart": false,
    },
  });
  const log = await EmbeddedLog.open({
    sources: await findSources([EXAMPLE_FILE]),
    store,
    recordBytesMax: 1 << 20,
  });
  const engine = new Engine({
    config,
    log,
    time: REAL_TIME,
    merging: (state) => new WholeMerging(state),
    train: (graph, given, number, trainedAtMs, signal, previous) => {
      const training = { ...given.training, steps: number === BAD ? 1 : given.training.steps };
      return trainEpoch(graph, { ...given, training }, number, trainedAtMs, { signal, previous });
    },
  });
  try {
    await engine.run();
    return engine;
  } finally {
    await log.close();
  }
}

type Epoch = {
  readonly number: number;
  readonly state: string;
  readonly digest: string;
  readonly adoptedAtMs: number | null;
  readonly training: Record<string, unknown> | null;
  readonly gate: Record<string, unknown> | null;
};
type Answer = Awaited<ReturnType<typeof get>>;
type Point = { kind: string; name: string; x: number; y: number; cluster: number; alerts: number };

async function epochsOf(url: string): Promise<Epoch[]> {
  return (await get(`${url}/api/v1/model`)).body["epochs"] as Epoch[];
}

/** The map, once it is there. */
async function mapOf(url: string): Promise<Answer> {
  for (;;) {
    const answer = await get(`${url}/api/v1/model/map`);
    if (answer.status !== 202) return answer;
    const progress = answer.body["progress"] as number;
    assert.ok(progress >= 0 && progress <= 1);
    await sleep(50);
  }
}

async function expectAsDescribed(url: string, path: string, { body }: Answer): Promise<void> {
  const openapi = (await get(`${url}/api/v1/openapi.json`)).body as {
    paths: Record<
      string,
      { get: { responses: Record<string, { content: Record<string, { schema: object }> }> } }
    >;
  };
  const { schema } = openapi.paths[path]!.get.responses["200"]!.content["application/json"]!;
  const validate = new Ajv2020({ strict: false }).compile(schema);
  assert.ok(validate(body), `${path}: ${JSON.stringify(validate.errors)}`);
}

test("epochs are told with how they were trained, what the gate found and what became of them, after a restart too", async (t) => {
  const store = join(temporaryFolder(t), "store.db");
  const engine = await engineOn(store);
  const { console } = await stage(t, { engine });
  const answer = await get(`${console.url}/api/v1/model`);
  await expectAsDescribed(console.url, "/api/v1/model", answer);
  const epochs = answer.body["epochs"] as Epoch[];
  const numbers = epochs.map(({ number }) => number);
  assert.deepEqual(
    numbers,
    Array.from({ length: numbers.length }, (_, i) => numbers.length - i),
  );
  const inForce = engine.epoch!.manifest;
  assert.equal(answer.body["inForce"], inForce.number);
  for (const { number, state } of epochs)
    assert.equal(
      state,
      number === inForce.number ? "inForce" : number === BAD ? "rejected" : "replaced",
      String(number),
    );
  const first = epochs.at(-1)!;
  const { losses, steps, seed, parameters, startedFrom } = first.training!;
  assert.equal((losses as unknown[]).length, steps);
  assert.equal(seed, 1);
  assert.ok((parameters as number) > 1000);
  assert.equal(startedFrom, null);
  assert.equal(first.gate!["running"], null);
  const rejected = epochs.find(({ number }) => number === BAD)!;
  assert.equal(rejected.gate!["isAccepted"], false);
  assert.equal(rejected.training!["steps"], 1);
  assert.equal(rejected.adoptedAtMs, null);

  // Who was not there knows as much of those that the log has, but for when they came into force here.
  const { console: again } = await stage(t, { engine: await engineOn(store) });
  const known = await epochsOf(again.url);
  assert.equal(known[0]!.number, inForce.number);
  assert.ok(known.length >= 2);
  for (const epoch of known) {
    const before = epochs.find(({ number }) => number === epoch.number)!;
    const training = epoch.state === "rejected" ? null : before.training;
    assert.deepEqual(epoch, { ...before, training, adoptedAtMs: null });
  }
});

test("the map of the epoch in force is computed once, and tells who has alerts", async (t) => {
  const engine = await engineOn(join(temporaryFolder(t), "store.db"));
  const { console } = await stage(t, { engine });
  const begun = await Promise.all(Array.from({ length: 5 }, () => get(`${console.url}/api/v1/model/map`)));
  assert.deepEqual(
    begun.map(({ status }) => status),
    [202, 202, 202, 202, 202],
  );
  const answer = await mapOf(console.url);
  assert.equal(answer.status, 200);
  await expectAsDescribed(console.url, "/api/v1/model/map", answer);
  const { epoch, entities, clusters, points } = answer.body as {
    epoch: { number: number; digest: string };
    entities: number;
    clusters: number;
    points: Point[];
  };
  const { manifest } = engine.epoch!;
  assert.deepEqual(epoch, { number: manifest.number, digest: manifest.digest.slice(0, 12) });
  assert.equal(points.length, Math.min(entities, MAP_ENTITIES_MAX));
  assert.ok(points.every(({ x, y }) => x >= 0 && x <= 1 && y >= 0 && y <= 1));
  assert.ok(clusters >= 2);
  assert.deepEqual(
    [...new Set(points.map(({ cluster }) => cluster))].toSorted(),
    Array.from({ length: clusters }, (_, i) => i),
  );
  // No matter how seldom it is seen, who has alerts is on it.
  const alerted = points.find(({ name }) => name === ALERTED)!;
  assert.deepEqual([alerted.kind, alerted.alerts], ["user", engine.totals.alerts]);
  // From now on it is there at once.
  const again = await get(`${console.url}/api/v1/model/map`);
  assert.deepEqual([again.status, again.body], [200, answer.body]);
});

test("without an epoch there is no map, and while the graph is read nobody is asked to wait for one", async (t) => {
  const { console } = await stage(t);
  const { status, body } = await get(`${console.url}/api/v1/model/map`);
  assert.equal(status, 404);
  assert.match(String(body["error"]), /no epoch is in force yet/);
  assert.deepEqual((await get(`${console.url}/api/v1/model`)).body, { inForce: null, epochs: [] });
  const { console: restoring } = await stage(t, { engine: engineOf({ isRestored: false }) });
  assert.equal((await get(`${restoring.url}/api/v1/model/map`)).status, 503);
});

test("a console that is closed while a map is computed does not wait for it", async (t: TestContext) => {
  const engine = await engineOn(join(temporaryFolder(t), "store.db"));
  const { console } = await stage(t, { engine });
  assert.equal((await get(`${console.url}/api/v1/model/map`)).status, 202);
  await console.close();
  await assert.rejects(get(`${console.url}/healthz`));
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { RejectedEpoch } from "../../src/engine/epoch-records.ts";
import { WholeMerging } from "../../src/engine/segment-merging.ts";
import { trainEpoch } from "../../src/engine/training/train-epoch.ts";
import type { TrainEpoch } from "../../src/engine/training/training-schedule.ts";
import { findSources } from "../../src/ingest/sources.ts";
import { EmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import { REAL_TIME } from "../../src/time.ts";
import { temporaryFolder } from "../processes/oddlink.ts";

const EXAMPLE = join(import.meta.dirname, "..", "..", "examples", "lanl", "auth.txt.gz");
const RECORDS = 13_999;
/** The epoch of one step. */
const BAD = 3;

/**
 * A run on the example in which each training begins from nothing, and one of them takes one step.
 *
 * @param dieAfter records after which it dies, without having committed what it is at
 */
async function runOn(
  store: string,
  options: { readonly isGated?: boolean; readonly dieAfter?: number } = {},
) {
  const { isGated = true, dieAfter = Number.POSITIVE_INFINITY } = options;
  const config = loadConfig({
    environment: {},
    flags: {
      "training.dimensions": 8,
      "training.steps": 40,
      "training.everyHours": 8,
      "training.warmStart": false,
      "training.gate": isGated,
    },
  });
  const trained: { number: number; previous: number | undefined }[] = [];
  const rejected: RejectedEpoch[] = [];
  const train: TrainEpoch = (graph, given, number, trainedAtMs, signal, previous) => {
    trained.push({ number, previous: previous?.manifest.number });
    const training = { ...given.training, steps: number === BAD ? 1 : given.training.steps };
    return trainEpoch(graph, { ...given, training }, number, trainedAtMs, { signal, previous });
  };
  const log = await EmbeddedLog.open({
    sources: await findSources([EXAMPLE]),
    store,
    recordBytesMax: 1 << 20,
  });
  let scored = 0;
  const engine = new Engine({
    config,
    log,
    time: REAL_TIME,
    merging: (state) => new WholeMerging(state),
    train,
    onScored: () => {
      if (++scored > dieAfter) throw new Error("killed");
    },
    onRejected: (epoch) => rejected.push(epoch),
  });
  try {
    await engine.run().catch((error: Error) => {
      if (error.message !== "killed") throw error;
    });
    const epochs = [...log.store.values("epochs")].map(({ key, value }) => [
      key,
      Buffer.from(value).toString("hex"),
    ]);
    const findings = [...log.store.findings()].map(({ finding }) => finding);
    return { engine, trained, rejected, epochs, findings };
  } finally {
    await log.close();
  }
}

test("an epoch that is worse is not adopted: its number is taken, the reason stays, and the next training goes on from the one before", async (t) => {
  const { engine, trained, rejected, epochs } = await runOn(join(temporaryFolder(t), "store.db"));
  assert.deepEqual(
    trained.map(({ number }) => number),
    [1, 2, 3, 4, 5],
  );
  assert.equal(trained[3]!.previous, 2);
  assert.equal(engine.totals.epochsRejected, rejected.length);
  assert.equal(engine.totals.epochs + rejected.length, trained.length);
  const { number, running, reason } = { ...rejected[0]!, ...rejected[0]!.gate };
  assert.deepEqual([number, running], [BAD, 2]);
  assert.match(reason, /^it tells 320 unseen links from fakes worse than epoch 2: mean AUC 0\.\d{3} lower/);
  const ofBad = epochs.filter(([key]) => key!.startsWith(`0000000${BAD}-`));
  assert.equal(ofBad.length, 1);
  assert.equal(JSON.parse(Buffer.from(ofBad[0]![1]!, "hex").toString()).gate.reason, reason);
});

test("without the gate the same epoch is adopted", async (t) => {
  const { engine } = await runOn(join(temporaryFolder(t), "store.db"), { isGated: false });
  assert.deepEqual([engine.totals.epochs, engine.totals.epochsRejected], [5, 0]);
  assert.equal(engine.epoch!.manifest.gate, null);
});

test("a replay that is killed again and again rejects the same epoch in the same way", async (t) => {
  const folder = temporaryFolder(t);
  const through = await runOn(join(folder, "through.db"));
  const killed = join(folder, "killed.db");
  let last: Awaited<ReturnType<typeof runOn>> | undefined;
  let runs = 0;
  // Each gets further than the one before, so that the last one gets through.
  while (last?.engine.totals.consumed !== RECORDS && runs < 14)
    last = await runOn(killed, { dieAfter: 400 * ++runs });
  assert.ok(last !== undefined && runs > 3, `${runs}`);
  assert.deepEqual(last.epochs, through.epochs);
  assert.deepEqual(last.findings, through.findings);
  assert.deepEqual(last.engine.totals, through.engine.totals);
});

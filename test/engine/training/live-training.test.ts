import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { loadConfig } from "../../../src/config/load.ts";
import { Engine } from "../../../src/engine/engine.ts";
import { WholeMerging } from "../../../src/engine/segment-merging.ts";
import { LiveTraining } from "../../../src/engine/training/live-training.ts";
import { trainEpoch } from "../../../src/engine/training/train-epoch.ts";
import type { TrainEpoch } from "../../../src/engine/training/training-schedule.ts";
import { OddlinkError } from "../../../src/errors.ts";
import type { Graph } from "../../../src/graph-state/graph.ts";
import { EmbeddedLog } from "../../../src/log/embedded/embedded-log.ts";
import { REAL_TIME } from "../../../src/time.ts";

const HOUR_MS = 3_600_000;
const EXAMPLE = join(import.meta.dirname, "..", "..", "..", "examples", "lanl", "auth.txt.gz");
const LINES = gunzipSync(readFileSync(EXAMPLE)).toString().trimEnd().split("\n");

const reallyTrain: TrainEpoch = (graph, config, number, trainedAtMs, signal, previous) =>
  trainEpoch(graph, config, number, trainedAtMs, { signal, previous });

/**
 * Runs on the example as on a pipe that is written in four parts, two hours of the wall clock apart.
 *
 * @param begun settles once the training that was begun last has ended; before that no more is written
 */
async function runLive(train: TrainEpoch, begun: () => Promise<unknown> = async () => {}) {
  let nowMs = Date.now();
  const failures: Error[] = [];
  const epochsSeen: number[] = [];
  const config = loadConfig({
    environment: {},
    flags: {
      "training.mode": "live",
      "training.steps": 5,
      "training.dimensions": 4,
      "training.firstAfterHours": 1,
      "training.everyHours": 3,
    },
  });
  async function* pipe(): AsyncGenerator<string> {
    for (let part = 0; part < 4; part++) {
      nowMs += 2 * HOUR_MS;
      yield `${LINES.slice(part * 3500, (part + 1) * 3500).join("\n")}\n`;
      // Long enough to begin in the background what is due; that the engine does not wait for it is the point.
      await sleep(400);
      await begun();
      epochsSeen.push(engine.totals.epochs);
    }
  }
  const log = await EmbeddedLog.open({
    sources: [{ name: "stdin", path: "-", sizeBytes: undefined, isStream: true }],
    recordBytesMax: 1 << 20,
    stdin: pipe(),
  });
  const engine: Engine = new Engine({
    config,
    log,
    time: { ...REAL_TIME, now: () => nowMs },
    merging: (state) => new WholeMerging(state),
    train,
    onEpochFailed: (error) => failures.push(error),
  });
  try {
    await engine.run();
  } finally {
    await log.close();
  }
  return { engine, failures, epochsSeen };
}

test("live, an epoch is trained beside the scoring once its hours have passed, and adopted between two batches", async () => {
  let training: Promise<unknown> | undefined;
  const { engine, failures, epochsSeen } = await runLive(
    (...args) => {
      const epoch = reallyTrain(...args);
      training = epoch;
      return epoch;
    },
    async () => training,
  );
  assert.deepEqual(failures, []);
  assert.equal(engine.totals.consumed, LINES.length);
  // Begun before the second part was scored (the first found an empty graph), adopted before the third was.
  assert.deepEqual(epochsSeen, [0, 0, 1, 1]);
  assert.equal(engine.epoch?.manifest.number, 1);
});

test("live, a training that fails is reported and the stream is scored to its end", async () => {
  const { engine, failures } = await runLive(async () => {
    throw new OddlinkError("TRAINING_FAILED", "no luck");
  });
  assert.equal(engine.totals.consumed, LINES.length);
  assert.ok(failures.length >= 1);
  assert.equal(engine.epoch, undefined);
});

test("live, a training under way does not hold up the end of the input", { timeout: 20_000 }, async () => {
  const { engine } = await runLive(async (_graph, _config, _number, _trainedAtMs, signal) => {
    await new Promise((_resolve, reject) =>
      signal!.addEventListener("abort", () => reject(new Error("stopped"))),
    );
    throw new Error("unreachable");
  });
  assert.equal(engine.totals.consumed, LINES.length);
});

test("the hours to the next training are counted from the last epoch in the log, whoever wrote it, across restarts", async () => {
  let nowMs = 1.7e12;
  const begun: number[] = [];
  const graph = { linkCount: 1000, window: { watermarkMs: 0 } } as unknown as Graph;
  const config = loadConfig({
    environment: {},
    flags: { "training.firstAfterHours": 2, "training.everyHours": 12 },
  });
  const start = () =>
    new LiveTraining({
      config,
      now: () => nowMs,
      onFailed: undefined,
      train: async (_graph, _config, number) => {
        begun.push(number);
        throw new Error("of no interest");
      },
    });
  const epoch = (number: number, writtenAtMs: number | undefined) => ({ number, digest: "d", writtenAtMs });
  const writtenAtMs = nowMs;
  nowMs += 11 * HOUR_MS;
  const restarted = start();
  restarted.beginIfDue(graph, epoch(4, writtenAtMs), undefined);
  assert.deepEqual(begun, []);
  nowMs += 1 * HOUR_MS;
  restarted.beginIfDue(graph, epoch(4, writtenAtMs), undefined);
  assert.deepEqual(begun, [5]);
  await restarted.stop();
  // It failed: the next attempt comes after the same time, unless an epoch of somebody else comes before.
  nowMs += 11 * HOUR_MS;
  restarted.beginIfDue(graph, epoch(4, writtenAtMs), undefined);
  nowMs += 1 * HOUR_MS;
  restarted.beginIfDue(graph, epoch(5, nowMs - HOUR_MS), undefined);
  assert.deepEqual(begun, [5]);
  restarted.beginIfDue(graph, epoch(4, writtenAtMs), undefined);
  assert.deepEqual(begun, [5, 5]);
  await restarted.stop();
  // A time that is still to come, or none, is no time: then it is the start that counts.
  for (const unknown of [undefined, nowMs + 1000 * HOUR_MS]) {
    const other = start();
    const seen: number = begun.length;
    other.beginIfDue(graph, epoch(7, unknown), undefined);
    assert.equal(begun.length, seen);
    nowMs += 12 * HOUR_MS;
    other.beginIfDue(graph, epoch(7, unknown), undefined);
    assert.equal(begun.length, seen + 1);
    await other.stop();
  }
});

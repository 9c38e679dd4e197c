import assert from "node:assert/strict";
import { test } from "node:test";
import { runTopicPipeline } from "../../src/log/kafka/topic-pipeline.ts";
import { SimulatedCluster } from "../../src/log/simulated/cluster.ts";
import { FAULT_NAMES, type FaultPlan, NO_FAULTS } from "../../src/log/simulated/fault-plan.ts";
import { Random } from "../../src/model/random.ts";
import { type PipelineRun, runPipelineSchedule } from "./pipeline-schedule.ts";
import { runSeeds } from "./seed-threads.ts";

const SEEDS = 300;
/** Faults that a tail or a compacted topic is needed for. */
const OF_OTHERS: ReadonlySet<string> = new Set(["slowTail", "compaction"]);

test("a pipeline passes each record on once and in order, whatever the seed", async (t) => {
  const seeds = Array.from({ length: SEEDS }, (_, i) => i + 1);
  const runs = await runSeeds<PipelineRun>(new URL("./pipeline-schedule.ts", import.meta.url), seeds);
  for (const { seed, violations, faults } of runs)
    assert.deepEqual(violations, [], `seed ${seed} after ${JSON.stringify(faults)}`);
  const sumOf = (of: (run: PipelineRun) => number): number => runs.reduce((sum, run) => sum + of(run), 0);
  const rare = FAULT_NAMES.filter(
    (name) => !OF_OTHERS.has(name) && sumOf(({ faults }) => faults[name]!) < SEEDS / 10,
  );
  assert.deepEqual(rare, []);
  const [records, mappings, stops] = [
    sumOf((run) => run.records),
    sumOf((run) => run.mappings),
    sumOf((run) => run.stops),
  ];
  assert.ok(stops > SEEDS / 10 && mappings > records, "partitions changed hands in the middle of work");
  const faults = sumOf((run) => Object.values(run.faults).reduce((sum, count) => sum + count, 0));
  t.diagnostic(`${SEEDS} schedules, ${faults} faults, ${stops} stops, ${records} records`);
});

test("outputs are sent again, not mapped again, until it is known what became of them", async () => {
  const often = { chance: 0.2, countMax: 50 };
  const plan: FaultPlan = {
    ...NO_FAULTS,
    sendRefused: often,
    commitLost: often,
    commitAnswerLost: often,
    commitLate: often,
  };
  let faultCount = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const run = await runPipelineSchedule({ seed, plan, processes: 1 });
    assert.deepEqual(run.violations, [], `seed ${seed}`);
    assert.equal(run.mappings, run.records, `seed ${seed}`);
    faultCount += Object.values(run.faults).reduce((sum, count) => sum + count, 0);
  }
  assert.ok(faultCount > 100, `${faultCount} faults`);
});

test("an error of the function that maps ends the pipeline at that record, with what came before committed", async () => {
  const cluster = new SimulatedCluster({ random: (label) => new Random(1, label) });
  cluster.createTopic("input", { partitions: 2 });
  cluster.createTopic("output", { partitions: 2 });
  const write = (partition: number, ...values: string[]): void =>
    cluster.append(
      "input",
      partition,
      values.map((value) => ({ key: null, value })),
    );
  const process = cluster.process("process");
  const run = runTopicPipeline(
    {
      client: process.client,
      time: process.time,
      group: "pipeline",
      topic: "input",
      queueBytesMax: 10_000,
      commitIntervalMs: 50,
      drainMs: 5000,
      onLostInput: "fail",
      map: ({ value }, partition) => {
        if (String(value) === "bad") throw new Error("no such case");
        return [{ topic: "output", partition, key: null, value }];
      },
      onTrouble: () => {},
    },
    new AbortController().signal,
  );
  const ended = assert.rejects(
    run,
    /^Error: record 2 of partition 1 of input could not be mapped: no such case$/,
  );
  write(0, "a");
  write(1, "b", "c");
  await cluster.time.run(5000);
  write(1, "bad", "d");
  await cluster.time.settle(ended, 10_000);
  const written = [0, 1].map((partition) =>
    cluster.committedRecords("output", partition).map(({ value }) => String(value)),
  );
  assert.deepEqual(written, [["a"], ["b", "c"]]);
  assert.deepEqual(
    [0, 1].map((partition) => cluster.committedOffset("pipeline", "input", partition)),
    [1, 2],
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { FAULT_NAMES, type FaultPlan, NO_FAULTS } from "../../src/log/simulated/fault-plan.ts";
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

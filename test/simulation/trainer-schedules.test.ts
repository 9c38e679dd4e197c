import assert from "node:assert/strict";
import { test } from "node:test";
import { runSeeds } from "./seed-threads.ts";
import { runTrainerSchedule, type TrainerScheduleResult } from "./trainer-schedule.ts";

const SEEDS = Array.from({ length: 40 }, (_, i) => i + 1);

test("trainers beside workers publish whole epochs, and everybody ends with the same one", async (t) => {
  const results = await runSeeds<TrainerScheduleResult>(
    new URL("./trainer-schedule.ts", import.meta.url),
    SEEDS,
  );
  for (const { seed, violations } of results) assert.deepEqual(violations, [], `seed ${seed}`);
  const sum = (read: (result: TrainerScheduleResult) => number): number =>
    results.reduce((total, result) => total + read(result), 0);
  const [faults, replaced, superseded] = [
    sum((r) => r.faults),
    sum((r) => r.replaced),
    sum((r) => r.superseded),
  ];
  const rejected = sum((r) => r.rejected);
  assert.ok(rejected > SEEDS.length, `${rejected} rejected`);
  assert.ok(faults > SEEDS.length && replaced > SEEDS.length && superseded > 0);
  t.diagnostic(
    `${results.length} schedules, ${faults} faults, ${sum((r) => r.newest)} epochs, ${sum((r) => r.published)} of them by ` +
      `trainers of their own, ${replaced} trainers replaced, ${superseded} epochs came too late, ` +
      `${rejected} were rejected`,
  );
});

test("a seed gives the same run every time", async () => {
  const [first, second] = [await runTrainerSchedule(3), await runTrainerSchedule(3)];
  assert.deepEqual(first, second);
});

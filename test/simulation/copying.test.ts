import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  FAULT_NAMES,
  type FaultName,
  type FaultPlan,
  NO_FAULTS,
} from "../../src/log/simulated/fault-plan.ts";
import { type CopyRun, type CopySummary, copyUnderFaults, type Mistake } from "./copying-worker.ts";
import { runSeeds } from "./seed-threads.ts";

const SEEDS = 300;

const only = (name: FaultName, chance: number, countMax = 10): FaultPlan => ({
  ...NO_FAULTS,
  [name]: { chance, countMax },
});

test("a worker that makes no mistake copies each record once, whatever the seed", async (context) => {
  const startMs = performance.now();
  const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);
  const runs = await runSeeds<CopySummary>(new URL("./copying-worker.ts", import.meta.url), seeds);
  const seconds = (performance.now() - startMs) / 1000;
  for (const [seed, { violations, trace }] of runs.entries())
    assert.deepEqual(violations, [], `seed ${seed}:\n${trace}`);
  const sumOf = (of: (run: CopySummary) => number): number => runs.reduce((sum, run) => sum + of(run), 0);
  context.diagnostic(
    `${Math.round(sumOf((run) => run.eventCount) / seconds)} events a second, ` +
      `${Math.round((60 * SEEDS) / seconds)} schedules a minute, ` +
      `${Math.round(sumOf((run) => run.virtualMs) / 1000 / seconds)} times as fast as time itself`,
  );
  const rare = FAULT_NAMES.filter((name) => sumOf((run) => run.faultCounts[name]!) < SEEDS / 10);
  assert.deepEqual(rare, []);
});

test("each fault alone is survived", async () => {
  for (const name of FAULT_NAMES) {
    for (let seed = 0; seed < 4; seed++) {
      const run = await copyUnderFaults({ seed, plan: only(name, 0.05) });
      assert.deepEqual(run.violations, [], `${name}, seed ${seed}:\n${run.cluster.trace.describe()}`);
    }
  }
});

const MISTAKES: readonly Mistake[] = [
  "reads its offset before it fences",
  "sends again what may be committed",
  "goes on as if committed",
  "starts at the beginning without an offset",
  "writes outputs and offset in two transactions",
];

for (const mistake of MISTAKES) {
  test(`a worker that ${mistake} is found out`, async (context) => {
    await findOut(context, 40, (seed) => copyUnderFaults({ seed, mistake }));
  });
}

test("a worker that goes on after it was stopped is found out", async (context) => {
  // It takes a fence that lasts longer than a rebalance.
  const plan = { ...only("answerLost", 0.2, 200), rebalanceStorm: { chance: 0.2, countMax: 30 } };
  const mistake = "goes on after it was stopped";
  await findOut(context, 100, (seed) => copyUnderFaults({ seed, mistake, plan }));
});

async function findOut(
  context: TestContext,
  seedsMax: number,
  run: (seed: number) => Promise<CopyRun>,
): Promise<void> {
  for (let seed = 0; seed < seedsMax; seed++) {
    const { violations } = await run(seed);
    if (violations.length === 0) continue;
    context.diagnostic(`by seed ${seed}: ${violations[0]}`);
    return;
  }
  assert.fail(`no seed below ${seedsMax} shows it`);
}

test("a seed is a run: the same one gives the same events, another one others", async () => {
  const hashes = new Set<string>();
  for (let seed = 0; seed < 10; seed++) {
    const [first, second] = [await copyUnderFaults({ seed }), await copyUnderFaults({ seed })];
    assert.equal(first.hash, second.hash);
    assert.equal(first.eventCount, second.eventCount);
    assert.equal(first.cluster.trace.describe(), second.cluster.trace.describe());
    hashes.add(first.hash);
  }
  assert.equal(hashes.size, 10);
});

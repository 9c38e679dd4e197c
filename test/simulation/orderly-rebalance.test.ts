import assert from "node:assert/strict";
import { test } from "node:test";
import { TOPIC_NAMES } from "../../src/log/kafka/produced-records.ts";
import { SimulatedCluster } from "../../src/log/simulated/cluster.ts";
import { Random } from "../../src/model/random.ts";
import { createTopics, feed, GROUP, startWorker, type Worker } from "./schedule.ts";
import { WorkInProgress } from "./work-in-progress.ts";

const SEEDS = 40;
const PARTITIONS = 4;
const STEP_MS = 5000;
const SETTLE_MS = 60_000;

/** One worker, two, three, two, one: each comes and goes in order, while logins arrive. */
async function scale(seed: number): Promise<{ readonly rebuilds: number; readonly owners: number[] }> {
  const cluster = new SimulatedCluster({ random: (label) => new Random(seed, label) });
  createTopics(cluster, PARTITIONS);
  const random = new Random(seed, "scale");
  let isOver = false;
  feed(cluster, random, undefined, PARTITIONS, () => isOver);
  const workers: Worker[] = [];
  const owners: number[] = [];
  const settle = async (): Promise<void> => {
    await cluster.time.run(STEP_MS + random.nextInt(1000));
    owners.push(cluster.owners(GROUP).size);
  };
  for (let i = 0; i < 3; i++) {
    workers.push(startWorker(cluster.process(`worker ${i}`), new WorkInProgress(() => {}), i));
    await settle();
  }
  for (const worker of workers.slice(1)) {
    worker.stop.abort();
    await settle();
  }
  isOver = true;
  const isCommitted = (_: unknown, partition: number): boolean =>
    (cluster.committedOffset(GROUP, TOPIC_NAMES.logins, partition) ?? 0) >=
    cluster.offsets(TOPIC_NAMES.logins, partition).high;
  await cluster.time.runUntil(() => Array.from({ length: PARTITIONS }).every(isCommitted), SETTLE_MS);
  workers[0]!.stop.abort();
  await cluster.time.run(STEP_MS);
  for (const { ended } of workers) assert.equal(await ended, undefined);
  return { rebuilds: workers.reduce((sum, { engine }) => sum + engine.rebuildCount, 0), owners };
}

test("workers that come and go in order cost nobody a rebuild of the graph", {
  timeout: 120_000,
}, async () => {
  let rebuilds = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = await scale(seed);
    assert.deepEqual(result.owners, [1, 2, 3, 2, 1], `seed ${seed}`);
    rebuilds += result.rebuilds;
  }
  assert.equal(rebuilds, 0);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { runTopicPipeline } from "../../src/log/kafka/topic-pipeline.ts";
import { SimulatedCluster } from "../../src/log/simulated/cluster.ts";
import type { SimulatedProcess } from "../../src/log/simulated/simulated-process.ts";
import { Random } from "../../src/model/random.ts";

const SEEDS = 10;
const GROUP = "copiers";

/** One process is paused for longer than its session while another one takes its partition, and wakes up. */
async function wakeUp(seed: number): Promise<{ wasTaken: boolean; shutOut: string[] }> {
  const random = new Random(seed, "wake-up");
  const cluster = new SimulatedCluster({ random: (label) => new Random(seed, label) });
  cluster.createTopic("input", { partitions: 1 });
  cluster.createTopic("output", { partitions: 1 });
  const shutOut: string[] = [];
  const stop = new AbortController();
  const start = (name: string): SimulatedProcess => {
    const process = cluster.process(name);
    void runTopicPipeline(
      {
        client: process.client,
        time: process.time,
        group: GROUP,
        topic: "input",
        queueBytesMax: 10_000,
        commitIntervalMs: 50,
        drainMs: 5000,
        onLostInput: "fail",
        map: ({ value }) => [{ topic: "output", partition: 0, key: null, value }],
        onTrouble: (message) => {
          const isGivenBack = cluster.owners(GROUP).has("sleeper");
          if (name === "other" && !isGivenBack && message.includes("fenced")) shutOut.push(message);
        },
      },
      stop.signal,
    );
    return process;
  };
  let isOver = false;
  const feed = (): void => {
    if (isOver) return;
    cluster.append("input", 0, [{ key: null, value: "record" }]);
    cluster.time.schedule(random.nextInt(20), feed);
  };
  feed();
  const sleeper = start("sleeper");
  await cluster.time.run(2000 + random.nextInt(100));
  sleeper.pause();
  start("other");
  await cluster.time.run(1.5 * cluster.timings.sessionTimeoutMs);
  const wasTaken = cluster.owners(GROUP).get("other")?.includes(0) === true;
  sleeper.resume();
  await cluster.time.run(10_000);
  isOver = true;
  stop.abort();
  await cluster.time.run(10_000);
  return { wasTaken, shutOut };
}

test("a paused worker that wakes up does not shut out who has its partition by now", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { wasTaken, shutOut } = await wakeUp(seed);
    assert.ok(wasTaken, `seed ${seed}: the partition was taken meanwhile`);
    assert.deepEqual(shutOut, [], `seed ${seed}`);
  }
});

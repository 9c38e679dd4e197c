import assert from "node:assert/strict";
import { test } from "node:test";
import type { PartitionStanding } from "../../../src/log/kafka/consumer-meter.ts";
import { LagMonitor } from "../../../src/log/kafka/lag-monitor.ts";

const READ: PartitionStanding = {
  partition: 0,
  isReady: true,
  isPaused: false,
  committed: 100,
  done: 100,
  oldestMs: undefined,
  highWatermark: 100,
};

/** A monitor whose brokers say that partition 0 ends at `end`; nobody answers if that is undefined. */
function monitorOf(partition: PartitionStanding, end: number | undefined) {
  const state = { partition, end, nowMs: 1_000_000 };
  const stop = new AbortController();
  const monitor = new LagMonitor({
    topic: "logins",
    signal: stop.signal,
    standing: () => ({ isMember: true, isRebalancing: false, partitions: [state.partition] }),
    client: {
      topicOffsets: async () => {
        if (state.end === undefined) throw new Error("nobody answers");
        return [{ partition: 0, low: 0, high: state.end, stable: state.end }];
      },
    },
    time: {
      now: () => state.nowMs,
      monotonicMs: () => state.nowMs,
      // One poll.
      sleep: async () => stop.abort(),
    },
  });
  return { monitor, state };
}

test("who has committed all is not behind", async () => {
  const { monitor } = monitorOf(READ, 100);
  await monitor.run();
  assert.deepEqual(monitor.list(), [{ partition: 0, records: 0, seconds: 0 }]);
  assert.equal(monitor.partitionCount, 1);
});

test("markers of transactions behind the last record are nothing to be behind of", async () => {
  const { monitor, state } = monitorOf({ ...READ, committed: 100, done: 101, highWatermark: 101 }, 101);
  await monitor.run();
  state.nowMs += 600_000;
  assert.deepEqual(monitor.list(), [{ partition: 0, records: 0, seconds: 0 }]);
});

test("lag is as old as the oldest record that is fetched and not committed", async () => {
  const { monitor, state } = monitorOf({ ...READ, oldestMs: 1_000_000 - 7_000, highWatermark: 150 }, 160);
  await monitor.run();
  assert.deepEqual(monitor.list(), [{ partition: 0, records: 60, seconds: 7 }]);
  state.nowMs += 1000;
  assert.deepEqual(monitor.list(), [{ partition: 0, records: 60, seconds: 8 }]);
});

test("who fetches nothing any more is behind since it was seen that there is something; progress begins anew", async () => {
  const { monitor, state } = monitorOf({ ...READ, highWatermark: undefined }, 130);
  await monitor.run();
  assert.deepEqual(monitor.list(), [{ partition: 0, records: 30, seconds: 0 }]);
  state.nowMs += 40_000;
  assert.deepEqual(monitor.list(), [{ partition: 0, records: 30, seconds: 40 }]);
  state.partition = { ...READ, committed: 110, done: 110 };
  assert.deepEqual(monitor.list(), [{ partition: 0, records: 20, seconds: 0 }]);
});

test("what brokers said a minute ago is no news: then nothing is said, but of what fetches say themselves", async () => {
  const { monitor, state } = monitorOf({ ...READ, highWatermark: undefined }, 130);
  await monitor.run();
  state.nowMs += 61_000;
  assert.deepEqual(monitor.list(), []);
  assert.equal(monitor.partitionCount, undefined);
  state.partition = { ...READ, highWatermark: 120 };
  assert.equal(monitor.list()[0]!.records, 20);
});

test("of a partition that is being taken on nothing is known", async () => {
  const { monitor } = monitorOf(
    { ...READ, isReady: false, committed: undefined, done: undefined, highWatermark: undefined },
    130,
  );
  await monitor.run();
  assert.deepEqual(monitor.list(), []);
});

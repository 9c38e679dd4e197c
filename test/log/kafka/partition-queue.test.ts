import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { ConsumedRecord } from "../../../src/log/kafka/client.ts";
import { PartitionQueue } from "../../../src/log/kafka/partition-queue.ts";

function open(bytesMax: number): PartitionQueue {
  const queue = new PartitionQueue({ bytesMax, onFull: () => {}, onDrained: () => {} });
  queue.open(0);
  return queue;
}

const record = (offset: number): ConsumedRecord => ({
  offset,
  timestampMs: 0,
  key: null,
  value: Buffer.alloc(800),
  headers: {},
});
const offsetsOf = (records: readonly ConsumedRecord[] | undefined) => records?.map(({ offset }) => offset);

test("records gather until it is time, and no longer", async () => {
  const queue = open(1e6);
  const { promise: gathered, resolve } = Promise.withResolvers<void>();
  const taken = queue.take(10, gathered);
  queue.push([record(0)]);
  queue.push([record(1), record(2)]);
  assert.equal(await Promise.race([taken, "still waiting"]), "still waiting");
  resolve();
  assert.deepEqual(offsetsOf(await taken), [0, 1, 2]);
});

test("as many as were asked for do not wait any longer", async () => {
  const queue = open(1e6);
  const taken = queue.take(2, new Promise(() => {}));
  queue.push([record(0), record(1), record(2)]);
  assert.deepEqual(offsetsOf(await taken), [0, 1]);
});

test("a queue that is full does not wait for more", async () => {
  const queue = open(2000);
  const taken = queue.take(10, new Promise(() => {}));
  queue.push([record(0), record(1)]);
  assert.deepEqual(offsetsOf(await taken), [0, 1]);
});

test("what gathers is not handed out once the partition is taken away", async () => {
  const queue = open(1e6);
  const taken = queue.take(10, new Promise(() => {}));
  queue.push([record(0)]);
  queue.end();
  assert.equal(await taken, undefined);
});

test("it is behind from a quarter of what may wait", () => {
  const queue = open(8000);
  queue.push([record(0)]);
  assert.equal(queue.isBehind, false);
  queue.push([record(1)]);
  assert.equal(queue.isBehind, true);
});

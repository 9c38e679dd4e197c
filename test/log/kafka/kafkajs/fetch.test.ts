import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { decodeFetchResponse } from "../../../../src/log/kafka/kafkajs/fetch.ts";
import type { FetchedPartition } from "../../../../src/log/kafka/kafkajs/internals.ts";

type BatchOf = {
  readonly offset: number;
  /** Keys by how far they are from the offset. */
  readonly keys: Readonly<Record<number, Buffer>>;
  readonly lastDelta: number;
  readonly producer: number;
  readonly isMarker?: boolean;
};
const int = (bytes: number, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeIntBE(value, Math.max(0, bytes - 6), Math.min(6, bytes));
  if (value < 0) buffer.fill(0xff, 0, Math.max(0, bytes - 6));
  return buffer;
};
/** Of the numbers that are needed here. */
const variable = (value: number): Buffer => Buffer.of(2 * value);
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

function encodeBatch({ offset, keys, lastDelta, producer, isMarker = false }: BatchOf): Buffer {
  const records = Object.entries(keys).map(([delta, key]) => {
    const noValueNoHeaders = Buffer.of(1, 0);
    const parts = [
      int(1, 0),
      variable(0),
      variable(Number(delta)),
      variable(key.length),
      key,
      noValueNoHeaders,
    ];
    const record = Buffer.concat(parts);
    return Buffer.concat([variable(record.length), record]);
  });
  const attributes = TRANSACTIONAL + (isMarker ? CONTROL : 0);
  const before = [
    int(4, 0),
    int(1, 2),
    int(4, 0),
    int(2, attributes),
    int(4, lastDelta),
    int(8, 0),
    int(8, 0),
  ];
  const after = [int(8, producer), int(2, 0), int(4, 0), int(4, records.length), ...records];
  const body = Buffer.concat([...before, ...after]);
  return Buffer.concat([int(8, offset), int(4, body.length), body]);
}

async function decode(batches: readonly BatchOf[], aborted: readonly [number, number][], cutBytes = 0) {
  const records = Buffer.concat(batches.map(encodeBatch));
  const topic = Buffer.concat([int(2, 1), Buffer.from("t")]);
  const list = aborted.flatMap(([producer, firstOffset]) => [int(8, producer), int(8, firstOffset)]);
  const offsets = [int(8, 100), int(8, 100), int(8, 0)];
  const partition = [int(4, 0), int(2, 0), ...offsets, int(4, aborted.length), ...list, int(4, -1)];
  const set = records.subarray(0, records.length - cutBytes);
  const header = [int(4, 0), int(2, 0), int(4, 0), int(4, 1), topic, int(4, 1)];
  const decoded = await decodeFetchResponse(
    Buffer.concat([...header, ...partition, int(4, set.length), set]),
  );
  const { responses } = decoded as { responses: { partitions: FetchedPartition[] }[] };
  return responses[0]!.partitions[0]!.messages.map(
    ({ offset, isControlRecord }) => `${offset}${isControlRecord ? " hidden" : ""}`,
  );
}

const data = Buffer.from("data");
const ABORT = { 0: Buffer.from("00000000", "hex") };
const COMMIT = { 0: Buffer.from("00000001", "hex") };

test("a batch whose last records, or all, were compacted away shows how far it goes", async () => {
  const trimmed = { offset: 0, keys: { 1: data }, lastDelta: 3, producer: 1 };
  const empty = { offset: 4, keys: {}, lastDelta: 2, producer: 1 };
  assert.deepEqual(await decode([trimmed, empty], []), ["1", "3 hidden", "6 hidden"]);
});

test("what was aborted is hidden, in whatever order the transactions are listed", async () => {
  const batches = [
    { offset: 0, keys: { 0: data }, lastDelta: 0, producer: 1 },
    { offset: 1, keys: { 0: data }, lastDelta: 0, producer: 2 },
    { offset: 2, keys: { 0: data }, lastDelta: 0, producer: 3 },
    { offset: 3, keys: ABORT, lastDelta: 0, producer: 2, isMarker: true },
    // Of the same producer again, now committed.
    { offset: 4, keys: { 0: data }, lastDelta: 0, producer: 2 },
    { offset: 5, keys: ABORT, lastDelta: 0, producer: 1, isMarker: true },
    { offset: 6, keys: COMMIT, lastDelta: 0, producer: 2, isMarker: true },
    { offset: 7, keys: COMMIT, lastDelta: 0, producer: 3, isMarker: true },
  ];
  const expected = ["0 hidden", "1 hidden", "2", "3 hidden", "4", "5 hidden", "6 hidden", "7 hidden"];
  const aborted: [number, number][] = [
    [2, 1],
    [1, 0],
  ];
  assert.deepEqual(await decode(batches, aborted), expected);
  assert.deepEqual(await decode(batches, aborted.toReversed()), expected);
});

test("no data are taken for a marker, whatever their key", async () => {
  const batches = [
    { offset: 0, keys: { 0: ABORT[0], 1: data }, lastDelta: 1, producer: 1 },
    { offset: 2, keys: { 0: data }, lastDelta: 0, producer: 1 },
    { offset: 3, keys: ABORT, lastDelta: 0, producer: 1, isMarker: true },
  ];
  assert.deepEqual(await decode(batches, [[1, 0]]), ["0 hidden", "1 hidden", "2 hidden", "3 hidden"]);
});

test("a response may end in the middle of a batch", async () => {
  const batches = [0, 1].map((offset) => ({ offset, keys: { 0: data }, lastDelta: 0, producer: 1 }));
  for (let cutBytes = 1; cutBytes < 60; cutBytes++)
    assert.deepEqual(await decode(batches, [], cutBytes), ["0"]);
});

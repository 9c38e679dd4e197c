import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { PartitionMerging } from "../../src/engine/partition-merging.ts";
import { toRecord } from "../../src/engine/segment-merging.ts";
import { isSum, StoredSegments, segmentGroup, sumGroup } from "../../src/engine/stored-segments.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import { DEFAULT_LINK_KINDS } from "../../src/graph-state/link-kinds.ts";
import { decodeSegmentHeader, type OffsetRange, type Segment } from "../../src/graph-state/segment.ts";
import type { KeyedRecord } from "../../src/log/port.ts";
import { addLogin, login, PART_BYTES_MAX } from "../graph-state/logins.ts";

const WINDOW = { days: 30, maxLinks: 10_000, maxJumpDays: 30 };
const SEGMENTS = 20;
/** More than any partition has to hold before it is merged. */
const COMMITS = 100;

/** Segment `i` of a partition, of one login at offset `i`. */
function segment(partition: number, i: number): Segment {
  const graph = new Graph({ window: WINDOW });
  addLogin(graph, login({ user: `U${i}` }));
  const [part] = graph.takeDelta(PART_BYTES_MAX);
  const ranges = [{ partition, historyStart: 0, first: i, next: i + 1 }];
  return { group: segmentGroup(partition, i), piece: 0, isLast: true, ranges, ...part! };
}

/** A merging whose log holds some segments of each partition, and which takes one step at each call of `step`. */
function newMerging({
  segments,
  bytesMin = 2000,
  bytesMax = 16_000,
}: {
  segments?: readonly Segment[];
  bytesMin?: number;
  bytesMax?: number;
} = {}) {
  const stored = new StoredSegments();
  const reads: number[] = [];
  const waiting: (() => void)[] = [];
  const merging = new PartitionMerging({
    state: { stored, segmentBytesMax: PART_BYTES_MAX },
    log: {
      readBack: async (_, partition) => {
        reads.push(partition);
        const records = (segments ?? Array.from({ length: SEGMENTS }, (_, i) => segment(partition, i))).map(
          toRecord,
        );
        return new Map(records.map(({ key, value }) => [key, value!]));
      },
    },
    config: { links: [...DEFAULT_LINK_KINDS], window: WINDOW },
    breathe: () => new Promise((resolve) => waiting.push(resolve)),
    newId: () => "id",
    onFailed: (error) => assert.fail(error),
    bytesMin,
    bytesMax,
    sliceBytesMin: 0,
  });
  let next = segments?.length ?? SEGMENTS;
  const commit = (partition: number): KeyedRecord[] => merging.write([segment(partition, next++)], partition);
  const step = async (): Promise<boolean> => {
    await new Promise(setImmediate);
    const resolve = waiting.shift();
    resolve?.();
    await new Promise(setImmediate);
    return resolve !== undefined;
  };
  return { merging, reads, commit, step };
}

test("a partition that was just taken on is not merged yet", () => {
  const { merging, reads, commit } = newMerging();
  for (let life = 0; life < COMMITS; life++) {
    commit(0);
    merging.forget(0);
  }
  assert.deepEqual(reads, []);
  for (let i = 0; i < COMMITS; i++) commit(0);
  assert.deepEqual(reads, [0]);
});

test("a merge ends when its partition is lost, and is not finished for nobody", async () => {
  const { merging, reads, commit, step } = newMerging();
  for (let i = 0; i < COMMITS; i++) commit(0);
  assert.ok((await step()) && (await step()));
  merging.forget(0);
  await step();
  assert.equal(await step(), false);
  assert.deepEqual(reads, [0]);
});

test("partitions are merged one after the other", async () => {
  const { reads, commit, step } = newMerging();
  for (let i = 0; i < COMMITS; i++) for (const partition of [0, 1]) commit(partition);
  assert.deepEqual(reads, [0]);
  while (await step());
  const records = [];
  while (reads.length === 1) for (const partition of [0, 1]) records.push(...commit(partition));
  assert.deepEqual(reads, [0, 1]);
  // The sum is there, and what it stands for is not any more.
  assert.equal(records.filter(({ key, value }) => isSum(key) && value !== null).length, 1);
  assert.equal(records.filter(({ value }) => value === null).length, SEGMENTS);
});

test("where much has piled up a merge takes the first of it, and leaves whole groups", async () => {
  const pieces = (i: number): Segment[] =>
    [false, true].map((isLast) => ({ ...segment(0, i), piece: Number(isLast), isLast }));
  const segments = Array.from({ length: 40 }, (_, i) => pieces(i)).flat();
  const bytesOf = (some: readonly Segment[]): number =>
    some.reduce((bytes, piece) => bytes + toRecord(piece).value!.length, 0);
  const bytesMax = 8000;
  const { commit, step } = newMerging({ segments, bytesMin: 1000, bytesMax });
  const records: KeyedRecord[] = [];
  while (!records.some(({ value }) => value === null)) {
    records.push(...commit(0));
    await step();
  }
  const [sum, ...others] = records.filter(({ key, value }) => isSum(key) && value !== null);
  assert.deepEqual(others, []);
  const [{ first, next }] = decodeSegmentHeader(sum!.value!).ranges as [OffsetRange];
  assert.equal(first, 0);
  assert.ok(next > 1 && next < 40, `${next} of 40`);
  // Beside the first group.
  assert.ok(bytesOf(segments.slice(2, 2 * next)) >= bytesMax);
  assert.ok(bytesOf(segments.slice(2, 2 * (next - 1))) < bytesMax);
  const deleted = records.filter(({ value }) => value === null).map(({ key }) => key);
  assert.deepEqual(
    deleted,
    segments.slice(0, 2 * next).map((piece) => toRecord(piece).key),
  );
});

test("a sum that is large is left alone, and what came after it is merged beside it", async () => {
  const large = {
    ...segment(0, 0),
    names: Array(200).fill({ kind: 0, name: Buffer.from("a name of some length") }),
  };
  const sum: Segment = { ...large, group: sumGroup(0, 0, 1, "before") };
  // Left by somebody who was killed before it was whole.
  const unfinished: Segment = { ...segment(0, 0), group: sumGroup(0, 0, 2, "unfinished"), isLast: false };
  const later = Array.from({ length: SEGMENTS }, (_, i) => segment(0, i + 1));
  const { commit, step } = newMerging({ segments: [sum, ...later, unfinished], bytesMin: 1000 });
  const records: KeyedRecord[] = [];
  while (!records.some(({ value }) => value === null)) {
    records.push(...commit(0));
    await step();
  }
  const sums = records.filter(({ key, value }) => isSum(key) && value !== null);
  const ranges = sums.map(({ value }) => decodeSegmentHeader(value!).ranges.map((range) => ({ ...range })));
  assert.deepEqual(ranges, [[{ partition: 0, historyStart: 0, first: 1, next: SEGMENTS + 1 }]]);
  const deleted = records.filter(({ value }) => value === null).map(({ key }) => key);
  assert.deepEqual(
    deleted,
    [...later, unfinished].map((piece) => toRecord(piece).key),
  );
});

test("where a segment is missing nothing is merged and nothing deleted", async () => {
  const segments = Array.from({ length: SEGMENTS }, (_, i) => segment(0, i)).toSpliced(5, 1);
  const { reads, commit, step } = newMerging({ segments });
  const records: KeyedRecord[] = [];
  for (let i = 0; i < COMMITS; i++) {
    records.push(...commit(0));
    await step();
  }
  assert.ok(reads.length > 1, "it was tried again");
  assert.ok(records.every(({ key, value }) => !isSum(key) && value !== null));
});

test("a group that was read without its last piece is left alone: it was written while the others were read", async () => {
  const written: Segment = { ...segment(0, SEGMENTS), isLast: false };
  const segments = [...Array.from({ length: SEGMENTS }, (_, i) => segment(0, i)), written];
  const { commit, step } = newMerging({ segments });
  const records: KeyedRecord[] = [];
  while (!records.some(({ value }) => value === null)) {
    records.push(...commit(0));
    await step();
  }
  const deleted = records.filter(({ value }) => value === null).map(({ key }) => key);
  assert.equal(deleted.length, SEGMENTS);
  assert.ok(!deleted.includes(toRecord(written).key));
});

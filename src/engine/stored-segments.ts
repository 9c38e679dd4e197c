import { OddlinkError } from "../errors.ts";
import type { StoredSegment } from "../graph-state/coverage.ts";
import { decodeSegment, decodeSegmentHeader, type Segment } from "../graph-state/segment.ts";

/** In a key: what a sum of segments has that a segment has not. */
const SUM = "/sum";

/** How many segments there are, and what they weigh. */
export type StoredSegmentSizes = Pick<StoredSegments, "bytes" | "sumBytes" | "count">;

type Group = { readonly first: number; bytes: number };
type Stored = { readonly keys: Map<string, number>; readonly groups: Map<string, Group> };

/** Which segments lie in the log, and what they weigh: what merging goes by. Nothing of them is kept but that. */
export class StoredSegments {
  readonly #byPartition = new Map<string, Stored>();
  #bytes = 0;
  #sumBytes = 0;

  put(key: string, bytes: number): void {
    this.delete(key);
    const { keys, groups } = this.#of(key);
    keys.set(key, bytes);
    const name = groupOf(key);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { first: firstOf(name), bytes });
    else group.bytes += bytes;
    this.#count(key, bytes);
  }

  delete(key: string): void {
    const { keys, groups } = this.#of(key);
    const bytes = keys.get(key);
    if (bytes === undefined) return;
    keys.delete(key);
    const name = groupOf(key);
    const group = groups.get(name)!;
    group.bytes -= bytes;
    if (group.bytes === 0) groups.delete(name);
    this.#count(key, -bytes);
  }

  clear(): void {
    this.#byPartition.clear();
    this.#bytes = this.#sumBytes = 0;
  }

  /** Bytes of the segments that are no sums. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of the sums. */
  get sumBytes(): number {
    return this.#sumBytes;
  }

  /** How many records of segments there are, sums included. */
  get count(): number {
    let count = 0;
    for (const { keys } of this.#byPartition.values()) count += keys.size;
    return count;
  }

  keys(): string[] {
    return [...this.#byPartition.values()].flatMap(({ keys }) => [...keys.keys()]);
  }

  /** What each group of segments of a partition weighs, in the order of their offsets. */
  groupBytes(partition: number): number[] {
    const groups = this.#byPartition.get(partitionPrefix(partition))?.groups.values() ?? [];
    return [...groups].sort((a, b) => a.first - b.first).map(({ bytes }) => bytes);
  }

  #count(key: string, bytes: number): void {
    if (isSum(key)) this.#sumBytes += bytes;
    else this.#bytes += bytes;
  }

  #of(key: string): Stored {
    const prefix = key.slice(0, key.indexOf("/"));
    let stored = this.#byPartition.get(prefix);
    if (stored === undefined) {
      stored = { keys: new Map(), groups: new Map() };
      this.#byPartition.set(prefix, stored);
    }
    return stored;
  }
}

/** True for the key of a piece of a sum. */
export function isSum(key: string): boolean {
  return key.includes(SUM);
}

/** Keys of segments begin with the partition, so that they sort by it. */
function partitionPrefix(partition: number): string {
  return String(partition).padStart(6, "0");
}

/** Group of a segment: its key without the piece. Sorts by partition and offset. */
export function segmentGroup(partition: number, first: number): string {
  return `${partitionPrefix(partition)}/${offsetText(first)}`;
}

/** Group of a sum of the segments of a range of a partition's offsets; `id` tells it from another attempt at the same. */
export function sumGroup(partition: number, first: number, next: number, id: string): string {
  return `${partitionPrefix(partition)}${SUM}-${offsetText(first)}-${offsetText(next)}-${id}`;
}

function offsetText(offset: number): string {
  return String(offset).padStart(16, "0");
}

/** The group of a piece: its key without the number of the piece. */
function groupOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/"));
}

/** The first offset that a group of one partition covers. */
function firstOf(group: string): number {
  return Number(/\d{16}/.exec(group)?.[0] ?? 0);
}

/** Group of the sum of all segments of all partitions. */
export const WHOLE_SUM_GROUP = `all${SUM}`;

/**
 * A segment as it lies in the log, its bytes checked.
 *
 * @throws {OddlinkError} SEGMENT_CORRUPT
 */
export function toStored(key: string, bytes: Uint8Array): StoredSegment {
  return naming(key, () => ({ key, header: decodeSegmentHeader(bytes), bytes }));
}

/** @throws {OddlinkError} SEGMENT_CORRUPT */
export function toSegment({ key, bytes }: Pick<StoredSegment, "key" | "bytes">): Segment {
  return naming(key, () => decodeSegment(bytes));
}

/** Says which segment can't be read. Going on without it would be a graph that nobody knows to be too small. */
function naming<T>(key: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const number = /^\d{6}(?=\/)/.exec(key)?.[0];
    const partition = number === undefined ? "" : `, partition ${Number(number)}`;
    throw new OddlinkError(
      "SEGMENT_CORRUPT",
      `graph-state${partition}, key ${key}: ${(error as Error).message}. Nothing is scored with a graph that lacks a part: ` +
        "put the stored graph back as it was, or begin anew with another store, or other topics and another group",
      { cause: error },
    );
  }
}

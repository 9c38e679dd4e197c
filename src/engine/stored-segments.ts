import { OddlinkError } from "../errors.ts";
import type { StoredSegment } from "../graph-state/coverage.ts";
import { decodeSegment, decodeSegmentHeader, type Segment } from "../graph-state/segment.ts";

/** In a key: what a sum of segments has that a segment has not. */
const SUM = "/sum";

type Stored = { bytes: number; sumBytes: number; readonly keys: Map<string, number> };

/** Which segments lie in the log, and what they weigh: what merging goes by. Nothing of them is kept but that. */
export class StoredSegments {
  readonly #byPartition = new Map<string, Stored>();

  put(key: string, bytes: number): void {
    this.delete(key);
    const stored = this.#of(key);
    stored.keys.set(key, bytes);
    if (isSum(key)) stored.sumBytes += bytes;
    else stored.bytes += bytes;
  }

  delete(key: string): void {
    const stored = this.#of(key);
    const bytes = stored.keys.get(key);
    if (bytes === undefined) return;
    stored.keys.delete(key);
    if (isSum(key)) stored.sumBytes -= bytes;
    else stored.bytes -= bytes;
  }

  clear(): void {
    this.#byPartition.clear();
  }

  /** Bytes of the segments that are no sums, of one partition or of all. */
  bytes(partition?: number): number {
    return this.#total(partition, ({ bytes }) => bytes);
  }

  /** Bytes of the sums. */
  sumBytes(partition?: number): number {
    return this.#total(partition, ({ sumBytes }) => sumBytes);
  }

  keys(partition?: number): string[] {
    return this.#chosen(partition).flatMap(({ keys }) => [...keys.keys()]);
  }

  #total(partition: number | undefined, weigh: (stored: Stored) => number): number {
    return this.#chosen(partition).reduce((sum, stored) => sum + weigh(stored), 0);
  }

  #chosen(partition: number | undefined): Stored[] {
    if (partition === undefined) return [...this.#byPartition.values()];
    const stored = this.#byPartition.get(partitionPrefix(partition));
    return stored === undefined ? [] : [stored];
  }

  #of(key: string): Stored {
    const prefix = key.slice(0, key.indexOf("/"));
    let stored = this.#byPartition.get(prefix);
    if (stored === undefined) {
      stored = { bytes: 0, sumBytes: 0, keys: new Map() };
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
  return `${partitionPrefix(partition)}/${String(first).padStart(16, "0")}`;
}

/** Group of a sum of all segments of a partition up to `next`; `id` tells it from another attempt at the same. */
export function sumGroup(partition: number, next: number, id: string): string {
  return `${partitionPrefix(partition)}${SUM}-${String(next).padStart(16, "0")}-${id}`;
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

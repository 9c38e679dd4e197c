import assert from "node:assert/strict";
import type { Config } from "../config/schema.ts";
import { chooseSegments, inOrderOfTime, type StoredSegment } from "../graph-state/coverage.ts";
import { Graph } from "../graph-state/graph.ts";
import type { OffsetRange, Segment } from "../graph-state/segment.ts";
import type { KeyedRecord, Log } from "../log/port.ts";
import { type Places, planMerge } from "./merge-plan.ts";
import { type Merging, piecesOf, toRecord } from "./segment-merging.ts";
import type { SharedGraph } from "./shared-graph.ts";
import { sumGroup, toSegment, toStored } from "./stored-segments.ts";

/** No merge is due for less, nor for less than such a share of what a partition has. */
const PARTITION_MERGE_BYTES_MIN = 4 * 1024 * 1024;
const MERGED_SHARE_MIN = 1 / 8;
/** Where much has piled up, because no merge came to its end, the next one must not take ever longer. */
const PARTITION_MERGE_BYTES_MAX = 16 * 1024 * 1024;
/**
 * Bytes of segments that are summed between two turns of the event loop: some thirty milliseconds. Where input has piled up a
 * turn is a long one, and a merge that took one for each segment would come to no end.
 */
const SLICE_BYTES_MIN = 512 * 1024;
/** What one commit takes along of a merge: most sums whole, as a partition that comes and goes has few commits. */
const PIECES_PER_COMMIT = 10;
const DELETIONS_PER_COMMIT = 500;

export type PartitionMergingOptions = {
  readonly state: Pick<SharedGraph, "stored" | "segmentBytesMax">;
  readonly log: Pick<Log, "readBack">;
  readonly config: Pick<Config, "links" | "window">;
  /** Lets other work have its turn. */
  readonly breathe: () => Promise<void>;
  /** A text that no other process, and no earlier call, gives. */
  readonly newId: () => string;
  readonly onFailed: (error: Error) => void;
  readonly bytesMin?: number;
  readonly bytesMax?: number;
  readonly sliceBytesMin?: number;
  readonly piecesPerCommit?: number;
};

/** A sum that is being made, and then written with the next commits. */
type Job = {
  readonly partition: number;
  /** False while the segments are read and summed. */
  isSummed: boolean;
  /** Pieces of the sum that are to be written yet. */
  readonly pieces: KeyedRecord[];
  /** Keys that nobody needs any more once the sum is whole. */
  obsolete: string[];
};

/**
 * Merges the segments of each partition into their sum, for a process that shares the input with others: whoever owns a
 * partition merges its segments.
 *
 * They are read back and summed beside the scoring, one partition at a time, and the sum is written piece by piece with the
 * commits that are due anyway. Until its last piece is there it does not count; after that it stands for the segments it
 * covers, whether they are deleted yet or not. So a process may be killed at any point of it.
 */
export class PartitionMerging implements Merging {
  readonly #options: PartitionMergingOptions;
  readonly #bytesMin: number;
  readonly #bytesMax: number;
  mergeCount = 0;
  #job: Job | undefined;
  /** Partitions that had a commit since they were taken on: one that goes before its first is not worth a merge. */
  readonly #hadCommit = new Set<number>();

  constructor(options: PartitionMergingOptions) {
    this.#options = options;
    this.#bytesMin = options.bytesMin ?? PARTITION_MERGE_BYTES_MIN;
    this.#bytesMax = options.bytesMax ?? PARTITION_MERGE_BYTES_MAX;
  }

  write(segments: readonly Segment[], partition: number): KeyedRecord[] {
    const { stored } = this.#options.state;
    const records = segments.map(toRecord);
    if (this.#job?.partition === partition) records.push(...this.#goOn(this.#job));
    for (const { key, value } of records) {
      if (value === null) stored.delete(key);
      else stored.put(key, value.length);
    }
    if (!this.#hadCommit.has(partition)) this.#hadCommit.add(partition);
    else if (this.#job === undefined && this.plan(stored.groupBytes(partition)) !== undefined)
      this.#begin(partition);
    return records;
  }

  /** Drops what is under way for a partition: it was lost, or its commit was. */
  forget(partition: number): void {
    this.#hadCommit.delete(partition);
    if (this.#job?.partition === partition) this.#job = undefined;
  }

  /** @param bytes of each group of segments of a partition, in the order of their offsets */
  plan(bytes: readonly number[]): Places | undefined {
    const total = bytes.reduce((sum, group) => sum + group, 0);
    const bytesMin = Math.max(this.#bytesMin, MERGED_SHARE_MIN * total);
    return planMerge(bytes, { bytesMin, bytesMax: this.#bytesMax });
  }

  #goOn(job: Job): KeyedRecord[] {
    const { isSummed, pieces, obsolete } = job;
    if (!isSummed) return [];
    if (pieces.length > 0) return pieces.splice(0, this.#options.piecesPerCommit ?? PIECES_PER_COMMIT);
    const deletions = obsolete.splice(0, DELETIONS_PER_COMMIT).map((key) => ({ key, value: null }));
    // Others that are due come first.
    if (obsolete.length === 0) this.forget(job.partition);
    return deletions;
  }

  #begin(partition: number): void {
    const job: Job = { partition, isSummed: false, pieces: [], obsolete: [] };
    this.#job = job;
    this.#sum(job).catch((error: unknown) => {
      if (this.#job === job) this.#job = undefined;
      this.#options.onFailed(error as Error);
    });
  }

  /** Gives up as soon as the job is forgotten. */
  async #sum(job: Job): Promise<void> {
    const { partition } = job;
    const { log } = this.#options;
    const stored: StoredSegment[] = [];
    for (const [key, bytes] of await log.readBack("graph-state", partition))
      stored.push(toStored(key, bytes));
    if (this.#job !== job) return;
    const { chosen, coverage, gap } = chooseSegments(stored);
    assert(
      coverage.ranges().every((range) => range.partition === partition),
      "read back segments of another partition",
    );
    // A topic that is compacted while it is read may show one: not for long.
    if (gap !== undefined) return this.forget(partition);
    const groups = groupsOf(chosen);
    const places = this.plan(groups.map(bytesOf)) ?? { from: 0, to: 0 };
    const parts = groups.slice(places.from, places.to);
    const merged = new Set(parts.flat());
    const needed = new Set(chosen.filter((segment) => !merged.has(segment)));
    // What the sum covers, and what attempts before it left unfinished, or merged and did not delete. Reading may have ended
    // within a transaction: a group of which pieces are missing is needed all the same if it reaches further than the rest.
    const end = coverage.nextOf(partition) ?? 0;
    job.obsolete = stored
      .filter((segment) => !needed.has(segment) && rangeOf(segment).next <= end)
      .map(({ key }) => key);
    if (parts.length > 0) await this.#addPieces(job, parts);
    job.isSummed = true;
    this.mergeCount++;
  }

  /** Sums some groups of segments, one next to the other, and encodes the sum: what a commit takes along costs it little. */
  async #addPieces(job: Job, groups: readonly StoredSegment[][]): Promise<void> {
    const { state, config, breathe, newId, sliceBytesMin = SLICE_BYTES_MIN } = this.#options;
    const graph = new Graph({ links: config.links, window: config.window });
    let sliceBytes = 0;
    const mayGoOn = async (bytes: number): Promise<boolean> => {
      sliceBytes += bytes;
      if (sliceBytes < sliceBytesMin) return true;
      sliceBytes = 0;
      await breathe();
      return this.#job === job;
    };
    for (const segment of inOrderOfTime(groups.flat())) {
      graph.addPart(toSegment(segment));
      if (!(await mayGoOn(segment.bytes.length))) return;
    }
    const { partition } = job;
    const { first, historyStart } = rangeOf(groups[0]![0]!);
    const { next } = rangeOf(groups.at(-1)![0]!);
    const range = { partition, historyStart, first, next };
    for (const piece of piecesOf(
      graph,
      sumGroup(partition, first, next, newId()),
      [range],
      state.segmentBytesMax,
    )) {
      const record = toRecord(piece);
      job.pieces.push(record);
      if (!(await mayGoOn(record.value!.length))) return;
    }
  }
}

/** Segments of one partition by group, in the order of their offsets. */
function groupsOf(segments: readonly StoredSegment[]): StoredSegment[][] {
  const groups = Map.groupBy(segments, ({ header }) => header.group);
  return [...groups.values()].sort((a, b) => rangeOf(a[0]!).first - rangeOf(b[0]!).first);
}

function bytesOf(segments: readonly StoredSegment[]): number {
  return segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** What a segment of one partition covers. */
function rangeOf({ header }: StoredSegment): OffsetRange {
  return header.ranges[0]!;
}

import assert from "node:assert/strict";
import type { Config } from "../config/schema.ts";
import { chooseSegments, type StoredSegment } from "../graph-state/coverage.ts";
import { Graph } from "../graph-state/graph.ts";
import type { Segment } from "../graph-state/segment.ts";
import type { KeyedRecord, Log } from "../log/port.ts";
import { type Merging, piecesOf, toRecord } from "./segment-merging.ts";
import type { SharedGraph } from "./shared-graph.ts";
import { isSum, sumGroup, toSegment, toStored } from "./stored-segments.ts";

/** Segments of a partition are merged once they weigh this many times what their sum does, and no sooner than at this size. */
const MERGE_RATIO = 2;
export const PARTITION_MERGE_BYTES_MIN = 4 * 1024 * 1024;
/**
 * A merge takes so many times that size of segments, or as many times their sum as above if that is more: where much has piled
 * up, because none came to its end, the next one must not take ever longer.
 */
const MERGED_AT_ONCE = 8;
/** What one commit takes along of a merge: it must stay a short one. */
const PIECES_PER_COMMIT = 4;
const DELETIONS_PER_COMMIT = 500;
/** Of a partition since it was taken on, or merged: one that comes and goes would be gone before its sum was written. */
const COMMITS_BEFORE = 10;

export type PartitionMergingOptions = {
  readonly state: Pick<SharedGraph, "stored">;
  readonly log: Pick<Log, "readBack">;
  readonly config: Pick<Config, "links" | "window">;
  /** Lets other work have its turn. */
  readonly breathe: () => Promise<void>;
  /** A text that no other process, and no earlier call, gives. */
  readonly newId: () => string;
  readonly onFailed: (error: Error) => void;
  readonly bytesMin?: number;
};

/** A sum that is being written, a few pieces with each commit. */
type Job = {
  readonly partition: number;
  /** Undefined while the segments are read and summed. */
  pieces: Iterator<Segment> | undefined;
  /** Keys that the sum stands for, to be deleted once it is whole. */
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
  #job: Job | undefined;
  /** Of each partition since it was taken on or merged, as far as it matters. */
  readonly #commits = new Map<number, number>();

  constructor(options: PartitionMergingOptions) {
    this.#options = options;
    this.#bytesMin = options.bytesMin ?? PARTITION_MERGE_BYTES_MIN;
  }

  write(segments: readonly Segment[], partition: number): KeyedRecord[] {
    const { stored } = this.#options.state;
    const records = segments.map(toRecord);
    if (this.#job?.partition === partition) records.push(...this.#goOn(this.#job));
    for (const { key, value } of records) {
      if (value === null) stored.delete(key);
      else stored.put(key, value.length);
    }
    const isDue =
      stored.bytes(partition) >= Math.max(this.#bytesMin, MERGE_RATIO * stored.sumBytes(partition));
    const commits = this.#commits.get(partition) ?? 0;
    if (commits < COMMITS_BEFORE) this.#commits.set(partition, commits + 1);
    else if (isDue && this.#job === undefined) this.#begin(partition);
    return records;
  }

  /** Drops what is under way for a partition: it was lost, or its commit was. */
  forget(partition: number): void {
    this.#commits.delete(partition);
    if (this.#job?.partition === partition) this.#job = undefined;
  }

  #goOn({ partition, pieces, obsolete }: Job): KeyedRecord[] {
    const records: KeyedRecord[] = [];
    while (pieces !== undefined && records.length < PIECES_PER_COMMIT) {
      const { value, done } = pieces.next();
      if (done === true) {
        records.push(...obsolete.splice(0, DELETIONS_PER_COMMIT).map((key) => ({ key, value: null })));
        // Others that are due come first.
        if (obsolete.length === 0) this.forget(partition);
        break;
      }
      records.push(toRecord(value));
    }
    return records;
  }

  #begin(partition: number): void {
    const job: Job = { partition, pieces: undefined, obsolete: [] };
    this.#job = job;
    this.#sum(job).catch((error: unknown) => {
      if (this.#job === job) this.#job = undefined;
      this.#options.onFailed(error as Error);
    });
  }

  /** Gives up as soon as the job is forgotten. */
  async #sum(job: Job): Promise<void> {
    const { partition } = job;
    const { state, log, config, breathe, newId } = this.#options;
    const stored: StoredSegment[] = [];
    for (const [key, bytes] of await log.readBack("graph-state", partition))
      stored.push(toStored(key, bytes));
    if (this.#job !== job) return;
    const { chosen, coverage } = chooseSegments(stored);
    const [range, ...others] = coverage.ranges();
    if (range === undefined) {
      this.#job = undefined;
      return;
    }
    assert(range.partition === partition && others.length === 0, "read back segments of another partition");
    const bytesMax = Math.max(
      MERGED_AT_ONCE * this.#bytesMin,
      MERGE_RATIO * state.stored.sumBytes(partition),
    );
    const first = firstOf(chosen, bytesMax);
    const next = Math.max(...first.map(nextOf));
    const graph = new Graph({ links: config.links, window: config.window });
    for (const segment of first) {
      graph.addPart(toSegment(segment));
      await breathe();
      if (this.#job !== job) return;
    }
    // What the sum covers, and what attempts before it left unfinished, if they were to reach no further.
    job.obsolete = stored.filter((segment) => nextOf(segment) <= next).map(({ key }) => key);
    job.pieces = piecesOf(graph, sumGroup(partition, next, newId()), [{ ...range, next }]);
  }
}

/** Of segments of one partition the first ones, whole groups of them, of about so many bytes beside their sum; in the same order. */
function firstOf(segments: readonly StoredSegment[], bytesMax: number): readonly StoredSegment[] {
  let bytes = 0;
  let next = Number.NEGATIVE_INFINITY;
  for (const segment of segments.toSorted((a, b) => nextOf(a) - nextOf(b))) {
    if (bytes >= bytesMax && nextOf(segment) > next) break;
    next = nextOf(segment);
    if (!isSum(segment.key)) bytes += segment.bytes.length;
  }
  return segments.filter((segment) => nextOf(segment) <= next);
}

/** Where what a segment of one partition covers ends. */
function nextOf({ header }: StoredSegment): number {
  return header.ranges[0]!.next;
}

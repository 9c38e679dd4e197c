import type { Graph } from "../graph-state/graph.ts";
import { encodeSegment, type OffsetRange, type Segment } from "../graph-state/segment.ts";
import type { KeyedRecord } from "../log/port.ts";
import type { SharedGraph } from "./shared-graph.ts";
import { WHOLE_SUM_GROUP } from "./stored-segments.ts";

/** Segments are merged once they weigh this many times what their sum does, and no sooner than at this size. */
const MERGE_RATIO = 4;
export const MERGE_BYTES_MIN = 4 * 1024 * 1024;

/** Decides what a commit writes of new segments, and when several become one. */
export type Merging = {
  /** How often segments were merged into their sum. */
  readonly mergeCount: number;
  /**
   * What to write for new segments of a partition, the last of which brings the graph up to date. To be read once, to its
   * end, before anything is added to the graph.
   */
  write(segments: readonly Segment[], partition: number): Iterable<KeyedRecord>;
  /** The partition is given up, or its last commit was lost. */
  forget(partition: number): void;
};

/**
 * Keeps restart cheap however long the history: now and then all segments become one, their sum, and are deleted. For a
 * process that owns all of the input.
 *
 * The sum is what the running graph holds, so nothing is read back, and links that are older than the window but still
 * alive keep their whole past. Each byte of segments costs about a quarter of a byte of sums.
 */
export class WholeMerging implements Merging {
  readonly #state: SharedGraph;
  readonly #bytesMin: number;
  mergeCount = 0;

  constructor(state: SharedGraph, bytesMin = MERGE_BYTES_MIN) {
    this.#state = state;
    this.#bytesMin = bytesMin;
  }

  /** The segments themselves, or the sum of all. */
  write(segments: readonly Segment[]): Iterable<KeyedRecord> {
    const { stored } = this.#state;
    const records = segments.map(toRecord);
    const bytes = stored.bytes + records.reduce((sum, { value }) => sum + value!.length, 0);
    if (bytes >= Math.max(this.#bytesMin, MERGE_RATIO * stored.sumBytes)) return this.#writeSum();
    for (const { key, value } of records) stored.put(key, value!.length);
    return records;
  }

  forget(): void {}

  *#writeSum(): Generator<KeyedRecord> {
    const { stored, coverage, scoring, segmentBytesMax } = this.#state;
    this.mergeCount++;
    for (const key of stored.keys()) yield { key, value: null };
    stored.clear();
    for (const piece of piecesOf(scoring.graph, WHOLE_SUM_GROUP, coverage.ranges(), segmentBytesMax)) {
      const record = toRecord(piece);
      stored.put(record.key, record.value!.length);
      yield record;
    }
  }
}

/** All of a graph as the segments of one group, of about `bytesMax` each, which sum up the given ranges. */
export function* piecesOf(
  graph: Graph,
  group: string,
  ranges: readonly OffsetRange[],
  bytesMax: number,
): Generator<Segment> {
  const parts = graph.toParts(bytesMax);
  let next = parts.next();
  for (let piece = 0; next.done !== true; piece++) {
    const part = next.value;
    next = parts.next();
    yield { group, piece, isLast: next.done === true, ranges, ...part };
  }
}

/** A segment as a keyed record; the pieces of one group have keys of their own. */
export function toRecord(segment: Segment): KeyedRecord {
  const { group, piece } = segment;
  return { key: `${group}/${String(piece).padStart(6, "0")}`, value: encodeSegment(segment) };
}

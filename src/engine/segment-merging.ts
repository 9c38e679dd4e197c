import type { Graph } from "../graph-state/graph.ts";
import { encodeSegment, type Segment } from "../graph-state/segment.ts";
import type { KeyedRecord } from "../log/port.ts";

/** Keys of the segments that are together the sum of all before the others. */
const SUM_KEY = "sum/";
/** Links in one of them, so that neither a record nor what is held to write it grows with the graph. */
const SUM_LINKS_MAX = 20_000;

/** Segments are merged once they weigh this many times what their sum does, and no sooner than at this size. */
const MERGE_RATIO = 4;
export const MERGE_BYTES_MIN = 4 * 1024 * 1024;

/**
 * Keeps restart cheap however long the history: now and then all segments become one, their sum, and are deleted.
 *
 * The sum is what the running graph holds, so nothing is read back, and links that are older than the window but still
 * alive keep their whole past. Each byte of segments costs about a quarter of a byte of sums.
 */
export class SegmentMerging {
  readonly #graph: Graph;
  readonly #bytesMin: number;
  /** Keys in the log, and their bytes. */
  #sum = new Map<string, number>();
  #segments = new Map<string, number>();

  constructor(graph: Graph, bytesMin = MERGE_BYTES_MIN) {
    this.#graph = graph;
    this.#bytesMin = bytesMin;
  }

  /** Notes a segment that is in the log already. */
  restored(key: string, bytes: number): void {
    (key.startsWith(SUM_KEY) ? this.#sum : this.#segments).set(key, bytes);
  }

  /**
   * What to write for new segments, the last of which brings the graph up to date: themselves, or the sum of all. To be
   * read once, to its end, before anything is added to the graph.
   */
  write(segments: readonly Segment[]): Iterable<KeyedRecord> {
    const records = segments.map((segment) => ({ key: segmentKey(segment), value: encodeSegment(segment) }));
    const bytes = total(this.#segments) + records.reduce((sum, { value }) => sum + value.length, 0);
    if (bytes >= Math.max(this.#bytesMin, MERGE_RATIO * total(this.#sum))) return this.#writeSum();
    for (const { key, value } of records) this.#segments.set(key, value.length);
    return records;
  }

  *#writeSum(): Generator<KeyedRecord> {
    for (const key of [...this.#sum.keys(), ...this.#segments.keys()]) yield { key, value: null };
    this.#sum.clear();
    this.#segments.clear();
    for (const segment of this.#graph.toSegments(SUM_LINKS_MAX)) {
      const key = `${SUM_KEY}${String(this.#sum.size).padStart(8, "0")}`;
      const value = encodeSegment(segment);
      this.#sum.set(key, value.length);
      yield { key, value };
    }
  }
}

function total(bytesByKey: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const bytes of bytesByKey.values()) sum += bytes;
  return sum;
}

/** Sorts by partition and offset. */
function segmentKey({ partition, firstOffset }: Segment): string {
  return `${String(partition).padStart(6, "0")}/${String(firstOffset).padStart(16, "0")}`;
}

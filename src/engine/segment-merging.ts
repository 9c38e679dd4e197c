import type { Graph } from "../graph-state/graph.ts";
import { encodeSegment, type Segment } from "../graph-state/segment.ts";
import type { KeyedRecord } from "../log/port.ts";

/** Key of the segment that is the sum of all before the others; it sorts before every partition. */
export const BASE_KEY = "base";

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
  #keys: string[] = [];
  #bytes = 0;
  #baseBytes = 0;

  constructor(graph: Graph, bytesMin = MERGE_BYTES_MIN) {
    this.#graph = graph;
    this.#bytesMin = bytesMin;
  }

  /** Notes a segment that is in the log already. */
  restored(key: string, bytes: number): void {
    if (key === BASE_KEY) {
      this.#baseBytes = bytes;
      return;
    }
    this.#keys.push(key);
    this.#bytes += bytes;
  }

  /** What to write for new segments, the last of which brings the graph up to date: themselves, or the sum of all. */
  write(segments: readonly Segment[]): KeyedRecord[] {
    const records = segments.map((segment) => ({ key: segmentKey(segment), value: encodeSegment(segment) }));
    const bytes = this.#bytes + records.reduce((sum, { value }) => sum + value.length, 0);
    if (bytes < Math.max(this.#bytesMin, MERGE_RATIO * this.#baseBytes)) {
      for (const { key, value } of records) this.restored(key, value.length);
      return records;
    }
    const base = encodeSegment(this.#graph.toSegment());
    const deleted = this.#keys.map((key) => ({ key, value: null }));
    this.#keys = [];
    this.#bytes = 0;
    this.#baseBytes = base.length;
    return [{ key: BASE_KEY, value: base }, ...deleted];
  }
}

/** Zero-padded, so that keys sort as offsets do. */
function segmentKey(segment: Segment): string {
  return `${segment.partition}/${String(segment.firstOffset).padStart(16, "0")}`;
}

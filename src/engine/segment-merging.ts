import type { Buffer } from "node:buffer";
import { Graph, type GraphOptions } from "../graph-state/graph.ts";
import { decodeSegment, encodeSegment, type Segment } from "../graph-state/segment.ts";
import type { KeyedRecord } from "../log/port.ts";

/** So many segments of one level become one of the next: each login is rewritten once a level. */
const FAN_IN = 16;

type Entry = {
  readonly key: string;
  readonly partition: number;
  readonly step: number;
  readonly watermarkMs: number;
  readonly level: number;
};

/**
 * Keeps the number of stored segments small, like the levels of a log-structured merge tree, and deletes those that nothing
 * needs any more. Only segments of one partition and one step of the window are merged: across a step the order of
 * expiry would be lost.
 *
 * At most 15 segments a level and step stay: a window of a billion logins restores from a few hundred.
 */
export class SegmentMerging {
  readonly #graphOptions: GraphOptions;
  readonly #stepOf: (timeMs: number) => number;
  readonly #retainMs: number;
  readonly #load: (key: string) => Promise<Uint8Array | undefined>;
  #entries: Entry[] = [];

  /** @param options.retainMs event time after which no segment is needed: the window, or a longer calibration period */
  constructor(options: {
    readonly graph: GraphOptions;
    readonly stepOf: (timeMs: number) => number;
    readonly retainMs: number;
    readonly load: (key: string) => Promise<Uint8Array | undefined>;
  }) {
    this.#graphOptions = options.graph;
    this.#stepOf = options.stepOf;
    this.#retainMs = options.retainMs;
    this.#load = options.load;
  }

  get segmentCount(): number {
    return this.#entries.length;
  }

  /** Notes a segment that is in the log already. */
  restored(key: string, segment: Segment): void {
    this.#entries.push(this.#entryOf(key, segment, 0));
  }

  /** What to write for new segments: the segments themselves, or what they were merged into, and deletions. */
  async write(segments: readonly Segment[]): Promise<KeyedRecord[]> {
    const pending = new Map<string, Buffer | null>();
    for (const segment of segments) {
      const key = segmentKey(segment);
      pending.set(key, encodeSegment(segment));
      const entry = this.#entryOf(key, segment, 0);
      this.#entries.push(entry);
      await this.#mergeLevels(entry, pending);
      this.#dropBefore(segment.watermarkMs - this.#retainMs, pending);
    }
    return [...pending].map(([key, value]) => ({ key, value }));
  }

  async #mergeLevels(newest: Entry, pending: Map<string, Buffer | null>): Promise<void> {
    let entry = newest;
    for (;;) {
      const peers = this.#entries.filter(
        (other) =>
          other.partition === entry.partition && other.step === entry.step && other.level === entry.level,
      );
      if (peers.length < FAN_IN) return;
      const sum = new Graph(this.#graphOptions);
      let first: Segment | undefined;
      let last: Segment | undefined;
      for (const { key } of peers) {
        const bytes = pending.get(key) ?? (await this.#load(key));
        const segment = decodeSegment(bytes!);
        first ??= segment;
        last = segment;
        sum.addSegment(segment, true);
        pending.set(key, null);
      }
      const merged = sum.takeSegment(entry.partition, first!.firstOffset, last!.lastOffset);
      const key = segmentKey(merged);
      pending.set(key, encodeSegment(merged));
      const gone = new Set(peers);
      entry = this.#entryOf(key, merged, entry.level + 1);
      this.#entries = [...this.#entries.filter((other) => !gone.has(other)), entry];
    }
  }

  #dropBefore(edgeMs: number, pending: Map<string, Buffer | null>): void {
    if (this.#entries.every((entry) => entry.watermarkMs >= edgeMs)) return;
    for (const entry of this.#entries) if (entry.watermarkMs < edgeMs) pending.set(entry.key, null);
    this.#entries = this.#entries.filter((entry) => entry.watermarkMs >= edgeMs);
  }

  #entryOf(key: string, { partition, watermarkMs }: Segment, level: number): Entry {
    return { key, partition, step: this.#stepOf(watermarkMs), watermarkMs, level };
  }
}

/** Zero-padded, so that keys sort as offsets do. */
function segmentKey(segment: Segment): string {
  return `${segment.partition}/${String(segment.firstOffset).padStart(16, "0")}`;
}

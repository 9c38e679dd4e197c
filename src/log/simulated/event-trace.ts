/** What happened last is kept for people; all of it is in the hash. */
const EVENTS_KEPT = 2048;
/** Kinds and subjects are names of requests, partitions and processes: few. */
const HASHES_CACHED_MAX = 100_000;

export type TracedEvent = {
  readonly timeMs: number;
  readonly kind: string;
  readonly subject: string;
  readonly value: number;
};

/** Everything that happens in a cluster, as a hash: two runs of one seed are the same if their hashes are. */
export class EventTrace {
  readonly #clock: () => number;
  readonly #recent: TracedEvent[] = [];
  readonly #hashes = new Map<string, number>();
  #count = 0;
  #low = 0x811c9dc5;
  #high = 0x01000193;

  /** @param clock milliseconds since the epoch */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  note(kind: string, subject: string, value: number): void {
    const timeMs = this.#clock();
    this.#mix(this.#hashOf(kind));
    this.#mix(this.#hashOf(subject));
    this.#mix(value | 0);
    this.#mix(Math.trunc(timeMs / 4096) | 0);
    this.#mix(((timeMs % 4096) * 0x8_0000) | 0);
    this.#recent[this.#count++ % EVENTS_KEPT] = { timeMs, kind, subject, value };
  }

  /** Events noted so far. */
  get count(): number {
    return this.#count;
  }

  /** 16 hexadecimal digits over all events so far. */
  get hash(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** The last events, oldest first, one a line, times in milliseconds since the first of them. */
  describe(): string {
    const start = this.#count > EVENTS_KEPT ? this.#count % EVENTS_KEPT : 0;
    const events = [...this.#recent.slice(start), ...this.#recent.slice(0, start)];
    return events
      .map(({ timeMs, kind, subject, value }) => {
        const sinceMs = (timeMs - events[0]!.timeMs).toFixed(3).padStart(12);
        return `${sinceMs} ${kind.padEnd(20)} ${subject} ${value}`;
      })
      .join("\n");
  }

  #hashOf(text: string): number {
    let hash = this.#hashes.get(text);
    if (hash !== undefined) return hash;
    hash = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    if (this.#hashes.size < HASHES_CACHED_MAX) this.#hashes.set(text, hash);
    return hash;
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#low ^= this.#low >>> 15;
    this.#high = Math.imul(this.#high ^ this.#low, 0x85ebca6b);
    this.#high ^= this.#high >>> 13;
  }
}

import type { ConsumedRecord } from "./client.ts";

/** What a record costs in memory besides its bytes, about. */
const RECORD_OVERHEAD_BYTES = 200;
/** Of what may wait: a quarter of a second's logins or so by default. */
const BEHIND_SHARE = 0.25;

/**
 * Records of one partition that were fetched and not processed yet. Bounded by asking for a pause, which one more fetch may
 * follow. Reading is to be paused when it is made, and resumed by it once it is open.
 */
export class PartitionQueue {
  readonly #bytesMax: number;
  readonly #onFull: () => void;
  readonly #onDrained: () => void;
  #records: ConsumedRecord[] = [];
  #bytes = 0;
  /** At first too: what is fetched before it is known where to begin would be fetched, and decoded, for nothing. */
  #isPaused = true;
  #isOpen = false;
  #isHeld = false;
  #isEnded = false;
  #expected = 0;
  /** When the log got the first record that was handed out and is not settled. */
  #unsettledMs: number | undefined;
  #waiting: (() => void) | undefined;

  constructor(options: {
    /** Bytes at which `onFull` is called; below half of them, `onDrained` is. */
    readonly bytesMax: number;
    readonly onFull: () => void;
    readonly onDrained: () => void;
  }) {
    this.#bytesMax = options.bytesMax;
    this.#onFull = options.onFull;
    this.#onDrained = options.onDrained;
  }

  /** True while a good part of what may wait does: reading is ahead of what is done with it. */
  get isBehind(): boolean {
    return this.#bytes >= this.#bytesMax * BEHIND_SHARE;
  }

  /** True while reading waits until less of what was fetched waits. */
  get isFull(): boolean {
    return this.#isOpen && this.#isPaused;
  }

  get isEmpty(): boolean {
    return this.#records.length === 0;
  }

  /** When the log got the first record that waits, or is not settled, milliseconds since the epoch; undefined if there is none. */
  get oldestMs(): number | undefined {
    return this.#unsettledMs ?? this.#records[0]?.timestampMs;
  }

  /** What was handed out is done with. */
  settled(): void {
    this.#unsettledMs = undefined;
  }

  /** Offset from which on nothing was handed out. */
  get next(): number {
    return this.#expected;
  }

  /** Hands records out from this offset on, from where reading begins anew: what came before is from elsewhere. */
  open(offset: number): void {
    this.#expected = offset;
    this.#records = [];
    this.#bytes = 0;
    this.#isOpen = true;
    this.#resumeIfDrained();
    this.#wake();
  }

  /**
   * While the group is rebalanced nothing is handed out, for the partition may be taken; and nothing is accepted, for reading
   * begins anew where the group committed, and what still comes is from before.
   */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#wake();
  }

  /** Ends it: nothing more is handed out. */
  end(): void {
    this.#isEnded = true;
    this.#records = [];
    this.#bytes = 0;
    // Whoever gets the partition next finds it as it was.
    this.#resumeIfDrained();
    this.#wake();
  }

  /** Records that are there already, or were handed out, are dropped: after a rebalance some come again. */
  push(records: readonly ConsumedRecord[]): void {
    if (this.#isEnded || !this.#isOpen || this.#isHeld) return;
    const after = this.#records.at(-1)?.offset ?? this.#expected - 1;
    for (const record of records) {
      if (record.offset <= after) continue;
      this.#records.push(record);
      this.#bytes += bytesOf(record);
    }
    if (!this.#isPaused && this.#bytes >= this.#bytesMax) {
      this.#isPaused = true;
      this.#onFull();
    }
    this.#wake();
  }

  /**
   * The next records, at most so many; waits for the first, and lets them gather until `gathered` resolves unless so many, or as
   * many as may wait, are there before. Undefined at the end.
   */
  async take(countMax: number, gathered?: Promise<void>): Promise<readonly ConsumedRecord[] | undefined> {
    let countMin = gathered === undefined ? 1 : countMax;
    void gathered?.then(() => {
      countMin = 1;
      this.#wake();
    });
    const isTooFew = (): boolean => this.#records.length < (this.#isPaused ? 1 : countMin);
    while (!this.#isEnded && (this.#isHeld || !this.#isOpen || isTooFew())) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting = resolve;
      await promise;
    }
    if (this.#isEnded) return undefined;
    const taken = this.#records.splice(0, countMax);
    for (const record of taken) this.#bytes -= bytesOf(record);
    this.#expected = taken.at(-1)!.offset + 1;
    this.#unsettledMs ??= taken[0]!.timestampMs;
    this.#resumeIfDrained();
    return taken;
  }

  #resumeIfDrained(): void {
    if (!this.#isPaused || this.#bytes >= this.#bytesMax / 2) return;
    this.#isPaused = false;
    this.#onDrained();
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }
}

function bytesOf({ key, value }: ConsumedRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES;
}

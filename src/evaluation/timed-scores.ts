/** Scores with their times. */
export class TimedScores {
  readonly score = new NumberColumn();
  readonly timeMs = new NumberColumn();

  get length(): number {
    return this.score.length;
  }

  push(score: number, timeMs: number): void {
    this.score.push(score);
    this.timeMs.push(timeMs);
  }

  /** Keeps the lower score, and of equal ones the earlier. */
  lower(i: number, score: number, timeMs: number): void {
    const held = this.score.get(i);
    if (score > held || (score === held && timeMs >= this.timeMs.get(i))) return;
    this.score.set(i, score);
    this.timeMs.set(i, timeMs);
  }
}

const CHUNK_BITS = 16;
const CHUNK_LENGTH = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_LENGTH - 1;

/** A column of numbers that grows by chunks of 64 Ki (0.5 MB), so growing never copies and wastes at most one chunk. */
export class NumberColumn {
  readonly #chunks: Float64Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    const offset = this.#length & CHUNK_MASK;
    if (offset === 0) this.#chunks.push(new Float64Array(CHUNK_LENGTH));
    this.#chunks[this.#length >>> CHUNK_BITS][offset] = value;
    this.#length++;
  }

  get(i: number): number {
    return this.#chunks[i >>> CHUNK_BITS][i & CHUNK_MASK];
  }

  set(i: number, value: number): void {
    this.#chunks[i >>> CHUNK_BITS][i & CHUNK_MASK] = value;
  }

  /** A copy in one piece. */
  toArray(): Float64Array {
    const array = new Float64Array(this.#length);
    for (let c = 0; c < this.#chunks.length; c++) {
      const start = c * CHUNK_LENGTH;
      array.set(this.#chunks[c].subarray(0, Math.min(CHUNK_LENGTH, this.#length - start)), start);
    }
    return array;
  }
}

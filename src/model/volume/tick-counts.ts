import assert from "node:assert/strict";
import { finish, mix } from "../../graph-state/hash.ts";

const ROWS_MAX = 16;
const COLUMNS_MAX = 1 << 24;
/** Counts that faded below this are none: ever smaller numbers are ever slower to multiply. */
const NEGLIGIBLE = 1e-9;

/**
 * Count-min sketches of one kind of key (edges, or one end of them): how often each key came in the current tick, how
 * often in all ticks before, and how odd it was last. A key's count is never too low; it is too high by what its least
 * loaded cell shares with others.
 *
 *   current, total, score: f64[rows * columns]      24 B a cell: 48 kB at 2 x 1,024, however many keys come
 *
 * A key costs `rows` hashes; nothing is allocated. A new tick walks all cells.
 *
 * @see Cormode and Muthukrishnan, "An Improved Data Stream Summary: The Count-Min Sketch and its Applications", 2005
 */
export class TickCounts {
  readonly #rows: number;
  readonly #columns: number;
  readonly #seed: number;
  readonly #current: Float64Array;
  readonly #total: Float64Array;
  readonly #score: Float64Array;
  /** Cells of the key looked up last, one a row. */
  readonly #cells: Int32Array;

  /** @param seed chooses the hash functions; different ones for different kinds of key */
  constructor(seed: number, rows: number, columns: number) {
    assert(Number.isInteger(rows) && rows >= 1 && rows <= ROWS_MAX, `no sketch has ${rows} rows`);
    assert(
      Number.isInteger(columns) && columns >= 1 && columns <= COLUMNS_MAX,
      `no sketch has ${columns} columns`,
    );
    this.#seed = seed;
    this.#rows = rows;
    this.#columns = columns;
    this.#current = new Float64Array(rows * columns);
    this.#total = new Float64Array(rows * columns);
    this.#score = new Float64Array(rows * columns);
    this.#cells = new Int32Array(rows);
  }

  get bytes(): number {
    return this.#current.byteLength + this.#total.byteLength + this.#score.byteLength;
  }

  /** Makes a key of two 32-bit numbers the one that the other methods are about. */
  find(a: number, b: number): void {
    for (let row = 0; row < this.#rows; row++) {
      const hash = finish(mix(mix(mix(row, this.#seed), a), b)) >>> 0;
      this.#cells[row] = row * this.#columns + (hash % this.#columns);
    }
  }

  addCurrent(): void {
    for (let row = 0; row < this.#rows; row++) this.#current[this.#cells[row]!]!++;
  }

  addTotal(): void {
    for (let row = 0; row < this.#rows; row++) this.#total[this.#cells[row]!]!++;
  }

  current(): number {
    return this.#least(this.#current);
  }

  total(): number {
    return this.#least(this.#total);
  }

  setScore(score: number): void {
    for (let row = 0; row < this.#rows; row++) this.#score[this.#cells[row]!] = score;
  }

  /** Keeps the share `decay` of the current counts. */
  fade(decay: number): void {
    const current = this.#current;
    for (let cell = 0; cell < current.length; cell++) {
      const kept = current[cell]! * decay;
      current[cell] = kept < NEGLIGIBLE ? 0 : kept;
    }
  }

  /**
   * Adds the current counts to the totals where the last score was below `mergeBelow`. Elsewhere the total grows by its
   * own mean over the `ticks` ticks it stands for, as if the tick had been like those before.
   */
  mergeBelow(mergeBelow: number, ticks: number): void {
    const total = this.#total;
    for (let cell = 0; cell < total.length; cell++) {
      if (this.#score[cell]! < mergeBelow) total[cell]! += this.#current[cell]!;
      else if (ticks > 0) total[cell]! += total[cell]! / ticks;
    }
  }

  #least(counts: Float64Array): number {
    let least = Number.POSITIVE_INFINITY;
    for (let row = 0; row < this.#rows; row++) least = Math.min(least, counts[this.#cells[row]!]!);
    return least;
  }
}

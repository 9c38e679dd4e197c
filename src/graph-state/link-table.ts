import assert from "node:assert/strict";
import { finish, mix } from "./hash.ts";
import { grown } from "./interner.ts";
import { Statistics } from "./statistics.ts";

/** Row of a link in the table; reused after the link was removed. */
export type LinkRow = number;

export const NO_ROW = -1;
const LOAD_MAX = 0.6;
const KEY_SEED = 0x11c;
/** A table begins small: graphs of a few links are made all the time, to merge segments. */
const ROWS_AT_FIRST = 128;

/**
 * Open-addressing table from (kind, relation, from, to) to a row of link statistics.
 *
 *   index   [row:i32]                                     4 B at load 0.3 to 0.6
 *   keys    from:i32 to:i32 kind and relation:i32        12 B
 *   rows    Statistics                                   48 B
 *   chains  next and previous link of either end         16 B      the adjacency lists of nodes
 *   wheel   next row to be looked at for expiry           4 B
 *   dirty   place in the segment being written            4 B
 *
 * One million links cost about 95 MB. A look-up is one or two cache misses in the index and one in the keys. Rows grow by
 * doubling, column by column; untouched pages of a new column cost nothing until used.
 *
 * Relation 0 is the pair itself, whatever the relation; a typed link has a row of its own beside the row of its pair.
 */
export class LinkTable {
  #index = new Int32Array(2 * ROWS_AT_FIRST).fill(NO_ROW);
  from = new Int32Array(ROWS_AT_FIRST);
  to = new Int32Array(ROWS_AT_FIRST);
  kindAndRelation = new Int32Array(ROWS_AT_FIRST);
  readonly statistics = new Statistics(ROWS_AT_FIRST);
  nextOfFrom = new Int32Array(ROWS_AT_FIRST);
  previousOfFrom = new Int32Array(ROWS_AT_FIRST);
  nextOfTo = new Int32Array(ROWS_AT_FIRST);
  previousOfTo = new Int32Array(ROWS_AT_FIRST);
  nextInWheel = new Int32Array(ROWS_AT_FIRST);
  dirty = new Int32Array(ROWS_AT_FIRST);
  #free: LinkRow[] = [];
  #rowCount = 0;
  #size = 0;

  /** Number of rows in use, pairs and typed links together. */
  get size(): number {
    return this.#size;
  }

  /** One more than the highest row ever used; rows below it may be free (`isUsed`). */
  get rowCount(): number {
    return this.#rowCount;
  }

  kindOf(row: LinkRow): number {
    return this.kindAndRelation[row]! >>> 16;
  }

  /** 0 for the pair, else one more than the relation's id. */
  relationOf(row: LinkRow): number {
    return this.kindAndRelation[row]! & 0xffff;
  }

  isUsed(row: LinkRow): boolean {
    return this.kindAndRelation[row] !== NO_ROW;
  }

  find(kind: number, relation: number, from: number, to: number): LinkRow {
    return this.#index[this.#probe((kind << 16) | relation, from, to)]!;
  }

  /** The row of a link, which is added with empty statistics and no neighbours if it is not in the table: see `size`. */
  findOrAdd(kind: number, relation: number, from: number, to: number): LinkRow {
    const key = (kind << 16) | relation;
    const position = this.#probe(key, from, to);
    const found = this.#index[position]!;
    if (found !== NO_ROW) return found;
    const row = this.#free.pop() ?? this.#rowCount++;
    if (row >= this.from.length) this.#growRows();
    this.from[row] = from;
    this.to[row] = to;
    this.kindAndRelation[row] = key;
    this.statistics.clear(row);
    this.dirty[row] = NO_ROW;
    this.#index[position] = row;
    this.#size++;
    if (this.#size > this.#index.length * LOAD_MAX) this.#growIndex();
    return row;
  }

  remove(row: LinkRow): void {
    const mask = this.#index.length - 1;
    let hole = this.#probe(this.kindAndRelation[row]!, this.from[row]!, this.to[row]!);
    assert(this.#index[hole] === row, "removed a link that is not there");
    // Backward shift: move later entries of the run into the hole, so that no tombstones are needed.
    let next = (hole + 1) & mask;
    while (this.#index[next] !== NO_ROW) {
      const home = this.#hashOf(this.#index[next]!) & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        this.#index[hole] = this.#index[next]!;
        hole = next;
      }
      next = (next + 1) & mask;
    }
    this.#index[hole] = NO_ROW;
    this.kindAndRelation[row] = NO_ROW;
    this.#free.push(row);
    this.#size--;
  }

  #probe(key: number, from: number, to: number): number {
    const mask = this.#index.length - 1;
    let position = hashKey(key, from, to) & mask;
    for (;;) {
      const row = this.#index[position]!;
      if (row === NO_ROW) return position;
      if (this.from[row] === from && this.to[row] === to && this.kindAndRelation[row] === key)
        return position;
      position = (position + 1) & mask;
    }
  }

  #hashOf(row: LinkRow): number {
    return hashKey(this.kindAndRelation[row]!, this.from[row]!, this.to[row]!);
  }

  #growIndex(): void {
    this.#index = new Int32Array(this.#index.length * 2).fill(NO_ROW);
    const mask = this.#index.length - 1;
    // By row, not by place in the old index: so the keys are read in the order in which they lie.
    for (let row = 0; row < this.#rowCount; row++) {
      if (!this.isUsed(row)) continue;
      let position = this.#hashOf(row) & mask;
      while (this.#index[position] !== NO_ROW) position = (position + 1) & mask;
      this.#index[position] = row;
    }
  }

  #growRows(): void {
    const capacity = this.from.length * 2;
    this.from = grown(this.from, new Int32Array(capacity));
    this.to = grown(this.to, new Int32Array(capacity));
    this.kindAndRelation = grown(this.kindAndRelation, new Int32Array(capacity));
    this.nextOfFrom = grown(this.nextOfFrom, new Int32Array(capacity));
    this.previousOfFrom = grown(this.previousOfFrom, new Int32Array(capacity));
    this.nextOfTo = grown(this.nextOfTo, new Int32Array(capacity));
    this.previousOfTo = grown(this.previousOfTo, new Int32Array(capacity));
    this.nextInWheel = grown(this.nextInWheel, new Int32Array(capacity));
    this.dirty = grown(this.dirty, new Int32Array(capacity));
    this.statistics.grow(capacity);
  }
}

function hashKey(key: number, from: number, to: number): number {
  return finish(mix(mix(mix(KEY_SEED, key), from), to));
}

import assert from "node:assert/strict";
import { finish, mix } from "./hash.ts";
import { grown } from "./interner.ts";
import { LinkChains } from "./link-chains.ts";
import { type LinkRow, NO_ROW } from "./link-row.ts";
import { Statistics } from "./statistics.ts";

const LOAD_MAX = 0.6;
const KEY_SEED = 0x11c;
/** A table begins small: graphs of a few links are made all the time, to merge segments. */
const ROWS_AT_FIRST = 128;
/** Places in a key. */
const KEY_WORDS = 4;
const FROM = 0;
const TO = 1;
const KIND_AND_RELATION = 2;
const DIRTY = 3;

/**
 * Open-addressing table from (kind, relation, from, to) to a row of link statistics.
 *
 *   index   [row:i32 | hash:i32]                          8 B at load 0.3 to 0.6
 *   keys    from:i32 to:i32 kind and relation:i32
 *           dirty:i32                                    16 B      place in the segment being written; never in two cache lines
 *   rows    Statistics                                   48 B
 *   chains  LinkChains, one for either end               16 B      the adjacency lists of nodes
 *   wheel   next row to be looked at for expiry           4 B
 *
 * One million links cost about 105 MB. A look-up is one or two cache misses in the index, whose hashes tell nearly all other
 * links apart, and one in the keys. Rows grow by doubling, one array after the other; untouched pages of a new one cost
 * nothing until used.
 *
 * Relation 0 is the pair itself, whatever the relation; a typed link has a row of its own beside the row of its pair.
 */
export class LinkTable {
  /** Twice as many places as rows, each a row and its hash. */
  #index = new Int32Array(2 * 2 * ROWS_AT_FIRST).fill(NO_ROW);
  /** One less than the number of places in the index, a power of two. */
  #mask = 2 * ROWS_AT_FIRST - 1;
  #keys = new Int32Array(KEY_WORDS * ROWS_AT_FIRST);
  readonly statistics = new Statistics(ROWS_AT_FIRST);
  /** The links that begin at each node, and those that lead to it. */
  readonly fromChains = new LinkChains(ROWS_AT_FIRST);
  readonly toChains = new LinkChains(ROWS_AT_FIRST);
  nextInWheel = new Int32Array(ROWS_AT_FIRST);
  #free: LinkRow[] = [];
  #rowCount = 0;
  #size = 0;

  /** Number of rows in use, pairs and typed links together. */
  get size(): number {
    return this.#size;
  }

  /** Memory of the table, with rows that are not used yet; pages of them that were never touched cost nothing. */
  get byteLength(): number {
    const { statistics, fromChains, toChains, nextInWheel } = this;
    const rows = statistics.byteLength + fromChains.byteLength + toChains.byteLength + nextInWheel.byteLength;
    return this.#index.byteLength + this.#keys.byteLength + rows;
  }

  /** One more than the highest row ever used; rows below it may be free (`isUsed`). */
  get rowCount(): number {
    return this.#rowCount;
  }

  fromOf(row: LinkRow): number {
    return this.#keys[KEY_WORDS * row + FROM]!;
  }

  toOf(row: LinkRow): number {
    return this.#keys[KEY_WORDS * row + TO]!;
  }

  kindOf(row: LinkRow): number {
    return this.#keys[KEY_WORDS * row + KIND_AND_RELATION]! >>> 16;
  }

  /** 0 for the pair, else one more than the relation's id. */
  relationOf(row: LinkRow): number {
    return this.#keys[KEY_WORDS * row + KIND_AND_RELATION]! & 0xffff;
  }

  isUsed(row: LinkRow): boolean {
    return this.#keys[KEY_WORDS * row + KIND_AND_RELATION] !== NO_ROW;
  }

  /** Place in the segment being written, or `NO_ROW` if the link has not changed since the last one. */
  dirtyOf(row: LinkRow): number {
    return this.#keys[KEY_WORDS * row + DIRTY]!;
  }

  setDirty(row: LinkRow, place: number): void {
    this.#keys[KEY_WORDS * row + DIRTY] = place;
  }

  find(kind: number, relation: number, from: number, to: number): LinkRow {
    const key = (kind << 16) | relation;
    return this.#index[2 * this.#probe(hashKey(key, from, to), key, from, to)]!;
  }

  /** The row of a link, which is added with empty statistics and no neighbours if it is not in the table: see `size`. */
  findOrAdd(kind: number, relation: number, from: number, to: number): LinkRow {
    const key = (kind << 16) | relation;
    const hash = hashKey(key, from, to);
    const position = this.#probe(hash, key, from, to);
    const found = this.#index[2 * position]!;
    if (found !== NO_ROW) return found;
    const row = this.#free.pop() ?? this.#rowCount++;
    if (row >= this.nextInWheel.length) this.#growRows();
    const at = KEY_WORDS * row;
    this.#keys[at + FROM] = from;
    this.#keys[at + TO] = to;
    this.#keys[at + KIND_AND_RELATION] = key;
    this.#keys[at + DIRTY] = NO_ROW;
    this.statistics.clear(row);
    this.#index[2 * position] = row;
    this.#index[2 * position + 1] = hash;
    this.#size++;
    if (this.#size > this.#mask * LOAD_MAX) this.#growIndex();
    return row;
  }

  remove(row: LinkRow): void {
    const index = this.#index;
    const mask = this.#mask;
    const key = this.#keys[KEY_WORDS * row + KIND_AND_RELATION]!;
    const from = this.fromOf(row);
    const to = this.toOf(row);
    let hole = this.#probe(hashKey(key, from, to), key, from, to);
    assert(index[2 * hole] === row, "removed a link that is not there");
    // Backward shift: move later entries of the run into the hole, so that no tombstones are needed.
    let next = (hole + 1) & mask;
    while (index[2 * next] !== NO_ROW) {
      const home = index[2 * next + 1]! & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        index[2 * hole] = index[2 * next]!;
        index[2 * hole + 1] = index[2 * next + 1]!;
        hole = next;
      }
      next = (next + 1) & mask;
    }
    index[2 * hole] = NO_ROW;
    this.#keys[KEY_WORDS * row + KIND_AND_RELATION] = NO_ROW;
    this.#free.push(row);
    this.#size--;
  }

  /** Place in the index of a link, or of the hole where it belongs. */
  #probe(hash: number, key: number, from: number, to: number): number {
    const index = this.#index;
    const keys = this.#keys;
    const mask = this.#mask;
    let position = hash & mask;
    for (;;) {
      const row = index[2 * position]!;
      if (row === NO_ROW) return position;
      if (index[2 * position + 1] === hash) {
        const at = KEY_WORDS * row;
        if (keys[at + FROM] === from && keys[at + TO] === to && keys[at + KIND_AND_RELATION] === key)
          return position;
      }
      position = (position + 1) & mask;
    }
  }

  #growIndex(): void {
    const old = this.#index;
    const index = new Int32Array(old.length * 2).fill(NO_ROW);
    const mask = index.length / 2 - 1;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i] === NO_ROW) continue;
      let position = old[i + 1]! & mask;
      while (index[2 * position] !== NO_ROW) position = (position + 1) & mask;
      index[2 * position] = old[i]!;
      index[2 * position + 1] = old[i + 1]!;
    }
    this.#index = index;
    this.#mask = mask;
  }

  #growRows(): void {
    const capacity = this.nextInWheel.length * 2;
    this.#keys = grown(this.#keys, new Int32Array(KEY_WORDS * capacity));
    this.fromChains.grow(capacity);
    this.toChains.grow(capacity);
    this.nextInWheel = grown(this.nextInWheel, new Int32Array(capacity));
    this.statistics.grow(capacity);
  }
}

function hashKey(key: number, from: number, to: number): number {
  return finish(mix(mix(mix(KEY_SEED, key), from), to));
}

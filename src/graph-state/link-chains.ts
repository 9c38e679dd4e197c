import { grown } from "./interner.ts";
import { type LinkRow, NO_ROW } from "./link-row.ts";

/**
 * The links at each node, as doubly linked lists: the adjacency lists of one end, 8 B a link. Where the list of a node begins
 * is in `heads`, by entity id, which belong to whoever knows the nodes.
 */
export class LinkChains {
  #next: Int32Array;
  #previous: Int32Array;

  constructor(capacity: number) {
    this.#next = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
  }

  get byteLength(): number {
    return this.#next.byteLength + this.#previous.byteLength;
  }

  nextOf(row: LinkRow): LinkRow {
    return this.#next[row]!;
  }

  /** Puts a link in front of the others of a node. */
  insert(row: LinkRow, heads: Int32Array, node: number): void {
    const next = heads[node]!;
    this.#next[row] = next;
    this.#previous[row] = NO_ROW;
    if (next !== NO_ROW) this.#previous[next] = row;
    heads[node] = row;
  }

  remove(row: LinkRow, heads: Int32Array, node: number): void {
    const next = this.#next[row]!;
    const previous = this.#previous[row]!;
    if (next !== NO_ROW) this.#previous[next] = previous;
    if (previous !== NO_ROW) this.#next[previous] = next;
    else heads[node] = next;
  }

  /** Rows of the links of a node, in no particular order; none for a node without any. */
  *of(heads: Int32Array, node: number): Generator<LinkRow> {
    if (node < 0 || node >= heads.length) return;
    for (let row = heads[node]!; row !== NO_ROW; row = this.#next[row]!) yield row;
  }

  grow(capacity: number): void {
    this.#next = grown(this.#next, new Int32Array(capacity));
    this.#previous = grown(this.#previous, new Int32Array(capacity));
  }
}

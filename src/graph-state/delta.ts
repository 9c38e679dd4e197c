import { type LinkRow, NO_ROW } from "./link-row.ts";
import type { LinkTable } from "./link-table.ts";
import { Statistics } from "./statistics.ts";

const ROWS_AT_FIRST = 128;

/** What was added to the links since the last segment was taken: statistics of its own for each link that changed. */
export class Delta {
  /** Row `i` belongs to the link `rows[i]`. */
  readonly statistics = new Statistics(ROWS_AT_FIRST);
  readonly #links: LinkTable;
  #rows = new Int32Array(ROWS_AT_FIRST);
  #size = 0;

  constructor(links: LinkTable) {
    this.#links = links;
  }

  /** Number of links that changed. */
  get size(): number {
    return this.#size;
  }

  /** The links that changed, in the order of their first change. Valid until the next change. */
  get rows(): Int32Array {
    return this.#rows.subarray(0, this.#size);
  }

  /** Row of `statistics` for a link. */
  placeOf(link: LinkRow): number {
    let place = this.#links.dirtyOf(link);
    if (place !== NO_ROW) return place;
    place = this.#size++;
    if (place >= this.#rows.length) {
      const rows = new Int32Array(this.#rows.length * 2);
      rows.set(this.#rows);
      this.#rows = rows;
      this.statistics.grow(rows.length);
    }
    this.#rows[place] = link;
    this.statistics.clear(place);
    this.#links.setDirty(link, place);
    return place;
  }

  clear(): void {
    for (const link of this.rows) this.#links.setDirty(link, NO_ROW);
    this.#size = 0;
  }
}

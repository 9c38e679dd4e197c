import { Buffer } from "node:buffer";
import { LRUCache } from "lru-cache";
import { NAME_BYTES_MAX } from "../login.ts";

/** What a table was asked since the process began. */
export type LookAsideCounts = {
  readonly entries: number;
  readonly lookups: number;
  readonly hits: number;
  /** Entries that had to make room for others, so that their names are not found any more. */
  readonly evicted: number;
  /** Entries that were not taken: without a name, or with one that is too long, on either side. */
  readonly unusable: number;
};

/**
 * Names by which others are replaced: of hosts by their addresses, of accounts by their aliases. Letters of any case are the same.
 *
 * Bounded: when it is full, the entry that was neither asked for nor set for longest makes room. An entry takes some 200 bytes.
 */
export class LookAside {
  readonly #names: LRUCache<string, Buffer>;
  #lookups = 0;
  #hits = 0;
  #evicted = 0;
  #unusable = 0;

  constructor(entriesMax: number) {
    this.#names = new LRUCache({
      max: entriesMax,
      dispose: (_, __, reason) => {
        if (reason === "evict") this.#evicted++;
      },
    });
  }

  /** @param to the name that takes the place; undefined or empty: none does any more */
  set(from: string, to: string | undefined): void {
    const key = from.trim().toLowerCase();
    const name = Buffer.from(to?.trim() ?? "");
    // What is longer than any name of a login is asked for by none.
    if (key === "" || key.length > NAME_BYTES_MAX || name.length > NAME_BYTES_MAX) this.#unusable++;
    else if (name.length === 0) this.#names.delete(key);
    else this.#names.set(key, name);
  }

  /** The name in UTF-8; undefined if there is none. */
  find(from: string): Buffer | undefined {
    this.#lookups++;
    const name = this.#names.get(from.toLowerCase());
    if (name !== undefined) this.#hits++;
    return name;
  }

  get counts(): LookAsideCounts {
    return {
      entries: this.#names.size,
      lookups: this.#lookups,
      hits: this.#hits,
      evicted: this.#evicted,
      unusable: this.#unusable,
    };
  }
}

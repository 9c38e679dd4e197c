import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { hashBytes } from "./hash.ts";

/** Number of an interned name; reused after the name was released. */
export type EntityId = number;

const EMPTY = -1;
const HASH_SEED = 0x0dd11;
/** Below this much garbage the arena is left alone. */
const COMPACTION_BYTES_MIN = 1 << 20;
const LOAD_MAX = 0.6;
const SLOTS_AT_FIRST = 64;
const ARENA_BYTES_AT_FIRST = 1024;

/**
 * Gives each distinct name of one kind a small number, straight from its bytes: a known name never becomes a string.
 *
 *   index   [id:i32]                                        open addressing, load at most 0.6
 *   slots   hash:i32 offset:u32 length:u16 refs:i32 version:i32   18 B
 *   arena   name bytes, end to end; compacted when half of it is garbage
 *
 * A look-up hashes the bytes (about 1 ns each), then is one or two cache misses. Names are counted by reference: the
 * graph retains one for each link end, and a name without links is released, so memory follows the window.
 */
export class Interner {
  #index = new Int32Array(2 * SLOTS_AT_FIRST).fill(EMPTY);
  #hashes = new Int32Array(SLOTS_AT_FIRST);
  #offsets = new Uint32Array(SLOTS_AT_FIRST);
  #lengths = new Uint16Array(SLOTS_AT_FIRST);
  #references = new Int32Array(SLOTS_AT_FIRST);
  #versions = new Int32Array(SLOTS_AT_FIRST);
  #arena = Buffer.alloc(ARENA_BYTES_AT_FIRST);
  #arenaUsed = 0;
  #arenaGarbage = 0;
  #free: EntityId[] = [];
  #slotCount = 0;
  #size = 0;

  /** Number of names held. */
  get size(): number {
    return this.#size;
  }

  /** One more than the highest id ever given out; arrays indexed by id need this many rows. */
  get slotCount(): number {
    return this.#slotCount;
  }

  /** The id of a name, or -1 if it is not held. */
  find(bytes: Buffer, start: number, end: number): EntityId {
    return this.#index[this.#probe(bytes, start, end, hashBytes(bytes, start, end, HASH_SEED))]!;
  }

  /** The id of a name, which is added without references if it is new. */
  intern(bytes: Buffer, start: number, end: number): EntityId {
    const hash = hashBytes(bytes, start, end, HASH_SEED);
    const position = this.#probe(bytes, start, end, hash);
    const found = this.#index[position]!;
    if (found !== EMPTY) return found;
    const id = this.#free.pop() ?? this.#slotCount++;
    if (id >= this.#hashes.length) this.#growSlots();
    const length = end - start;
    if (this.#arenaUsed + length > this.#arena.length) this.#growArena(length);
    bytes.copy(this.#arena, this.#arenaUsed, start, end);
    this.#hashes[id] = hash;
    this.#offsets[id] = this.#arenaUsed;
    this.#lengths[id] = length;
    this.#references[id] = 0;
    this.#versions[id] = this.#versions[id]! + 1;
    this.#arenaUsed += length;
    this.#index[position] = id;
    this.#size++;
    if (this.#size > this.#index.length * LOAD_MAX) this.#growIndex();
    return id;
  }

  retain(id: EntityId): void {
    this.#references[id]!++;
  }

  /** Gives one reference back; the name is forgotten with the last one. True if it was. */
  release(id: EntityId): boolean {
    assert(this.#references[id]! > 0, "released a name that nobody retains");
    this.#references[id]!--;
    if (this.#references[id] !== 0) return false;
    this.#remove(id);
    return true;
  }

  /** Counts how often the slot was given to a name: who caches something by id must cache this with it. */
  versionOf(id: EntityId): number {
    return this.#versions[id]!;
  }

  isHeld(id: EntityId): boolean {
    return id < this.#slotCount && this.#references[id]! > 0;
  }

  nameOf(id: EntityId): string {
    return this.#arena.toString("utf8", this.#offsets[id], this.#offsets[id]! + this.#lengths[id]!);
  }

  /** The bytes of a name as a view, valid until the next name is added or released. */
  bytesOf(id: EntityId): Buffer {
    return this.#arena.subarray(this.#offsets[id], this.#offsets[id]! + this.#lengths[id]!);
  }

  /** Hash of the name's bytes: the same in every process, whatever the id. */
  hashOf(id: EntityId): number {
    return this.#hashes[id]!;
  }

  /** Order of two names by their bytes: negative, zero or positive. */
  compare(a: EntityId, b: EntityId): number {
    return this.#arena.compare(
      this.#arena,
      this.#offsets[b],
      this.#offsets[b]! + this.#lengths[b]!,
      this.#offsets[a],
      this.#offsets[a]! + this.#lengths[a]!,
    );
  }

  /** Position in the index of the name, or of the hole where it belongs. */
  #probe(bytes: Buffer, start: number, end: number, hash: number): number {
    const mask = this.#index.length - 1;
    const length = end - start;
    let position = hash & mask;
    for (;;) {
      const id = this.#index[position]!;
      if (id === EMPTY) return position;
      if (this.#hashes[id] === hash && this.#lengths[id] === length && this.#holds(id, bytes, start, end)) {
        return position;
      }
      position = (position + 1) & mask;
    }
  }

  #holds(id: EntityId, bytes: Buffer, start: number, end: number): boolean {
    const arena = this.#arena;
    for (let i = start, j = this.#offsets[id]!; i < end; i++, j++) {
      if (bytes[i] !== arena[j]) return false;
    }
    return true;
  }

  #remove(id: EntityId): void {
    const mask = this.#index.length - 1;
    let hole = this.#hashes[id]! & mask;
    while (this.#index[hole] !== id) hole = (hole + 1) & mask;
    // Backward shift: move later entries of the run into the hole, so that no tombstones are needed.
    let next = (hole + 1) & mask;
    while (this.#index[next] !== EMPTY) {
      const home = this.#hashes[this.#index[next]!]! & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        this.#index[hole] = this.#index[next]!;
        hole = next;
      }
      next = (next + 1) & mask;
    }
    this.#index[hole] = EMPTY;
    this.#arenaGarbage += this.#lengths[id]!;
    this.#free.push(id);
    this.#size--;
    if (this.#arenaGarbage > COMPACTION_BYTES_MIN && this.#arenaGarbage * 2 > this.#arenaUsed)
      this.#compact();
  }

  #growIndex(): void {
    const old = this.#index;
    this.#index = new Int32Array(old.length * 2).fill(EMPTY);
    const mask = this.#index.length - 1;
    for (const id of old) {
      if (id === EMPTY) continue;
      let position = this.#hashes[id]! & mask;
      while (this.#index[position] !== EMPTY) position = (position + 1) & mask;
      this.#index[position] = id;
    }
  }

  #growSlots(): void {
    const capacity = this.#hashes.length * 2;
    this.#hashes = grown(this.#hashes, new Int32Array(capacity));
    this.#offsets = grown(this.#offsets, new Uint32Array(capacity));
    this.#lengths = grown(this.#lengths, new Uint16Array(capacity));
    this.#references = grown(this.#references, new Int32Array(capacity));
    this.#versions = grown(this.#versions, new Int32Array(capacity));
  }

  #growArena(length: number): void {
    const arena = Buffer.alloc(Math.max(this.#arena.length * 2, this.#arenaUsed + length));
    this.#arena.copy(arena, 0, 0, this.#arenaUsed);
    this.#arena = arena;
  }

  #compact(): void {
    const arena = Buffer.alloc(this.#arena.length);
    let used = 0;
    for (const id of this.#index) {
      if (id === EMPTY) continue;
      const offset = this.#offsets[id]!;
      const length = this.#lengths[id]!;
      this.#arena.copy(arena, used, offset, offset + length);
      this.#offsets[id] = used;
      used += length;
    }
    this.#arena = arena;
    this.#arenaUsed = used;
    this.#arenaGarbage = 0;
  }
}

/** Copies a typed array into a larger one of the same type. */
export function grown<T extends Int32Array | Uint32Array | Uint16Array | Float64Array>(from: T, into: T): T {
  into.set(from as never);
  return into;
}

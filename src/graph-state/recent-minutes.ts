import { grown } from "./interner.ts";

/** Minutes of which counts are kept, the newest one among them: as many as a word has bits. */
export const MINUTES_KEPT = 32;

const SLOTS_AT_FIRST = 8;

/**
 * How many logins each key had in each of the newest minutes: whole numbers that add, in any order.
 *
 *   slots    key -> slot                                     some 40 B
 *   latest   f64      newest minute of the key                 8 B
 *   active   u32      which of the minutes before it count     4 B      bit 31 - minute % 32
 *   counts   u32[32]  place minute % 32                      128 B
 *
 * Some 180 B a key that had a login within the newest 32 minutes; others are let go, minute by minute. Adding is one look-up; reading
 * takes a step for each minute in which there was something.
 */
export class RecentMinutes {
  readonly #slots = new Map<number, number>();
  readonly #free: number[] = [];
  #latest = new Float64Array(SLOTS_AT_FIRST);
  #active = new Uint32Array(SLOTS_AT_FIRST);
  #counts = new Uint32Array(SLOTS_AT_FIRST * MINUTES_KEPT);
  #newest = Number.NEGATIVE_INFINITY;

  /** Keys with a count. */
  get size(): number {
    return this.#slots.size;
  }

  has(key: number): boolean {
    return this.#slots.has(key);
  }

  /** Makes `minute` the newest one, if it is newer; what is too old by then is gone. */
  moveTo(minute: number): void {
    if (minute <= this.#newest) return;
    this.#newest = minute;
    for (const [key, slot] of this.#slots) if (!this.isKept(this.#latest[slot]!)) this.#release(key, slot);
  }

  /** Whether counts of a minute are kept. */
  isKept(minute: number): boolean {
    return minute > this.#newest - MINUTES_KEPT;
  }

  /** Adds logins of a minute that is kept, and not after the newest. */
  add(key: number, minute: number, count: number): void {
    const slot = this.#slots.get(key) ?? this.#take(key, minute);
    const latest = this.#latest[slot]!;
    if (minute > latest) {
      this.#active[slot] = minute - latest >= MINUTES_KEPT ? 0 : this.#without(slot, latest, minute);
      this.#latest[slot] = minute;
    }
    const place = placeOf(minute);
    const bit = 1 << (MINUTES_KEPT - 1 - place);
    const at = slot * MINUTES_KEPT + place;
    if ((this.#active[slot]! & bit) === 0) {
      this.#active[slot]! |= bit;
      this.#counts[at] = count;
    } else {
      this.#counts[at]! += count;
    }
  }

  /** Takes out what was added of a minute. */
  subtract(key: number, minute: number, count: number): void {
    this.#counts[this.#slots.get(key)! * MINUTES_KEPT + placeOf(minute)]! -= count;
  }

  /**
   * Sum of the counts of the minutes up to `minute`, which is not after the newest, each times the weight of its age. Added in the
   * order of age, so that the same counts always give the same sum.
   *
   * @param weights one for each age, from 0 minutes on, at most `MINUTES_KEPT`
   */
  sum(key: number, minute: number, weights: Float64Array): number {
    const slot = this.#slots.get(key);
    if (slot === undefined) return 0;
    const begin = Math.min(minute, this.#latest[slot]!);
    const age = minute - begin;
    // Older ones may still be there, but not in a graph that was restored.
    const end = Math.min(begin - this.#newest + MINUTES_KEPT, weights.length - age);
    const place = placeOf(begin);
    const turn = MINUTES_KEPT - 1 - place;
    const active = this.#active[slot]!;
    const base = slot * MINUTES_KEPT;
    let sum = 0;
    // Bit j: the minute j before the first.
    for (let rest = (active >>> turn) | (active << (MINUTES_KEPT - turn)); rest !== 0; rest &= rest - 1) {
      const j = 31 - Math.clz32(rest & -rest);
      if (j >= end) break;
      sum += weights[age + j]! * this.#counts[base + placeOf(place - j)]!;
    }
    return sum;
  }

  /** Minutes and counts of a key, one after the other and the newest first: none for a key without. */
  of(key: number): number[] {
    const slot = this.#slots.get(key);
    const all: number[] = [];
    if (slot === undefined) return all;
    const latest = this.#latest[slot]!;
    for (let minute = latest; minute > latest - MINUTES_KEPT && this.isKept(minute); minute--) {
      const place = placeOf(minute);
      if ((this.#active[slot]! & (1 << (MINUTES_KEPT - 1 - place))) === 0) continue;
      all.push(minute, this.#counts[slot * MINUTES_KEPT + place]!);
    }
    return all;
  }

  delete(key: number): void {
    const slot = this.#slots.get(key);
    if (slot !== undefined) this.#release(key, slot);
  }

  clear(): void {
    for (const [key, slot] of this.#slots) this.#release(key, slot);
  }

  /** Which minutes of a slot still count once `minute`, fewer than 32 after `latest`, is the latest. */
  #without(slot: number, latest: number, minute: number): number {
    let active = this.#active[slot]!;
    for (let passed = latest + 1; passed <= minute; passed++) {
      active &= ~(1 << (MINUTES_KEPT - 1 - placeOf(passed)));
    }
    return active;
  }

  #take(key: number, minute: number): number {
    const slot = this.#free.pop() ?? this.#slots.size;
    if (slot >= this.#latest.length) {
      const capacity = this.#latest.length * 2;
      this.#latest = grown(this.#latest, new Float64Array(capacity));
      this.#active = grown(this.#active, new Uint32Array(capacity));
      this.#counts = grown(this.#counts, new Uint32Array(capacity * MINUTES_KEPT));
    }
    this.#slots.set(key, slot);
    this.#latest[slot] = minute;
    this.#active[slot] = 0;
    return slot;
  }

  #release(key: number, slot: number): void {
    this.#slots.delete(key);
    this.#free.push(slot);
  }
}

function placeOf(minute: number): number {
  // The low bits are the remainder, of any whole number: % of a number that may be large is ten times slower.
  return minute & (MINUTES_KEPT - 1);
}

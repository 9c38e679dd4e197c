import { grown } from "./interner.ts";

const MS_PER_MINUTE = 60_000;
const MS_PER_DAY = 86_400_000;
const DAYS_IN_MAP = 32;
const ROW_BYTES = 48;

/**
 * Columns of link statistics, one row a link. They form a commutative monoid under `addRow`: counts add, first takes the
 * minimum, last the maximum, and day maps are OR-ed.
 *
 *   count:u32 failures:u32 strong:u32 weak:u32 alerts:u32 first:f64 last:f64 minutes:f64 days:u32      48 B
 *
 * `minutes` is the sum of event times in whole minutes since the epoch, for the mean time: exact up to 300 million
 * logins a row. Bit d % 32 of `days` says that the link was seen on day d, for the 32 days up to `last`.
 */
export class Statistics {
  count: Uint32Array;
  failures: Uint32Array;
  strong: Uint32Array;
  weak: Uint32Array;
  alerts: Uint32Array;
  firstMs: Float64Array;
  lastMs: Float64Array;
  minutes: Float64Array;
  days: Uint32Array;

  constructor(capacity: number) {
    // One buffer for all: small statistics are made all the time, and nine buffers take four times as long.
    const buffer = new ArrayBuffer(capacity * ROW_BYTES);
    let offset = 0;
    const place = (columnBytes: number): number => (offset += columnBytes) - columnBytes;
    const counts = (): Uint32Array => new Uint32Array(buffer, place(4 * capacity), capacity);
    const doubles = (): Float64Array => new Float64Array(buffer, place(8 * capacity), capacity);
    this.firstMs = doubles();
    this.lastMs = doubles();
    this.minutes = doubles();
    this.count = counts();
    this.failures = counts();
    this.strong = counts();
    this.weak = counts();
    this.alerts = counts();
    this.days = counts();
  }

  get capacity(): number {
    return this.count.length;
  }

  /** Column by column, so that no more than one is there twice. */
  grow(capacity: number): void {
    this.count = grown(this.count, new Uint32Array(capacity));
    this.failures = grown(this.failures, new Uint32Array(capacity));
    this.strong = grown(this.strong, new Uint32Array(capacity));
    this.weak = grown(this.weak, new Uint32Array(capacity));
    this.alerts = grown(this.alerts, new Uint32Array(capacity));
    this.firstMs = grown(this.firstMs, new Float64Array(capacity));
    this.lastMs = grown(this.lastMs, new Float64Array(capacity));
    this.minutes = grown(this.minutes, new Float64Array(capacity));
    this.days = grown(this.days, new Uint32Array(capacity));
  }

  /** Makes a row the neutral element: nothing seen. */
  clear(row: number): void {
    this.count[row] = this.failures[row] = this.strong[row] = this.weak[row] = this.alerts[row] = 0;
    this.firstMs[row] = Number.POSITIVE_INFINITY;
    this.lastMs[row] = Number.NEGATIVE_INFINITY;
    this.minutes[row] = 0;
    this.days[row] = 0;
  }

  /** Adds one record seen at `timeMs`; the flags are 0 or 1. */
  addOne(row: number, timeMs: number, failures: number, strong: number, weak: number): void {
    this.count[row]!++;
    this.failures[row]! += failures;
    this.strong[row]! += strong;
    this.weak[row]! += weak;
    this.minutes[row]! += Math.floor(timeMs / MS_PER_MINUTE);
    this.#seen(row, timeMs, timeMs, 1 << (Math.floor(timeMs / MS_PER_DAY) % DAYS_IN_MAP));
  }

  /** Adds row `other` of `from` to `row`. */
  addRow(row: number, from: Statistics, other: number): void {
    this.count[row]! += from.count[other]!;
    this.failures[row]! += from.failures[other]!;
    this.strong[row]! += from.strong[other]!;
    this.weak[row]! += from.weak[other]!;
    this.alerts[row]! += from.alerts[other]!;
    this.minutes[row]! += from.minutes[other]!;
    this.#seen(row, from.firstMs[other]!, from.lastMs[other]!, from.days[other]!);
  }

  #seen(row: number, firstMs: number, lastMs: number, days: number): void {
    const oldLastMs = this.lastMs[row]!;
    if (firstMs < this.firstMs[row]!) this.firstMs[row] = firstMs;
    if (lastMs > oldLastMs) {
      this.days[row] = daysStillInMap(this.days[row]!, oldLastMs, lastMs) | days;
      this.lastMs[row] = lastMs;
    } else {
      this.days[row] = this.days[row]! | daysStillInMap(days, lastMs, oldLastMs);
    }
  }
}

/** Clears the bits of days that fall out of the 32 days up to `newLastMs`, so that their bits can be used again. */
function daysStillInMap(days: number, oldLastMs: number, newLastMs: number): number {
  if (days === 0) return 0;
  const newDay = Math.floor(newLastMs / MS_PER_DAY);
  const steps = newDay - Math.floor(oldLastMs / MS_PER_DAY);
  if (steps >= DAYS_IN_MAP) return 0;
  let kept = days;
  for (let day = newDay; day > newDay - steps; day--) kept &= ~(1 << (day % DAYS_IN_MAP));
  return kept;
}

/** On how many of the 32 days up to its last one a link was seen. */
export function countDays(days: number): number {
  let count = 0;
  for (let rest = days >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
}

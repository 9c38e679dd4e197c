import { grown } from "./interner.ts";

const MS_PER_MINUTE = 60_000;
const MS_PER_DAY = 86_400_000;
const DAYS_IN_MAP = 32;

const ROW_BYTES = 64;
const ROW_DOUBLES = ROW_BYTES / 8;
const ROW_WORDS = ROW_BYTES / 4;
/** Places in a row, counted in doubles. */
const FIRST_MS = 0;
const LAST_MS = 1;
const MINUTES = 2;
/** Places in a row, counted in words: they come after the doubles. */
const COUNT = 6;
const FAILURES = 7;
const STRONG = 8;
const WEAK = 9;
const ALERTS = 10;
const DAYS = 11;
const TICKETS = 12;
const BURSTS = 13;
const ODD_NEWS = 14;
const SUPPRESSED = 15;

/** What a row says of a link; the last time is `firstMs + spanMs`. */
export type RowValues = {
  readonly count: number;
  readonly failures: number;
  readonly strong: number;
  readonly weak: number;
  /** Ticket requests: part of `strong`. */
  readonly tickets: number;
  /** Records that came in a burst, and say nothing of what is usual: see the volume signal. */
  readonly bursts: number;
  /** Records that made the link and were odd: one, or one of each process that did not know of the others. */
  readonly oddNews: number;
  readonly alerts: number;
  /** Alerts that a rule suppressed, so that nobody was told: part of `alerts`. */
  readonly suppressed: number;
  readonly firstMs: number;
  readonly spanMs: number;
  readonly minutes: number;
  readonly days: number;
};

/**
 * Rows of link statistics, one a link. They form a commutative monoid under `addRow`: counts add, first takes the minimum,
 * last the maximum, and day maps are OR-ed.
 *
 *   row     first:f64 last:f64 minutes:f64 | count:u32 failures:u32 strong:u32 weak:u32 alerts:u32 days:u32 tickets:u32 bursts:u32 oddNews:u32 suppressed:u32     64 B
 *
 * A row is read and written as a whole: it lies together, in one cache line, where columns would be ten.
 *
 * `minutes` is the sum of event times in whole minutes since the epoch, for the mean time: exact up to 300 million
 * logins a row. Bit d % 32 of `days` says that the link was seen on day d, for the 32 days up to `last`.
 */
export class Statistics {
  /** Two views of the same bytes: a row begins at `ROW_DOUBLES * row` of the one, at `ROW_WORDS * row` of the other. */
  #doubles: Float64Array;
  #words: Uint32Array;

  constructor(capacity: number) {
    const buffer = new ArrayBuffer(capacity * ROW_BYTES);
    this.#doubles = new Float64Array(buffer);
    this.#words = new Uint32Array(buffer);
  }

  /** Size of all rows, used or not. */
  get byteLength(): number {
    return this.#words.byteLength;
  }

  countOf(row: number): number {
    return this.#words[ROW_WORDS * row + COUNT]!;
  }

  failuresOf(row: number): number {
    return this.#words[ROW_WORDS * row + FAILURES]!;
  }

  strongOf(row: number): number {
    return this.#words[ROW_WORDS * row + STRONG]!;
  }

  weakOf(row: number): number {
    return this.#words[ROW_WORDS * row + WEAK]!;
  }

  ticketsOf(row: number): number {
    return this.#words[ROW_WORDS * row + TICKETS]!;
  }

  burstsOf(row: number): number {
    return this.#words[ROW_WORDS * row + BURSTS]!;
  }

  oddNewsOf(row: number): number {
    return this.#words[ROW_WORDS * row + ODD_NEWS]!;
  }

  alertsOf(row: number): number {
    return this.#words[ROW_WORDS * row + ALERTS]!;
  }

  suppressedOf(row: number): number {
    return this.#words[ROW_WORDS * row + SUPPRESSED]!;
  }

  daysOf(row: number): number {
    return this.#words[ROW_WORDS * row + DAYS]!;
  }

  firstMsOf(row: number): number {
    return this.#doubles[ROW_DOUBLES * row + FIRST_MS]!;
  }

  lastMsOf(row: number): number {
    return this.#doubles[ROW_DOUBLES * row + LAST_MS]!;
  }

  minutesOf(row: number): number {
    return this.#doubles[ROW_DOUBLES * row + MINUTES]!;
  }

  /** While it grows, both the old rows and the new ones are there. */
  grow(capacity: number): void {
    const buffer = new ArrayBuffer(capacity * ROW_BYTES);
    this.#words = grown(this.#words, new Uint32Array(buffer));
    this.#doubles = new Float64Array(buffer);
  }

  /** Makes a row the neutral element: nothing seen. */
  clear(row: number): void {
    const word = ROW_WORDS * row;
    for (let i = word; i < word + ROW_WORDS; i++) this.#words[i] = 0;
    this.#doubles[ROW_DOUBLES * row + FIRST_MS] = Number.POSITIVE_INFINITY;
    this.#doubles[ROW_DOUBLES * row + LAST_MS] = Number.NEGATIVE_INFINITY;
  }

  /** Makes a row what one record seen at `timeMs` adds; the flags are 0 or 1. */
  setOne(
    row: number,
    timeMs: number,
    {
      failures,
      strong,
      weak,
      tickets,
      bursts,
    }: Pick<RowValues, "failures" | "strong" | "weak" | "tickets" | "bursts">,
  ): void {
    const minutes = Math.floor(timeMs / MS_PER_MINUTE);
    const days = 1 << (Math.floor(timeMs / MS_PER_DAY) % DAYS_IN_MAP);
    this.set(row, {
      count: 1,
      failures,
      strong,
      weak,
      tickets,
      bursts,
      oddNews: 0,
      alerts: 0,
      suppressed: 0,
      firstMs: timeMs,
      spanMs: 0,
      minutes,
      days,
    });
  }

  /** Makes a row what a segment says of a link. */
  set(row: number, link: RowValues): void {
    const word = ROW_WORDS * row;
    const words = this.#words;
    words[word + COUNT] = link.count;
    words[word + FAILURES] = link.failures;
    words[word + STRONG] = link.strong;
    words[word + WEAK] = link.weak;
    words[word + TICKETS] = link.tickets;
    words[word + BURSTS] = link.bursts;
    words[word + ODD_NEWS] = link.oddNews;
    words[word + ALERTS] = link.alerts;
    words[word + SUPPRESSED] = link.suppressed;
    words[word + DAYS] = link.days;
    const double = ROW_DOUBLES * row;
    this.#doubles[double + FIRST_MS] = link.firstMs;
    this.#doubles[double + LAST_MS] = link.firstMs + link.spanMs;
    this.#doubles[double + MINUTES] = link.minutes;
  }

  addAlert(row: number, isSuppressed: boolean): void {
    this.#words[ROW_WORDS * row + ALERTS]!++;
    if (isSuppressed) this.#words[ROW_WORDS * row + SUPPRESSED]!++;
  }

  addOddNews(row: number): void {
    this.#words[ROW_WORDS * row + ODD_NEWS]!++;
  }

  /** Adds row `other` of `from` to `row`. */
  addRow(row: number, from: Statistics, other: number): void {
    const into = this.#words;
    const words = from.#words;
    const i = ROW_WORDS * row;
    const j = ROW_WORDS * other;
    into[i + COUNT]! += words[j + COUNT]!;
    into[i + FAILURES]! += words[j + FAILURES]!;
    into[i + STRONG]! += words[j + STRONG]!;
    into[i + WEAK]! += words[j + WEAK]!;
    into[i + TICKETS]! += words[j + TICKETS]!;
    into[i + BURSTS]! += words[j + BURSTS]!;
    into[i + ODD_NEWS]! += words[j + ODD_NEWS]!;
    into[i + ALERTS]! += words[j + ALERTS]!;
    into[i + SUPPRESSED]! += words[j + SUPPRESSED]!;
    this.#doubles[ROW_DOUBLES * row + MINUTES]! += from.#doubles[ROW_DOUBLES * other + MINUTES]!;
    this.#seen(row, from.firstMsOf(other), from.lastMsOf(other), words[j + DAYS]!);
  }

  /** Takes the sums of row `other` of `from` out of `row`; first, last and days are no sums, and stay. */
  subtractRow(row: number, from: Statistics, other: number): void {
    const into = this.#words;
    const words = from.#words;
    const i = ROW_WORDS * row;
    const j = ROW_WORDS * other;
    into[i + COUNT]! -= words[j + COUNT]!;
    into[i + FAILURES]! -= words[j + FAILURES]!;
    into[i + STRONG]! -= words[j + STRONG]!;
    into[i + WEAK]! -= words[j + WEAK]!;
    into[i + TICKETS]! -= words[j + TICKETS]!;
    into[i + BURSTS]! -= words[j + BURSTS]!;
    into[i + ODD_NEWS]! -= words[j + ODD_NEWS]!;
    into[i + ALERTS]! -= words[j + ALERTS]!;
    into[i + SUPPRESSED]! -= words[j + SUPPRESSED]!;
    this.#doubles[ROW_DOUBLES * row + MINUTES]! -= from.#doubles[ROW_DOUBLES * other + MINUTES]!;
  }

  #seen(row: number, firstMs: number, lastMs: number, days: number): void {
    const doubles = this.#doubles;
    const double = ROW_DOUBLES * row;
    const word = ROW_WORDS * row + DAYS;
    const oldLastMs = doubles[double + LAST_MS]!;
    if (firstMs < doubles[double + FIRST_MS]!) doubles[double + FIRST_MS] = firstMs;
    if (lastMs > oldLastMs) {
      this.#words[word] = daysStillInMap(this.#words[word]!, oldLastMs, lastMs) | days;
      doubles[double + LAST_MS] = lastMs;
    } else {
      this.#words[word] = this.#words[word]! | daysStillInMap(days, lastMs, oldLastMs);
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

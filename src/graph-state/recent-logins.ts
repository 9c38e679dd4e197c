import type { LinkRow } from "./link-row.ts";
import { RecentMinutes } from "./recent-minutes.ts";

const MS_PER_MINUTE = 60_000;
/** Pairs of hosts of which minutes are kept at most: some 40 MB, and twice that for their hosts if no two share one. */
export const RECENT_PAIRS_MAX = 200_000;

/**
 * Logins of the newest minutes of event time by pair of source and target host, by source and by target. The counts of pairs are
 * what segments carry; the others are sums of them.
 *
 * The minute is the login's own, so that a partition that lags behind does not look like a flood; a login that is later than the
 * minutes kept is not counted. Beyond a bound further pairs are not counted either.
 */
export class RecentLogins {
  readonly pairs = new RecentMinutes();
  readonly sources = new RecentMinutes();
  readonly targets = new RecentMinutes();
  readonly #delta = new RecentMinutes();
  #newest = Number.NEGATIVE_INFINITY;

  /** Moves event time on. */
  moveTo(timeMs: number): void {
    const minute = minuteOf(timeMs);
    if (minute === this.#newest) return;
    this.#newest = minute;
    this.pairs.moveTo(minute);
    this.sources.moveTo(minute);
    this.targets.moveTo(minute);
    this.#delta.moveTo(minute);
  }

  /** Counts a login that this process has read. */
  record(pair: LinkRow, source: number, target: number, timeMs: number): void {
    const minute = minuteOf(timeMs);
    if (this.#add(pair, source, target, minute, 1)) this.#delta.add(pair, minute, 1);
  }

  /** Adds what a segment says of a pair: minutes and counts, one after the other. */
  addAll(pair: LinkRow, source: number, target: number, recent: readonly number[]): void {
    for (let i = 0; i < recent.length; i += 2) this.#add(pair, source, target, recent[i]!, recent[i + 1]!);
  }

  /** Forgets a pair whose link is forgotten: row and entities may soon stand for others. */
  forget(pair: LinkRow, source: number, target: number): void {
    const recent = this.pairs.of(pair);
    for (let i = 0; i < recent.length; i += 2) {
      this.sources.subtract(source, recent[i]!, recent[i + 1]!);
      this.targets.subtract(target, recent[i]!, recent[i + 1]!);
    }
    this.pairs.delete(pair);
  }

  /** Of a pair, what no segment carries yet. */
  changeOf(pair: LinkRow): readonly number[] {
    return this.#delta.of(pair);
  }

  /** To be called once segments carry it all. */
  clearChange(): void {
    this.#delta.clear();
  }

  #add(pair: LinkRow, source: number, target: number, minute: number, count: number): boolean {
    if (!this.pairs.isKept(minute)) return false;
    if (this.pairs.size >= RECENT_PAIRS_MAX && !this.pairs.has(pair)) return false;
    this.pairs.add(pair, minute, count);
    this.sources.add(source, minute, count);
    this.targets.add(target, minute, count);
    return true;
  }
}

/** Minutes since the epoch. */
export function minuteOf(timeMs: number): number {
  return Math.floor(timeMs / MS_PER_MINUTE);
}

const MS_PER_DAY = 86_400_000;
/** Days that are counted: after four half-lives of a week hardly anything is left of what was. */
const DAYS = 28;
const HALF_LIFE_DAYS = 7;

/** Counts of the days up to `latest`, slot day % 28. */
type Counts = { latest: number; total: number; readonly byDay: Uint32Array };

/**
 * How many odd logins of each user in the last 28 days made a link that was not there before. Derived from the links' own
 * counts and first-seen times, so that it comes out the same in whatever order the links arrived; a repetition is no news.
 *
 * Only users that have any are here: one in some hundred logins is odd.
 */
export class OddNews {
  readonly #byUser = new Map<number, Counts>();

  add(user: number, firstMs: number, count: number): void {
    const day = Math.floor(firstMs / MS_PER_DAY);
    let counts = this.#byUser.get(user);
    if (counts === undefined) {
      counts = { latest: day, total: 0, byDay: new Uint32Array(DAYS) };
      this.#byUser.set(user, counts);
    }
    if (counts.latest - day >= DAYS) return;
    for (const end = Math.min(day, counts.latest + DAYS); counts.latest < end; )
      this.#clear(counts, ++counts.latest);
    counts.latest = Math.max(counts.latest, day);
    counts.byDay[day % DAYS]! += count;
    counts.total += count;
  }

  remove(user: number, firstMs: number, count: number): void {
    const day = Math.floor(firstMs / MS_PER_DAY);
    const counts = this.#byUser.get(user);
    if (counts === undefined || counts.latest - day >= DAYS) return;
    counts.byDay[day % DAYS]! -= count;
    counts.total -= count;
    if (counts.total === 0) this.#byUser.delete(user);
  }

  /** The count before `timeMs`, each day's halved for each week that has passed since. */
  faded(user: number, timeMs: number): number {
    const counts = this.#byUser.get(user);
    if (counts === undefined) return 0;
    const today = Math.floor(timeMs / MS_PER_DAY);
    let sum = 0;
    for (let day = counts.latest; day > counts.latest - DAYS && day > today - DAYS; day--) {
      const count = day < 0 ? 0 : counts.byDay[day % DAYS]!;
      if (count > 0) sum += count * 0.5 ** (Math.max(0, today - day) / HALF_LIFE_DAYS);
    }
    return sum;
  }

  #clear(counts: Counts, day: number): void {
    counts.total -= counts.byDay[day % DAYS]!;
    counts.byDay[day % DAYS] = 0;
  }
}

const MS_PER_DAY = 86_400_000;
/** Days that are counted: after four half-lives of a week hardly anything is left of what was. */
const DAYS = 28;
const HALF_LIFE_DAYS = 7;

/** Counts of the days up to `latest`, slot day % 28. */
type Counts = { latest: number; readonly byDay: Uint32Array };

/**
 * How many odd logins of each user in the last 28 days made a link that was not there before. Derived from the links' own
 * counts and first-seen times, so that it comes out the same in whatever order the links arrived; a repetition is no news.
 *
 * Only users that ever had any are here, some 200 bytes each: one in some hundred logins is odd. Who has none left stays, for the days that were
 * forgotten must be known: what is no longer counted can't be taken away again, or others would go with it.
 */
export class OddNews {
  readonly #byUser = new Map<number, Counts>();

  add(user: number, firstMs: number, count: number): void {
    const day = Math.floor(firstMs / MS_PER_DAY);
    let counts = this.#byUser.get(user);
    if (counts === undefined) {
      counts = { latest: day, byDay: new Uint32Array(DAYS) };
      this.#byUser.set(user, counts);
    }
    if (counts.latest - day >= DAYS) return;
    for (const end = Math.min(day, counts.latest + DAYS); counts.latest < end; )
      counts.byDay[++counts.latest % DAYS] = 0;
    counts.latest = Math.max(counts.latest, day);
    counts.byDay[day % DAYS]! += count;
  }

  remove(user: number, firstMs: number, count: number): void {
    const day = Math.floor(firstMs / MS_PER_DAY);
    const counts = this.#byUser.get(user);
    if (counts === undefined || counts.latest - day >= DAYS) return;
    counts.byDay[day % DAYS]! -= count;
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
}

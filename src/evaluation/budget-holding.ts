const DAY_MS = 86_400_000;
const DAYS_PER_WEEK = 7;
/** A day or a week within this share of its budget counts as held. */
const TOLERANCE = 0.2;

/** How well "N alerts a day" was held by what stands under the budget, which is all but the presence tier. */
export type BudgetHolding = {
  /** N; null where a fixed threshold took its place. */
  readonly alertsPerDay: number | null;
  /** Whole days since the start of the scored period; what began and did not end is left out. */
  readonly days: number;
  /** Alerts under the budget in these days. */
  readonly alerts: number;
  /** Their number over that of the budget, less one: -0.2 is a fifth too few. Null without a whole day, or budget. */
  readonly meanError: number | null;
  /** Share of the days, and of the whole weeks, with no more than a fifth too few or too many. */
  readonly daysWithin20Percent: number | null;
  readonly weeks: number;
  readonly weeksWithin20Percent: number | null;
  /** What presence raised besides, in the whole scored period: alerts, and the incidents that an analyst sees. */
  readonly presenceAlerts: number;
  readonly presenceIncidents: number;
  /** Presence incidents a day of which no login is labelled, by the day of their first alert; null without a whole day. */
  readonly presenceIncidentsWithoutLabelPerDay: { readonly mean: number; readonly most: number } | null;
};

type PresenceIncident = { readonly firstMs: number; isLabelled: boolean };

/** Counts alerts by day, days being 24 hours from the start of the scored period. */
export class BudgetAccumulator {
  readonly #alertsPerDay: number | null;
  readonly #startMs: number | undefined;
  readonly #alertTimesMs: number[] = [];
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;
  #presenceAlerts = 0;
  readonly #presenceIncidents = new Map<string, PresenceIncident>();

  constructor(alertsPerDay: number | null, startMs: number | undefined) {
    this.#alertsPerDay = alertsPerDay;
    this.#startMs = startMs;
  }

  /** A login was scored at that time, whether it alerted or not. */
  pass(timeMs: number): void {
    this.#firstMs = Math.min(this.#firstMs, timeMs);
    this.#lastMs = Math.max(this.#lastMs, timeMs);
  }

  alert(timeMs: number): void {
    this.#alertTimesMs.push(timeMs);
  }

  /** @param incident names the incident that the alert belongs to */
  presenceAlert(timeMs: number, incident: string, isLabelled: boolean): void {
    this.#presenceAlerts++;
    const known = this.#presenceIncidents.get(incident);
    if (known === undefined) this.#presenceIncidents.set(incident, { firstMs: timeMs, isLabelled });
    else known.isLabelled ||= isLabelled;
  }

  /** Days from the start to the last login, the last one perhaps in part. */
  get daysBegun(): number {
    return this.#lastMs < this.#firstMs ? 0 : Math.floor((this.#lastMs - this.#start) / DAY_MS) + 1;
  }

  /** Alerts of each day, the last one perhaps in part. */
  alertsByDay(): number[] {
    return this.#byDay(this.#alertTimesMs);
  }

  result(): BudgetHolding {
    const budget = this.#alertsPerDay;
    const wholeDays = Math.max(0, this.daysBegun - 1);
    const days = this.alertsByDay().slice(0, wholeDays);
    const weeks = Array.from({ length: Math.floor(wholeDays / DAYS_PER_WEEK) }, (_, week) =>
      sum(days.slice(week * DAYS_PER_WEEK, (week + 1) * DAYS_PER_WEEK)),
    );
    const alerts = sum(days);
    const presence = [...this.#presenceIncidents.values()];
    const unlabelled = this.#byDay(
      presence.filter(({ isLabelled }) => !isLabelled).map(({ firstMs }) => firstMs),
    ).slice(0, wholeDays);
    return {
      alertsPerDay: budget,
      days: wholeDays,
      alerts,
      meanError: budget === null || wholeDays === 0 ? null : alerts / (budget * wholeDays) - 1,
      daysWithin20Percent: budget === null ? null : shareWithin(days, budget),
      weeks: weeks.length,
      weeksWithin20Percent: budget === null ? null : shareWithin(weeks, budget * DAYS_PER_WEEK),
      presenceAlerts: this.#presenceAlerts,
      presenceIncidents: this.#presenceIncidents.size,
      presenceIncidentsWithoutLabelPerDay:
        wholeDays === 0 ? null : { mean: sum(unlabelled) / wholeDays, most: Math.max(...unlabelled) },
    };
  }

  #byDay(timesMs: readonly number[]): number[] {
    const days = new Array<number>(this.daysBegun).fill(0);
    for (const timeMs of timesMs) days[Math.floor((timeMs - this.#start) / DAY_MS)]!++;
    return days;
  }

  get #start(): number {
    return this.#startMs ?? this.#firstMs;
  }
}

function shareWithin(counts: readonly number[], budget: number): number | null {
  if (counts.length === 0) return null;
  return counts.filter((count) => Math.abs(count - budget) <= TOLERANCE * budget).length / counts.length;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

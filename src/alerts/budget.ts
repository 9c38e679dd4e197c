import type { Graph } from "../graph-state/graph.ts";
import { BIN_COUNT, type HourlyHistogram } from "../graph-state/hourly-histograms.ts";

const MS_PER_HOUR = 3_600_000;
const HOURS_PER_DAY = 24;
/** Within an hour the threshold moves with what was issued, and at each of these steps. */
const STEPS_PER_HOUR = 2;
/** AlertGroup peaks are counted in bins of a sixteenth of a nat of -ln score: 512 of them reach to 1e-14. */
export const BINS_PER_NAT = 16;
/** Days of closed groups that say what is still to come of a day. */
export const CALIBRATION_DAYS = 14;
/** Name of the histogram of the oddest scores of groups that have ended. */
export const PEAKS = "incident-peaks";
/** No threshold before this many hours of closed groups: what is expected of nothing is noise. */
const LEARN_HOURS = 12;
/** What a day left over may be spent on the next so many days, and raises each by this share of N, or by one alert. */
const CARRY_DAYS = 2;
const CARRY_SHARE = 0.2;
/** However much is left late in a day: the threshold stays below the score that this many times N groups a day have. */
const RELAXATION_MAX = 4;
/**
 * For each day's budget that the last 14 days fell short of, e times as many groups are let through. The first one is
 * scatter, a weekend; beyond the last one there are not that many groups.
 */
const SHORTFALL_DAYS = { least: 1, most: 5 };
/** Where fewer groups than the budget allows are odd at all, it is not filled up with ordinary logins. */
export const BUDGET_SCORE_MAX = 0.05;

/**
 * Holds "N alerts a day" (a UTC day) for everything below the presence tier.
 *
 * A controller with a receding horizon: the threshold is the score that as many groups are expected to stay below in the
 * rest of the day as the day may still raise alerts. Each alert takes one off, so a level that has changed is met within
 * the day. What is expected is what closed in the same hours of the last 14 days, counted as an analyst does: the oddest
 * login of each group (one user, one source host, half an hour), not rows. An integral term, what these days fell short
 * of, makes up for a level that has sunk since.
 *
 * It follows from hourly counts and event time alone, so whoever summed the same segments has the same threshold.
 */
export class AlertBudget {
  readonly alertsPerDay: number;
  readonly #peaks: HourlyHistogram;
  readonly #issued: HourlyHistogram;
  #hour = -1;
  /** Hours of closed groups that are looked at: whole days, once there is one. */
  #hours = 0;
  /** Groups that closed in them, by bin; in the hour of the day that it is now; in later hours of the day. */
  readonly #all = new Float64Array(BIN_COUNT);
  readonly #thisHour = new Float64Array(BIN_COUNT);
  readonly #laterHours = new Float64Array(BIN_COUNT);
  /** The score that RELAXATION_MAX times N groups a day stay below. */
  #loosest = 0;
  #allowedToday = 0;
  /** How many times too many groups the past makes expect, as far as the shortfall of alerts tells. */
  #excess = 1;
  #step = Number.NaN;
  #left = Number.NaN;
  #threshold = 0;

  /** @param prefix of the names of its histograms: each channel with a budget of its own has its own */
  constructor(graph: Graph, alertsPerDay: number, prefix = "") {
    this.alertsPerDay = alertsPerDay;
    this.#peaks = graph.histograms.get(prefix + PEAKS);
    this.#issued = graph.histograms.get(`${prefix}alerts-issued`);
  }

  /** Counts a group that has ended; `peakNats` is -ln of its lowest score. */
  closed(peakNats: number, watermarkMs: number): void {
    this.#peaks.record(Math.floor(watermarkMs / MS_PER_HOUR), peakNats * BINS_PER_NAT);
  }

  issue(watermarkMs: number): void {
    this.#issued.record(Math.floor(watermarkMs / MS_PER_HOUR), 0);
  }

  /** What was issued today, as a share of what the day may raise; above 1 if the day is overdrawn, 0 while it may raise nothing yet. */
  spentShare(watermarkMs: number): number {
    this.threshold(watermarkMs);
    return this.#allowedToday === 0 ? 0 : 1 - this.#left / this.#allowedToday;
  }

  /** Score below which a login of the lower tiers is an alert at this moment; 0 while learning or with nothing left. */
  threshold(watermarkMs: number): number {
    const hour = Math.floor(watermarkMs / MS_PER_HOUR);
    if (hour !== this.#hour) this.#roll(hour);
    const left = this.#allowedToday - this.#issuedWithin(startOfDay(hour), hour + 1);
    const step = Math.floor((watermarkMs / MS_PER_HOUR - hour) * STEPS_PER_HOUR);
    if (left !== this.#left || step !== this.#step) {
      this.#left = left;
      this.#step = step;
      this.#threshold = left > 0 ? this.#expecting(left, 1 - step / STEPS_PER_HOUR) : 0;
    }
    return this.#threshold;
  }

  /** The score that `groups` are expected to stay below in the rest of the day; this share of the hour is left. */
  #expecting(groups: number, share: number): number {
    const days = this.#hours / HOURS_PER_DAY;
    const hoursLeft = HOURS_PER_DAY - 1 - (this.#hour % HOURS_PER_DAY) + share;
    const wanted = groups * this.#excess;
    // Before each hour of the day was seen, all are held for alike.
    const score =
      days < 1
        ? scoreAbove((wanted / hoursLeft) * this.#hours, (bin) => this.#all[bin]!)
        : scoreAbove(wanted * days, (bin) => this.#laterHours[bin]! + share * this.#thisHour[bin]!);
    return Math.min(BUDGET_SCORE_MAX, this.#loosest, score);
  }

  #roll(hour: number): void {
    this.#hour = hour;
    this.#left = Number.NaN;
    // Twice as long as they count: else a quiet fortnight would look like a short one.
    this.#peaks.dropBefore(hour - 2 * CALIBRATION_DAYS * HOURS_PER_DAY);
    const firstHour = this.#peaks.hoursAfter(Number.NEGATIVE_INFINITY)[0] ?? hour;
    const learntHour = firstHour + LEARN_HOURS;
    const dayStart = startOfDay(hour);
    this.#issued.dropBefore(dayStart - CALIBRATION_DAYS * HOURS_PER_DAY);
    this.#allowedToday = this.#allowed(hour, dayStart, learntHour);
    const { least, most } = SHORTFALL_DAYS;
    const shortfall = this.#shortfallDays(dayStart, learntHour);
    this.#excess = Math.exp(Math.max(least, Math.min(most, shortfall)) - least);
    this.#sumPeaks(hour, firstHour);
    const loosest = RELAXATION_MAX * this.alertsPerDay * this.#excess;
    this.#loosest = scoreAbove((loosest * this.#hours) / HOURS_PER_DAY, (bin) => this.#all[bin]!);
  }

  /** What the last 14 days before `dayStart` raised too few, in budgets of a day. One in which nothing closed is none. */
  #shortfallDays(dayStart: number, learntHour: number): number {
    const oldest = Math.max(dayStart - CALIBRATION_DAYS * HOURS_PER_DAY, learntHour);
    const dayStarts = new Set(this.#peaks.hoursAfter(oldest - 1).map(startOfDay));
    let alerts = 0;
    let days = 0;
    for (let start = dayStart - HOURS_PER_DAY; start >= oldest; start -= HOURS_PER_DAY) {
      if (!dayStarts.has(start)) continue;
      alerts += this.#issuedWithin(start, start + HOURS_PER_DAY);
      days++;
    }
    return days - alerts / this.alertsPerDay;
  }

  /** Alerts of the day that begins at `dayStart`, the part of it in which the budget learns left out. */
  #allowed(hour: number, dayStart: number, learntHour: number): number {
    if (hour < learntHour) return 0;
    const hours = Math.min(HOURS_PER_DAY, dayStart + HOURS_PER_DAY - learntHour);
    if (hours < HOURS_PER_DAY) return Math.ceil((this.alertsPerDay * hours) / HOURS_PER_DAY);
    const carriedFrom = dayStart - CARRY_DAYS * HOURS_PER_DAY;
    if (learntHour > carriedFrom) return this.alertsPerDay;
    const unspent = CARRY_DAYS * this.alertsPerDay - this.#issuedWithin(carriedFrom, dayStart);
    const carryMax = Math.max(1, Math.floor(CARRY_SHARE * this.alertsPerDay));
    return this.alertsPerDay + Math.min(carryMax, Math.max(0, unspent));
  }

  /** Sums the closed groups of the last 14 days; a day in which nothing closed counts for nothing. */
  #sumPeaks(hour: number, firstHour: number): void {
    for (const sum of [this.#all, this.#thisHour, this.#laterHours]) sum.fill(0);
    const seen = Math.min(hour - firstHour, CALIBRATION_DAYS * HOURS_PER_DAY);
    const oldest = hour - (seen < HOURS_PER_DAY ? seen : startOfDay(seen));
    const days = new Set<number>();
    for (const held of this.#peaks.hoursAfter(oldest - 1)) {
      if (held >= hour) continue;
      days.add(Math.floor((held - oldest) / HOURS_PER_DAY));
      const counts = this.#peaks.get(held)!;
      const hoursLater = (held % HOURS_PER_DAY) - (hour % HOURS_PER_DAY);
      addTo(this.#all, counts);
      if (hoursLater === 0) addTo(this.#thisHour, counts);
      if (hoursLater > 0) addTo(this.#laterHours, counts);
    }
    this.#hours = seen < HOURS_PER_DAY ? seen : days.size * HOURS_PER_DAY;
  }

  /** Alerts raised from hour `from` on and before `to`. */
  #issuedWithin(from: number, to: number): number {
    let sum = 0;
    for (let hour = from; hour < to; hour++) sum += this.#issued.get(hour)?.[0] ?? 0;
    return sum;
  }
}

function startOfDay(hour: number): number {
  return hour - (hour % HOURS_PER_DAY);
}

/** The score that `groups` of those counted stay below, linear within a bin; 1 if there are no more than that. */
function scoreAbove(groups: number, countIn: (bin: number) => number): number {
  let below = 0;
  for (let bin = BIN_COUNT - 1; bin >= 0; bin--) {
    const count = countIn(bin);
    if (below + count > groups) return Math.exp((-bin - 1 + (groups - below) / count) / BINS_PER_NAT);
    below += count;
  }
  return 1;
}

function addTo(sum: Float64Array, counts: Uint32Array): void {
  for (let bin = 0; bin < BIN_COUNT; bin++) sum[bin]! += counts[bin]!;
}

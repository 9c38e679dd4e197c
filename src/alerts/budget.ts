import type { Graph } from "../graph-state/graph.ts";
import { BIN_COUNT, type HourlyHistogram } from "../graph-state/hourly-histograms.ts";
import { TrailingHistogram } from "../model/trailing-histogram.ts";

const MS_PER_HOUR = 3_600_000;
/** Incident peaks are counted in bins of a sixteenth of a nat of -ln score: 512 of them reach to 1e-14. */
const BINS_PER_NAT = 16;
/** Days of closed incidents that the threshold is read from. */
const CALIBRATION_DAYS = 14;
/** No threshold before this much of a day was seen: a quantile of nothing is noise. */
const LEARN_DAYS = 0.5;
const HOURS_PER_DAY = 24;
/** Where fewer incidents than the budget allows are odd at all, it is not filled up with ordinary logins. */
export const BUDGET_SCORE_MAX = 0.05;

/**
 * Holds "N alerts a day" for everything below the presence tier.
 *
 * Calibrated on what is counted: the oddest login of each closed incident (one user, one source host, half an hour), not
 * rows. The threshold is the score that N incidents a day stayed below over the last 14 days; a bucket stops a bad day
 * at N alerts, and what one day left over may be spent on the next.
 */
export class AlertBudget {
  readonly alertsPerDay: number;
  readonly #peaks: HourlyHistogram;
  readonly #trailingPeaks: TrailingHistogram;
  readonly #issued: HourlyHistogram;
  #hour = -1;
  #firstPeakHour = Number.NaN;
  #threshold = 0;

  /** @param prefix of the names of its histograms: each channel with a budget of its own has its own */
  constructor(graph: Graph, alertsPerDay: number, prefix = "") {
    this.alertsPerDay = alertsPerDay;
    this.#peaks = graph.histograms.get(`${prefix}incident-peaks`);
    this.#trailingPeaks = new TrailingHistogram(this.#peaks, {
      countMin: Number.POSITIVE_INFINITY,
      hoursMax: CALIBRATION_DAYS * HOURS_PER_DAY,
    });
    this.#issued = graph.histograms.get(`${prefix}alerts-issued`);
  }

  /** Counts an incident that has ended; `peakNats` is -ln of its lowest score. */
  closed(peakNats: number, watermarkMs: number): void {
    this.#peaks.record(Math.floor(watermarkMs / MS_PER_HOUR), peakNats * BINS_PER_NAT);
  }

  /** Score below which a login of the lower tiers is an alert at this moment; 0 while learning or with nothing left. */
  threshold(watermarkMs: number): number {
    const hour = Math.floor(watermarkMs / MS_PER_HOUR);
    if (hour !== this.#hour) this.#roll(hour);
    return this.#threshold > 0 && this.#left(hour) > 0 ? this.#threshold : 0;
  }

  issue(watermarkMs: number): void {
    this.#issued.record(Math.floor(watermarkMs / MS_PER_HOUR), 0);
  }

  /** Alerts that may still be raised in the day up to now. */
  #left(hour: number): number {
    const carried =
      hour - this.#firstPeakHour >= 2 * HOURS_PER_DAY
        ? Math.max(0, this.alertsPerDay - this.#issuedWithin(hour - 2 * HOURS_PER_DAY, hour - HOURS_PER_DAY))
        : 0;
    return this.alertsPerDay + carried - this.#issuedWithin(hour - HOURS_PER_DAY, hour);
  }

  /** Alerts raised in the hours after `from` up to and including `to`. */
  #issuedWithin(from: number, to: number): number {
    let sum = 0;
    for (let hour = from + 1; hour <= to; hour++) sum += this.#issued.get(hour)?.[0] ?? 0;
    return sum;
  }

  #roll(hour: number): void {
    this.#hour = hour;
    this.#trailingPeaks.roll(hour);
    this.#issued.dropBefore(hour - 3 * HOURS_PER_DAY);
    this.#firstPeakHour = this.#peaks.hoursAfter(Number.NEGATIVE_INFINITY)[0] ?? Number.NaN;
    const days = (hour - this.#firstPeakHour) / HOURS_PER_DAY;
    this.#threshold = days >= LEARN_DAYS ? this.#readThreshold(days * this.alertsPerDay) : 0;
  }

  /** The score that at most `incidents` of the closed incidents stayed below. */
  #readThreshold(incidents: number): number {
    let below = 0;
    for (let bin = BIN_COUNT - 1; bin >= 0; bin--) {
      below += this.#trailingPeaks.sum[bin]!;
      if (below > incidents) return Math.min(BUDGET_SCORE_MAX, Math.exp(-(bin + 1) / BINS_PER_NAT));
    }
    return BUDGET_SCORE_MAX;
  }
}

import { BIN_COUNT, type HourlyHistogram } from "../graph-state/hourly-histograms.ts";
import { BINS_PER_NAT, CALIBRATION_DAYS } from "./budget.ts";

const MS_PER_HOUR = 3_600_000;
const HOURS_PER_DAY = 24;

/** Bins in which scores are told: a quarter of a nat of -ln score each, a ninth of a decade, down to 1e-14. */
export const SCORE_BINS_PER_NAT = 4;
export const SCORE_BINS = (BIN_COUNT * SCORE_BINS_PER_NAT) / BINS_PER_NAT;

/** What another threshold would have raised, as far as it was counted. */
export type GroupPeaks = {
  /** Groups that ended, by the bin of their oddest score: bin i is from e^-(i + 1)/4 to e^-i/4. */
  readonly counts: readonly number[];
  /** In so many days of event time; those in which none ended count for nothing, as for the budget. */
  readonly days: number;
  /** Groups whose oddest score is not below this one were never counted. */
  readonly scoreMax: number;
  /** The budget that holds the threshold; null if it is fixed. */
  readonly alertsPerDay: number | null;
};

/** The bin of a score in (0, 1]. */
export function scoreBinOf(score: number): number {
  const bin = Math.floor(-Math.log(score) * SCORE_BINS_PER_NAT);
  return Math.max(0, Math.min(SCORE_BINS - 1, bin));
}

/**
 * The oddest scores of the groups that ended in the last 14 days, or in as many of them as there were: what a budget goes by. The hour
 * that event time is in is left out, as it is not over.
 */
export function recentPeaks(
  peaks: HourlyHistogram,
  watermarkMs: number,
): Pick<GroupPeaks, "counts" | "days"> {
  const counts = new Array<number>(SCORE_BINS).fill(0);
  if (!Number.isFinite(watermarkMs)) return { counts, days: 0 };
  const hour = Math.floor(watermarkMs / MS_PER_HOUR);
  const held = peaks.hoursAfter(Number.NEGATIVE_INFINITY).filter((one) => one < hour);
  const seen = Math.min(hour - (held[0] ?? hour), CALIBRATION_DAYS * HOURS_PER_DAY);
  // Whole days, once there is one.
  const oldest = hour - (seen < HOURS_PER_DAY ? seen : seen - (seen % HOURS_PER_DAY));
  const days = new Set<number>();
  const binsOfOne = BINS_PER_NAT / SCORE_BINS_PER_NAT;
  for (const one of held) {
    if (one < oldest) continue;
    days.add(Math.floor((one - oldest) / HOURS_PER_DAY));
    const fine = peaks.get(one)!;
    for (let bin = 0; bin < BIN_COUNT; bin++) counts[Math.floor(bin / binsOfOne)]! += fine[bin]!;
  }
  return { counts, days: seen < HOURS_PER_DAY ? seen / HOURS_PER_DAY : days.size };
}

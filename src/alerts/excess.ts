import { BIN_COUNT, type HourlyHistogram } from "../graph-state/hourly-histograms.ts";

const HOURS_PER_DAY = 24;
/** Days of ended incidents that what is usual is read from. Less than two since the first login say nothing of what a day is like. */
const USUAL_DAYS = 14;
const USUAL_DAYS_MIN = 2;
/** For so long after a change incidents are held against what was usual before it. */
const WATCHED_HOURS = 24;
/** So many times the budget's share is too much. */
const EXCESS_RATIO = 3;
/** A share is that of so many hours at least: people log in by day, and a day's budget may well be due in a working day. */
const SHARE_HOURS_MIN = 8;
/** And fewer incidents than that are no excess, however small the budget. */
const INCIDENTS_MIN = 10;

export type Excess = { readonly incidents: number; readonly allowed: number; readonly hours: number };

/**
 * Whether more would alert since a change than the budget can mean: incidents odder than all but the budget's share of those before it,
 * counted when they end, before anything stops them from alerting. So it does not matter that no more than the budget went out, nor that
 * the threshold has followed meanwhile.
 *
 * A sum over hours of the histogram, hence the same for every process that holds it.
 *
 * @param peaks ended incidents by how odd they were, by hour of event time
 * @param sinceHour hour of the change, which still counts to what was before
 * @param throughHour last hour that counts
 * @param originHour hour of the first login ever
 * @returns undefined if there is no excess, or not enough was seen before to tell
 */
export function excessSince(
  peaks: HourlyHistogram,
  hours: { readonly sinceHour: number; readonly throughHour: number; readonly originHour: number },
  alertsPerDay: number,
): Excess | undefined {
  const { sinceHour } = hours;
  const throughHour = Math.min(hours.throughHour, sinceHour + WATCHED_HOURS);
  // Older hours may be forgotten already, and must not count where they are not.
  const firstHour = Math.max(hours.originHour, hours.throughHour - USUAL_DAYS * HOURS_PER_DAY + 1);
  if (throughHour <= sinceHour || sinceHour + 1 - firstHour < USUAL_DAYS_MIN * HOURS_PER_DAY)
    return undefined;
  const held = peaks.hoursAfter(firstHour - 1);
  const before = held.filter((hour) => hour <= sinceHour);
  const since = held.filter((hour) => hour > sinceHour && hour <= throughHour);
  // Before the first one nothing could be told from anything yet.
  const usualHours = Math.max(HOURS_PER_DAY, sinceHour + 1 - (before[0] ?? firstHour));
  const bin = lowestBinOf(peaks, before, (alertsPerDay * usualHours) / HOURS_PER_DAY);
  const incidents = since.reduce((sum, hour) => sum + countFrom(peaks.get(hour)!, bin), 0);
  const shareHours = Math.max(SHARE_HOURS_MIN, throughHour - sinceHour);
  const allowed = Math.max(INCIDENTS_MIN, (EXCESS_RATIO * alertsPerDay * shareHours) / HOURS_PER_DAY);
  return incidents > allowed ? { incidents, allowed, hours: throughHour - sinceHour } : undefined;
}

/** The lowest bin from which on at most `incidents` lie in these hours. */
function lowestBinOf(peaks: HourlyHistogram, hours: readonly number[], incidents: number): number {
  const sum = new Float64Array(BIN_COUNT);
  for (const hour of hours) for (const [bin, count] of peaks.get(hour)!.entries()) sum[bin]! += count;
  let bin = BIN_COUNT;
  for (let above = 0; bin > 0; bin--) {
    above += sum[bin - 1]!;
    if (above > incidents) break;
  }
  return bin;
}

function countFrom(counts: Uint32Array, bin: number): number {
  return counts.subarray(bin).reduce((sum, count) => sum + count, 0);
}

import { z } from "zod";

const MS_PER_DAY = 86_400_000;

/** Longest time that a rule or a verdict may still hold: whoever wants it for longer says so again. */
export const UNTIL_DAYS_MAX = 366;

/** How long something holds: a date, which is the last day, in UTC, or a time with its zone. */
export const untilSchema = z.union([z.iso.date(), z.iso.datetime({ offset: true })], {
  error: "expected a date (2027-03-31) or a time with its zone (2027-03-31T18:00:00Z)",
});

/** The moment from which on it does not hold any more, ms since 1970. */
export function endMsOf(until: string): number {
  const timeMs = Date.parse(until);
  return until.includes("T") ? timeMs : timeMs + MS_PER_DAY;
}

/** Whether something is to hold for longer than anything may. */
export function isTooLong(until: string, nowMs: number): boolean {
  return endMsOf(until) - nowMs > (UNTIL_DAYS_MAX + 1) * MS_PER_DAY;
}

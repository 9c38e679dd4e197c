import type { Random } from "../model/random.ts";
import type { Calendar } from "./calendar.ts";
import { logNormal } from "./distributions.ts";
import { GROWTH, HOURS_ALL, WEEKEND_LEVEL } from "./published.ts";
import type { StreamSize } from "./stream-size.ts";

export const MINUTES_OF_DAY = 1440;
/** Spread of one minute's rate about the hour's. */
const MINUTE_SIGMA = 0.12;
const WEEKEND_HOURS = new Array<number>(24).fill(100 / 24);

/**
 * Rows that the stream has had by the end of each minute, the last being all of them: by hour and weekday as published, growing
 * evenly over the weeks, with some noise.
 */
export function rowsByMinute(size: StreamSize, calendar: Calendar, random: Random): Float64Array {
  const minutes = size.days * MINUTES_OF_DAY;
  const cumulated = new Float64Array(minutes);
  let sum = 0;
  for (let minute = 0; minute < minutes; minute++) {
    const day = Math.floor(minute / MINUTES_OF_DAY);
    const hour = Math.floor((minute % MINUTES_OF_DAY) / 60);
    const isWeekend = calendar.isWeekend(day);
    const level = (isWeekend ? WEEKEND_LEVEL : 1) * (1 + ((GROWTH - 1) * day) / size.days);
    sum += level * (isWeekend ? WEEKEND_HOURS : HOURS_ALL)[hour] * logNormal(random, MINUTE_SIGMA);
    cumulated[minute] = sum;
  }
  for (let minute = 0; minute < minutes; minute++)
    cumulated[minute] = (cumulated[minute] / sum) * size.logins;
  cumulated[minutes - 1] = size.logins;
  return cumulated;
}

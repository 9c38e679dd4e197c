import { Random } from "../model/random.ts";
import { gaussian } from "./distributions.ts";
import type { Organisation } from "./organisation.ts";

export const DAY_SECONDS = 86_400;
export const HOUR_SECONDS = 3600;

export const WEEKDAYS = [
  "monday",
  "tuesday",
  "wednesday",
  "thursday",
  "friday",
  "saturday",
  "sunday",
] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** LANL's first weekend is days 3 and 4. */
export const FIRST_WEEKDAY: Weekday = "wednesday";
const TUESDAY = 1;
const SATURDAY = 5;
/** A day off in the published weeks that is no weekend. */
const PUBLIC_HOLIDAY = 47;

const ATTENDANCE = 0.92;
const WEEKEND_ATTENDANCE = 0.06;
const HOLIDAY_SHARE = 0.3;
const HOLIDAY_DAYS = 7;
const ARRIVAL_HOUR = 8;
const STAY_HOURS = 8.8;

/** When each person came and went on a day, in seconds of the stream; -1 for who was not there. */
export type Attendance = { readonly arrival: Int32Array; readonly departure: Int32Array };

/** Working days and who works when. Every day has random numbers of its own, so days may be asked for in any order. */
export class Calendar {
  readonly #organisation: Organisation;
  readonly #seed: number;
  readonly #firstWeekday: number;
  readonly #arrivalHour: Float64Array;
  /** First day of a week off, or -1. */
  readonly #holiday: Int16Array;

  constructor(organisation: Organisation, seed: number, firstWeekday: Weekday) {
    this.#organisation = organisation;
    this.#seed = seed;
    this.#firstWeekday = WEEKDAYS.indexOf(firstWeekday);
    const random = new Random(seed, "calendar");
    const { persons, size } = organisation;
    this.#arrivalHour = Float64Array.from(persons, () => ARRIVAL_HOUR + gaussian(random));
    this.#holiday = Int16Array.from(persons, () => {
      const draw = random.nextFloat();
      return draw < HOLIDAY_SHARE ? random.nextInt(size.days) : -1;
    });
  }

  isWeekend(day: number): boolean {
    return (day + this.#firstWeekday) % 7 >= SATURDAY || day === PUBLIC_HOLIDAY;
  }

  /** Every second Tuesday. */
  isPatchNight(day: number): boolean {
    return (day + this.#firstWeekday) % 14 === TUESDAY;
  }

  isOnHoliday(person: number, day: number): boolean {
    const first = this.#holiday[person];
    return first >= 0 && day >= first && day < first + HOLIDAY_DAYS;
  }

  /** Whether a holiday of more than a few days begins. */
  holidayStarts(person: number, day: number): boolean {
    return this.#holiday[person] === day;
  }

  get holidayDays(): number {
    return HOLIDAY_DAYS;
  }

  attendance(day: number): Attendance {
    const random = new Random(this.#seed, `attendance/${day}`);
    const { persons } = this.#organisation;
    const arrival = new Int32Array(persons.length).fill(-1);
    const departure = new Int32Array(persons.length).fill(-1);
    const share = this.isWeekend(day) ? WEEKEND_ATTENDANCE : ATTENDANCE;
    for (let person = 0; person < persons.length; person++) {
      const isThere = random.nextFloat() < share;
      const hour = this.#arrivalHour[person] + 0.4 * gaussian(random);
      const stay = STAY_HOURS + 0.7 * gaussian(random);
      const { joinDay, leaveDay } = persons[person];
      if (!isThere || day < joinDay || day >= leaveDay || this.isOnHoliday(person, day)) continue;
      const from = Math.min(22, Math.max(1, hour));
      const until = Math.min(23.9, from + Math.max(1, stay));
      arrival[person] = Math.floor(day * DAY_SECONDS + from * HOUR_SECONDS);
      departure[person] = Math.floor(day * DAY_SECONDS + until * HOUR_SECONDS);
    }
    return { arrival, departure };
  }
}

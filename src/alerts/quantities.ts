const MS_PER_MINUTE = 60_000;
const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 86_400_000;

/** Of one locale, whatever the machine's: it must not change the bytes of an alert. */
export const wholeNumber = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
export const decimal = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });

/** "one login in 12,000". */
export function oneIn(probability: number): string {
  return `one login in ${wholeNumber.format(1 / probability)}`;
}

export function hosts(count: number): string {
  return count === 1 ? "1 host" : `${wholeNumber.format(count)} hosts`;
}

export function times(count: number): string {
  return count === 1 ? "once" : `${wholeNumber.format(count)} times`;
}

/** "30 days": the length of a window. */
export function days(count: number): string {
  return count === 1 ? "1 day" : `${decimal.format(count)} days`;
}

/** "1970-01-02 17:57 UTC". */
export function minuteOf(timeMs: number): string {
  const [date, time] = new Date(timeMs).toISOString().split("T") as [string, string];
  return `${date} ${time.slice(0, "17:57".length)} UTC`;
}

/** "12 days ago". */
export function ago(ms: number): string {
  if (ms < MS_PER_MINUTE) return "less than a minute ago";
  const [unit, name] =
    ms < 2 * MS_PER_HOUR
      ? [MS_PER_MINUTE, "minutes"]
      : ms < 2 * MS_PER_DAY
        ? [MS_PER_HOUR, "hours"]
        : [MS_PER_DAY, "days"];
  const count = Math.round(ms / unit);
  return `${wholeNumber.format(count)} ${count === 1 ? name.slice(0, -1) : name} ago`;
}

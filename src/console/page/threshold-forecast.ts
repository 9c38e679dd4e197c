/** What another threshold would have given, from counts alone: no part of the page. */

/** Counts by bin of score: bin i is from e^-((i + 1) / binsPerNat) to e^-(i / binsPerNat), so the oddest come last. */
export type ScoreCounts = {
  readonly binsPerNat: number;
  /** Scored by this process, those left out that presence raises. */
  readonly logins: readonly number[];
  /** That have ended, by the oddest score of each. */
  readonly groups: readonly number[];
  readonly days: number;
  readonly groupsBelow: number;
  readonly alertsPerDay: number | null;
};

/** Where the threshold is: so many bins below 1, in whole bins where somebody puts it. */
export type Place = number;

export type Forecast = {
  readonly logins: number;
  readonly groups: number;
  /** Undefined before any group has ended. */
  readonly groupsPerDay: number | undefined;
};

export function placeOf(score: number, { binsPerNat }: ScoreCounts): Place {
  return -Math.log(score) * binsPerNat;
}

export function scoreAt(place: Place, { binsPerNat }: ScoreCounts): number {
  return Math.exp(-place / binsPerNat);
}

/** Where the threshold may be put: no higher than groups are counted, and as low as there are bins. */
export function placesOf(counts: ScoreCounts): { readonly highest: Place; readonly lowest: Place } {
  // What is 12 but for rounding is 12.
  const highest = Math.max(0, Math.ceil(placeOf(counts.groupsBelow, counts) - 1e-9));
  return { highest, lowest: counts.logins.length - 1 };
}

/** What lies below a place; linear within a bin. */
export function forecastAt(place: Place, { logins, groups, days }: ScoreCounts): Forecast {
  const below = (counts: readonly number[]): number => {
    const whole = Math.ceil(place);
    const rest = counts.slice(whole).reduce((sum, count) => sum + count, 0);
    return Math.round(rest + (whole - place) * (counts[whole - 1] ?? 0));
  };
  const ended = below(groups);
  return {
    logins: below(logins),
    groups: ended,
    groupsPerDay: days > 0 ? ended / days : undefined,
  };
}

/** Where about as many groups a day lie below as the budget has alerts; a thousandth without a budget, or before anything is counted. */
export function usualPlace(counts: ScoreCounts): Place {
  const { highest, lowest } = placesOf(counts);
  const { alertsPerDay, days } = counts;
  if (alertsPerDay === null || days === 0)
    return Math.max(highest, Math.min(lowest, Math.round(placeOf(1e-3, counts))));
  for (let place = highest; place < lowest; place++)
    if (forecastAt(place, counts).groups <= alertsPerDay * days) return place;
  return lowest;
}

const whole = new Intl.NumberFormat("en-US");

export function scoreText(score: number): string {
  return score >= 0.1 ? score.toFixed(2) : score.toExponential(1);
}

export function daysText(days: number): string {
  const hours = Math.round(days * 24);
  if (hours < 48) return `${hours} ${hours === 1 ? "hour" : "hours"}`;
  return `${Math.round(days)} days`;
}

/** A number a day, no finer than such an estimate is. */
export function rateText(perDay: number): string {
  if (perDay === 0) return "none a day";
  if (perDay < 0.1) return "less than one in ten days";
  return `about ${perDay < 9.5 ? Math.round(perDay * 10) / 10 : whole.format(Math.round(perDay))} a day`;
}

/** What a threshold would have given, in words. */
export function forecastText(place: Place, counts: ScoreCounts): string {
  const { logins, groups, groupsPerDay } = forecastAt(place, counts);
  const all = counts.logins.reduce((sum, count) => sum + count, 0);
  const ofLogins = `${whole.format(logins)} of ${whole.format(all)} logins`;
  if (groupsPerDay === undefined) return `${ofLogins}; no group has ended yet`;
  const ofGroups = `${whole.format(groups)} ${groups === 1 ? "group" : "groups"} in ${daysText(counts.days)}`;
  return `${ofLogins}; ${ofGroups}, ${rateText(groupsPerDay)}`;
}

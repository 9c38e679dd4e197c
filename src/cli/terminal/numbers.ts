const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** `1,234,567`. */
export function countText(count: number): string {
  return whole.format(count);
}

/** A probability: `0.031`, `3.2e-7`. */
export function scoreText(score: number): string {
  if (!Number.isFinite(score)) return "unknown";
  return score > 0 && score < 0.001 ? score.toExponential(1) : String(Number(score.toPrecision(2)));
}

/** `one login in 3,100,000`, to two digits; beyond a billion the words carry no more than the score does. */
export function oddsText(score: number): string {
  if (!(score > 0)) return "odder than any login before";
  const logins = 1 / score;
  if (logins > 1e9) return "less than one login in a billion";
  return `one login in ${logins < 10 ? Number(logins.toPrecision(2)) : countText(Number(logins.toPrecision(2)))}`;
}

/** `8 s`, `1 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function durationText(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  if (total < 60) return `${total} s`;
  if (total < 3600) return pair(total, 60, "min", 1, "s");
  if (total < 86_400) return pair(total, 3600, "h", 60, "min");
  return pair(total, 86_400, "d", 3600, "h");
}

function pair(total: number, bigSeconds: number, big: string, smallSeconds: number, small: string): string {
  const rest = Math.floor((total % bigSeconds) / smallSeconds);
  return `${Math.floor(total / bigSeconds)} ${big}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}

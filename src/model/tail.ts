/** Weight that the fitted tail should rest on, if there is that much, and the share of all it takes. */
const TAIL_WEIGHT_MIN = 30;
const TAIL_SHARE = 0.02;
const KNOTS_MAX = 512;
/** Keeps a tail of equal values from being infinitely steep, relative to the largest value. */
const SCALE_MIN = 1e-3;
const PROBABILITY_MIN = 1e-300;

/**
 * Distribution of an oddness: how likely a value at least as large is. Plain data.
 *
 * Up to `start` the empirical survival, linear between knots; beyond it an exponential tail, so that it never saturates.
 */
export type Tail = {
  /** Ascending values, and the share of the weight at or above each. */
  readonly values: number[];
  readonly survival: number[];
  readonly start: number;
  readonly startSurvival: number;
  /** Mean excess over `start`. */
  readonly scale: number;
};

/**
 * Fits the distribution of `values`, larger = odder, each counting `weights` times.
 *
 * The tail is the mean-excess special case (shape 0) of the peaks-over-threshold fit: it can't claim a bound beyond
 * which nothing is odder. One pseudo-observation keeps small samples from being sure of themselves.
 *
 * @see Siffer et al., "Anomaly Detection in Streams with Extreme Value Theory", KDD 2017
 */
export function fitTail(values: ArrayLike<number>, weights: ArrayLike<number>): Tail {
  const order = Array.from({ length: values.length }, (_, i) => i)
    .filter((i) => weights[i]! > 0)
    .sort((a, b) => values[a]! - values[b]!);
  const total = order.reduce((sum, i) => sum + weights[i]!, 0);
  if (order.length === 0) return { values: [0], survival: [1], start: 0, startSurvival: 1, scale: 1 };

  const tailWeight = Math.min(total, Math.max(TAIL_WEIGHT_MIN, total * TAIL_SHARE));
  let above = 0;
  let first = order.length;
  while (first > 0 && above < tailWeight) above += weights[order[--first]!]!;
  const start = values[order[first]!]!;
  let excess = 0;
  for (let k = first; k < order.length; k++) excess += weights[order[k]!]! * (values[order[k]!]! - start);
  const scale = Math.max(excess / above, SCALE_MIN * Math.max(1, Math.abs(values[order.at(-1)!]!)));

  const body: { value: number; survival: number }[] = [];
  let atOrAbove = total;
  const step = total / KNOTS_MAX;
  let lastKnot = Number.POSITIVE_INFINITY;
  for (let k = 0; k <= first; k++) {
    const value = values[order[k]!]!;
    const isSame = body.length > 0 && body.at(-1)!.value === value;
    // Keep the ends and as many knots between as say something new.
    if (!isSame && (k === 0 || k === first || lastKnot - atOrAbove >= step)) {
      body.push({ value, survival: (atOrAbove + 1) / (total + 1) });
      lastKnot = atOrAbove;
    }
    atOrAbove -= weights[order[k]!]!;
  }
  if (body.at(-1)!.value !== start) body.push({ value: start, survival: (above + 1) / (total + 1) });
  return {
    values: body.map((knot) => knot.value),
    survival: body.map((knot) => knot.survival),
    start,
    startSurvival: body.at(-1)!.survival,
    scale,
  };
}

/** Probability of a value at least as large as `x`, in (0, 1]. */
export function tailProbability(tail: Tail, x: number): number {
  const { values, survival, start, startSurvival, scale } = tail;
  if (x >= start) return Math.max(PROBABILITY_MIN, startSurvival * Math.exp(-(x - start) / scale));
  if (!(x > values[0]!)) return 1;
  let low = 0;
  let high = values.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (values[middle]! <= x) low = middle;
    else high = middle;
  }
  const share = (x - values[low]!) / (values[high]! - values[low]!);
  return survival[low]! + share * (survival[high]! - survival[low]!);
}

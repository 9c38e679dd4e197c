import { CONTRAST_FEATURES, LINK_FEATURES } from "./features.ts";
import { fitLogistic } from "./logistic.ts";

const L2 = 0.01;
/** Fewer logins than this say nothing. */
const LOGINS_MIN = 100;
/** A feature that hardly varies says nothing either, and would be blown up. */
const SCALE_MIN = 1e-6;

/**
 * What a nat of the link that the graph model finds least likely adds, besides what is learnt for it: the fakes are told apart
 * by counts alone mostly, so it would get hardly any weight, and who stays on his own host with his own account shows in
 * nothing else. Chosen on generated streams.
 */
const LINK_SHARE = 0.5;

export const FEATURE_COUNT = CONTRAST_FEATURES.length;
const LINK_PLACES = CONTRAST_FEATURES.flatMap(({ name }, k) => (LINK_FEATURES.has(name) ? [k] : []));

/** A fitted contrast: how odd a login is, as the log-odds that it is a fake. Plain data. */
export type ContrastFit = {
  /** Of each feature, in the order of `CONTRAST_FEATURES`; at least 0, and 0 for one that says nothing. */
  readonly weights: Float64Array;
  readonly bias: number;
  /** What stands in for a feature that a login does not have; the same for real ones and fakes, or it would give them away. */
  readonly missing: Float64Array;
  readonly means: Float64Array;
  readonly scales: Float64Array;
  /** Whether the graph model's likelihoods count. */
  readonly usesLinks: boolean;
  /** Log-odds of the real logins it was fitted to. */
  readonly realScores: Float64Array;
};

/**
 * Fits the contrast to sampled logins and their fakes.
 *
 * @param samples of each login the rows of its features, first its own, then those of its fakes; a fake that could not be made
 *   is a row of NaN
 * @param usesLinks whether the graph model's likelihoods count
 * @returns undefined if there are too few logins
 */
export function fitContrast(samples: readonly Float32Array[], usesLinks: boolean): ContrastFit | undefined {
  const rows: Float32Array[] = [];
  const labels: number[] = [];
  for (const sample of samples) {
    for (let at = 0; at < sample.length; at += FEATURE_COUNT) {
      const row = sample.subarray(at, at + FEATURE_COUNT);
      if (row.every(Number.isNaN)) continue;
      rows.push(row);
      labels.push(at === 0 ? 0 : 1);
    }
  }
  const realCount = labels.filter((label) => label === 0).length;
  if (realCount < LOGINS_MIN || realCount === labels.length) return undefined;
  const missing = new Float64Array(FEATURE_COUNT);
  const means = new Float64Array(FEATURE_COUNT);
  const scales = new Float64Array(FEATURE_COUNT).fill(Number.POSITIVE_INFINITY);
  for (const [k, { name }] of CONTRAST_FEATURES.entries()) {
    if (!usesLinks && LINK_FEATURES.has(name)) continue;
    const known = Float64Array.from(rows, (row) => row[k]!)
      .filter((value) => !Number.isNaN(value))
      .sort();
    if (known.length === 0) continue;
    missing[k] = known[known.length >> 1]!;
    const values = rows.map((row) => (Number.isNaN(row[k]!) ? missing[k]! : row[k]!));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    means[k] = mean;
    if (Math.sqrt(variance) > SCALE_MIN) scales[k] = Math.sqrt(variance);
  }
  const standardised = new Float64Array(rows.length * FEATURE_COUNT);
  for (const [i, row] of rows.entries()) {
    for (let k = 0; k < FEATURE_COUNT; k++) {
      const value = Number.isNaN(row[k]!) ? missing[k]! : row[k]!;
      standardised[i * FEATURE_COUNT + k] = (value - means[k]!) / scales[k]!;
    }
  }
  const { weights, bias } = fitLogistic(standardised, Uint8Array.from(labels), FEATURE_COUNT, L2);
  const fit = { weights, bias, missing, means, scales, usesLinks };
  const real = rows.filter((_, i) => labels[i] === 0);
  return { ...fit, realScores: Float64Array.from(real, (row) => logOddsOf(fit, row)) };
}

/**
 * @param values features of a login, NaN where it has none
 * @param contributions what each feature adds, if asked for; below 0 where it is less odd than usual
 */
export function logOddsOf(
  { weights, bias, missing, means, scales, usesLinks }: Omit<ContrastFit, "realScores">,
  values: ArrayLike<number>,
  contributions?: Float64Array,
): number {
  let sum = bias;
  const link = usesLinks ? leastLikelyLink(values) : undefined;
  for (let k = 0; k < FEATURE_COUNT; k++) {
    const value = Number.isNaN(values[k]!) ? missing[k]! : values[k]!;
    let part = weights[k] === 0 ? 0 : (weights[k]! * (value - means[k]!)) / scales[k]!;
    if (k === link) part += LINK_SHARE * values[k]!;
    if (contributions !== undefined) contributions[k] = part;
    sum += part;
  }
  return sum;
}

/** Place of the likelihood of the link that the graph model finds least likely; undefined if it says nothing of any. */
function leastLikelyLink(values: ArrayLike<number>): number | undefined {
  let least: number | undefined;
  for (const k of LINK_PLACES) {
    if (!Number.isNaN(values[k]!) && (least === undefined || values[k]! > values[least]!)) least = k;
  }
  return least;
}

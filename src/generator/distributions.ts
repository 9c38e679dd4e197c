import type { Random } from "../model/random.ts";

/**
 * Draws an index in proportion to its weight, in constant time: one random number, two memory reads.
 *
 * @see A. J. Walker, "An Efficient Method for Generating Discrete Random Variables with General Distributions", 1977;
 *   built in linear time as in M. D. Vose, 1991
 */
export class AliasTable {
  readonly count: number;
  readonly #probability: Float64Array;
  readonly #alias: Int32Array;

  /** @param weights not negative; if all are zero, every index is as likely as any other */
  constructor(weights: ArrayLike<number>) {
    const count = weights.length;
    this.count = count;
    this.#probability = new Float64Array(count).fill(1);
    this.#alias = new Int32Array(count);
    let sum = 0;
    for (let i = 0; i < count; i++) sum += weights[i];
    if (!(sum > 0)) return;
    const small = new Int32Array(count);
    const large = new Int32Array(count);
    let smalls = 0;
    let larges = 0;
    const probability = this.#probability;
    for (let i = 0; i < count; i++) {
      probability[i] = (weights[i] * count) / sum;
      if (probability[i] < 1) small[smalls++] = i;
      else large[larges++] = i;
    }
    while (smalls > 0 && larges > 0) {
      const low = small[--smalls];
      const high = large[larges - 1];
      this.#alias[low] = high;
      probability[high] -= 1 - probability[low];
      if (probability[high] < 1) {
        larges--;
        small[smalls++] = high;
      }
    }
    // What is left over differs from 1 by rounding only.
    while (smalls > 0) probability[small[--smalls]] = 1;
    while (larges > 0) probability[large[--larges]] = 1;
  }

  /** The table must not be empty. */
  draw(random: Random): number {
    const at = random.nextFloat() * this.count;
    const i = Math.floor(at);
    return at - i < this.#probability[i] ? i : this.#alias[i];
  }
}

/** Standard normal, by Box and Muller. */
export function gaussian(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.nextFloat()));
  return radius * Math.cos(2 * Math.PI * random.nextFloat());
}

/** Log-normal with median 1. */
export function logNormal(random: Random, sigma: number): number {
  return Math.exp(sigma * gaussian(random));
}

export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random.nextFloat());
}

/** 1, 2, 3, ... with the given mean (above 1). */
export function geometric(random: Random, mean: number): number {
  return 1 + Math.floor(Math.log(1 - random.nextFloat()) / Math.log(1 - 1 / mean));
}

export function oneOf<T>(items: ArrayLike<T>, random: Random): T {
  return items[random.nextInt(items.length)];
}

/** Whole number in `from .. to - 1`. */
export function between(random: Random, from: number, to: number): number {
  return from + random.nextInt(Math.max(1, to - from));
}

export function shuffled<T>(items: Iterable<T>, random: Random): T[] {
  const list = [...items];
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.nextInt(i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}

/**
 * So many different indices that each is taken with probability `count` times its share: whoever weighs them equally
 * afterwards gets the shares themselves. Systematic sampling; shares above `1 / count` are always taken.
 */
export function sampleByShare(shares: readonly number[], count: number, random: Random): number[] {
  const total = shares.reduce((sum, share) => sum + share, 0);
  const chosen: number[] = [];
  let next = random.nextFloat();
  let cumulated = 0;
  for (let i = 0; i < shares.length; i++) {
    cumulated += Math.min(1, (count * shares[i]) / total);
    if (cumulated > next) {
      chosen.push(i);
      next += 1;
    }
  }
  return chosen.length > 0 ? chosen : [random.nextInt(shares.length)];
}

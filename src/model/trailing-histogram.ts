import { BIN_COUNT, type HourlyHistogram } from "../graph-state/hourly-histograms.ts";

/**
 * Sum of the newest closed hours of an hourly histogram: as many as hold `countMin` observations together, at most
 * `hoursMax` of them. Depends on the closed hours alone, so a restored engine arrives at the same sum.
 */
export class TrailingHistogram {
  readonly sum: Float64Array = new Float64Array(BIN_COUNT);
  total = 0;
  readonly #histogram: HourlyHistogram;
  readonly #countMin: number;
  readonly #hoursMax: number;
  /** The hours in the sum with their totals, oldest first; bounded by `hoursMax`. */
  readonly #included: { hour: number; total: number }[] = [];

  constructor(histogram: HourlyHistogram, limits: { readonly countMin: number; readonly hoursMax: number }) {
    this.#histogram = histogram;
    this.#countMin = limits.countMin;
    this.#hoursMax = limits.hoursMax;
  }

  /** Takes in the hours that closed before `hour` and lets go of those no longer needed. */
  roll(hour: number): void {
    const newest = this.#included.at(-1)?.hour ?? Number.NEGATIVE_INFINITY;
    for (const candidate of this.#histogram.hoursAfter(newest))
      if (candidate < hour) this.#include(candidate);
    for (;;) {
      const oldest = this.#included[0];
      if (oldest === undefined) break;
      if (oldest.hour >= hour - this.#hoursMax && this.total - oldest.total < this.#countMin) break;
      this.#change(oldest.hour, -1);
      this.#included.shift();
    }
    this.#histogram.dropBefore(this.#included[0]?.hour ?? hour);
  }

  /** The value, in bins, below which the share `q` of the observations lies; linear within a bin. NaN if empty. */
  quantile(q: number): number {
    const wanted = q * this.total;
    let below = 0;
    for (let bin = 0; bin < BIN_COUNT; bin++) {
      const count = this.sum[bin]!;
      if (count > 0 && below + count >= wanted) return bin + Math.max(0, wanted - below) / count;
      below += count;
    }
    return Number.NaN;
  }

  #include(hour: number): void {
    const before = this.total;
    this.#change(hour, 1);
    this.#included.push({ hour, total: this.total - before });
  }

  #change(hour: number, sign: 1 | -1): void {
    const counts = this.#histogram.get(hour)!;
    for (let bin = 0; bin < BIN_COUNT; bin++) {
      this.sum[bin]! += sign * counts[bin]!;
      this.total += sign * counts[bin]!;
    }
  }
}

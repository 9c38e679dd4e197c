import { BIN_COUNT, type HourlyHistogram } from "../graph-state/hourly-histograms.ts";

/**
 * Sum of the newest closed hours of an hourly histogram: as many as hold `countMin` observations together, at most
 * `hoursMax` of them. Depends on the closed hours alone, so a restored engine arrives at the same sum.
 *
 * Added up anew at each roll, not kept in step: to hours that are closed here, other processes still add. 336 hours are
 * 172,000 additions, once an hour of event time.
 */
export class TrailingHistogram {
  readonly sum: Float64Array = new Float64Array(BIN_COUNT);
  total = 0;
  readonly #histogram: HourlyHistogram;
  readonly #countMin: number;
  readonly #hoursMax: number;

  constructor(histogram: HourlyHistogram, limits: { readonly countMin: number; readonly hoursMax: number }) {
    this.#histogram = histogram;
    this.#countMin = limits.countMin;
    this.#hoursMax = limits.hoursMax;
  }

  /**
   * Takes in the hours that closed before `hour`, as they stand now, and lets go of those no longer needed.
   *
   * @param since the first hour that counts
   */
  roll(hour: number, since = Number.NEGATIVE_INFINITY): void {
    this.sum.fill(0);
    this.total = 0;
    const first = Math.max(hour - this.#hoursMax, since);
    const closed = this.#histogram.hoursAfter(first - 1).filter((held) => held < hour);
    let oldest = hour;
    for (const held of closed.toReversed()) {
      if (this.total >= this.#countMin) break;
      oldest = held;
      this.#include(held);
    }
    this.#histogram.dropBefore(oldest);
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
    const counts = this.#histogram.get(hour)!;
    for (let bin = 0; bin < BIN_COUNT; bin++) {
      this.sum[bin]! += counts[bin]!;
      this.total += counts[bin]!;
    }
  }
}

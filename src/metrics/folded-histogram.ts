import type { Sample } from "./pulled-metric.ts";

/**
 * Counts of values by bucket, for what is observed with every record: one addition to an array each, where prom-client takes a
 * fifth of a microsecond.
 */
export class FoldedHistogram {
  readonly #bounds: Float64Array;
  /** Of each bucket alone, the last one being for what is above all bounds. */
  readonly #counts: Float64Array;
  #sum = 0;
  #count = 0;

  /** @param bounds upper ones, ascending */
  constructor(bounds: readonly number[]) {
    this.#bounds = Float64Array.from(bounds);
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.#sum += value;
    this.#count++;
  }

  /** As Prometheus has them: each bucket counts those below it too. */
  *samples(name: string): Generator<Sample> {
    let below = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      below += count;
      const le = bucket < this.#bounds.length ? this.#bounds[bucket]! : "+Inf";
      yield { metricName: `${name}_bucket`, labels: { le }, value: below };
    }
    yield { metricName: `${name}_sum`, labels: {}, value: this.#sum };
    yield { metricName: `${name}_count`, labels: {}, value: this.#count };
  }
}

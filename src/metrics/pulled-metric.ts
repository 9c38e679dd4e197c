import type { MetricType } from "./catalogue.ts";

export type Labels = Readonly<Record<string, string | number>>;

/** A value with its labels; `metricName` where it is not the metric's own, as of a bucket. */
export type Sample = { readonly value: number; readonly labels: Labels; readonly metricName?: string };

/**
 * A metric that is read when it is scraped, from where it is counted anyway: it costs nothing in between. prom-client has no counter
 * that can be set, and asks no more of a metric than this.
 */
export class PulledMetric {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly #read: () => Iterable<Sample>;

  constructor(name: string, type: MetricType, help: string, read: () => Iterable<Sample>) {
    this.name = name;
    this.type = type;
    this.help = help;
    this.#read = read;
  }

  async get() {
    return {
      name: this.name,
      help: this.help,
      type: this.type,
      aggregator: "sum",
      values: [...this.#read()],
    };
  }

  reset(): void {}
}

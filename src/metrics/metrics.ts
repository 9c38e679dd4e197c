import assert from "node:assert/strict";
import {
  Counter,
  collectDefaultMetrics,
  Histogram,
  type Metric,
  prometheusContentType,
  Registry,
} from "prom-client";
import { VERSION } from "../version.ts";
import { definitionOf, type MetricName, type MetricType, PREFIX, type Role } from "./catalogue.ts";
import { FoldedHistogram } from "./folded-histogram.ts";
import { type Labels, PulledMetric, type Sample } from "./pulled-metric.ts";

/** What a metric without labels is, or none where nobody knows. */
type Value = number | undefined;
export type LabelledValue = readonly [Labels, number];

/** The metrics of one process, and their exposition. A metric has to be in the catalogue; each is defined here once. */
export class Metrics {
  readonly contentType: string = prometheusContentType;
  readonly #registry = new Registry();
  readonly #role: Role;

  constructor(role: Role) {
    this.#role = role;
    collectDefaultMetrics({ register: this.#registry });
    this.pullEach("build_info", () => [[{ version: VERSION, nodejs: process.versions.node }, 1]]);
  }

  /** All of them, in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** A counter of what is counted as it happens. */
  counter(name: MetricName): Counter<string> {
    const { help, labels } = this.#define(name, "counter");
    return new Counter({ name: PREFIX + name, help, labelNames: labels, registers: [this.#registry] });
  }

  /** A histogram of what happens some thousand times a second at most. */
  histogram(name: MetricName): Histogram<string> {
    const { help, labels, buckets = [] } = this.#define(name, "histogram");
    return new Histogram({
      name: PREFIX + name,
      help,
      labelNames: labels,
      buckets: [...buckets],
      registers: [this.#registry],
    });
  }

  /** A histogram of what is observed with every record. */
  foldedHistogram(name: MetricName): FoldedHistogram {
    const { help, buckets = [] } = this.#define(name, "histogram");
    const histogram = new FoldedHistogram(buckets);
    this.#pull(name, "histogram", help, () => histogram.samples(PREFIX + name));
    return histogram;
  }

  /** A gauge or counter without labels, read when it is scraped. */
  pull(name: MetricName, read: () => Value): void {
    this.pullEach(name, () => {
      const value = read();
      return value === undefined ? [] : [[{}, value]];
    });
  }

  /** A gauge or counter read when it is scraped, by its labels. */
  pullEach(name: MetricName, read: () => Iterable<LabelledValue>): void {
    const { type, help, labels } = this.#define(name, definitionOf(name).type);
    this.#pull(name, type, help, function* () {
      for (const [given, value] of read()) {
        assert.deepEqual(Object.keys(given).sort(), labels.toSorted(), `labels of ${name}`);
        yield { labels: given, value };
      }
    });
  }

  #pull(name: MetricName, type: MetricType, help: string, read: () => Iterable<Sample>): void {
    const metric = new PulledMetric(PREFIX + name, type, help, read);
    this.#registry.registerMetric(metric as unknown as Metric);
  }

  #define(name: MetricName, type: MetricType) {
    const definition = definitionOf(name);
    assert.equal(definition.type, type, `${name} is no ${type}`);
    assert.ok(definition.roles.includes(this.#role), `${name} is no metric of a ${this.#role}`);
    return { ...definition, labels: [...definition.labels] };
  }
}

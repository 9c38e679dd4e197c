import { Liveness } from "../../console/liveness.ts";
import type { Operations } from "../../console/operations.ts";
import { sumOf } from "../../engine/totals.ts";
import type { NormalizedCounts } from "../../log/kafka/normalizing.ts";
import { ConsumerMetrics } from "../../metrics/consumer-metrics.ts";
import { pullResolution } from "../../metrics/delivery-metrics.ts";
import { type LabelledValue, Metrics } from "../../metrics/metrics.ts";
import { REAL_TIME } from "../../time.ts";
import type { ResolutionCounts } from "../resolution.ts";

/** Metrics and health of a normalizer. */
export class NormalizerWatch implements Operations {
  readonly metrics = new Metrics("normalizer");
  readonly consumers: ConsumerMetrics;
  readonly #liveness: Liveness;

  /** @param counts of each raw topic */
  constructor(counts: () => ReadonlyMap<string, NormalizedCounts>, resolution: () => ResolutionCounts) {
    this.#liveness = new Liveness(REAL_TIME.monotonicMs, () => this.consumers.hasWork());
    this.consumers = new ConsumerMetrics(this.metrics, this.#liveness.moved);
    this.metrics.pull("ready", () => (this.unready() === undefined ? 1 : 0));
    this.metrics.pullEach("normalized_records_total", function* (): Generator<LabelledValue> {
      for (const [topic, { login, evidence, ignored, rejected }] of counts()) {
        yield [{ topic, outcome: "login" }, login];
        yield [{ topic, outcome: "evidence" }, evidence];
        yield [{ topic, outcome: "ignored" }, sumOf(ignored)];
        yield [{ topic, outcome: "dead-letter" }, sumOf(rejected)];
      }
    });
    pullResolution(this.metrics, resolution);
  }

  /** Something goes wrong and is tried again. */
  troubled(): void {
    this.#liveness.moved();
  }

  unready(): string | undefined {
    return this.consumers.isWatching ? this.consumers.unready() : "no topic is read yet";
  }

  stuck(): string | undefined {
    return this.#liveness.stuck();
  }
}

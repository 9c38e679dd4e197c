import type { ConsumerMeter, ConsumerStanding, PartitionStanding } from "../log/kafka/consumer-meter.ts";
import type { Lag } from "../log/kafka/lag-monitor.ts";
import type { LabelledValue, Metrics } from "./metrics.ts";

/** What there is to be read of a topic that is consumed. */
export type ConsumedTopic = {
  readonly standing: () => ConsumerStanding;
  /** Of the partitions of this process. */
  readonly lags: () => readonly Lag[];
  /** Of the topic, whoever has them; undefined while nobody knows. */
  readonly partitionCount: () => number | undefined;
};

/** What the consumers of a process do, by topic. */
export class ConsumerMetrics {
  readonly #rebalances;
  readonly #rebalanceSeconds;
  readonly #transactions;
  readonly #backpressure;
  readonly #topics = new Map<string, ConsumedTopic>();
  readonly #moved: () => void;

  /** @param moved to be told when something was done, or tried */
  constructor(metrics: Metrics, moved: () => void = () => {}) {
    this.#moved = moved;
    this.#rebalances = metrics.counter("rebalances_total");
    this.#rebalanceSeconds = metrics.histogram("rebalance_seconds");
    this.#transactions = metrics.counter("transactions_total");
    this.#backpressure = metrics.counter("backpressure_seconds_total");
    const countOf = (counts: (partition: PartitionStanding) => boolean) => () =>
      this.#each(({ standing }) => standing().partitions.filter(counts).length);
    metrics.pullEach(
      "partitions_assigned",
      countOf(() => true),
    );
    metrics.pullEach(
      "partitions_ready",
      countOf(({ isReady }) => isReady),
    );
    metrics.pullEach(
      "paused_partitions",
      countOf(({ isPaused }) => isPaused),
    );
    metrics.pullEach("input_partitions", () => this.#each(({ partitionCount }) => partitionCount()));
    metrics.pullEach("consumer_lag_records", () => this.#lags(({ records }) => records));
    metrics.pullEach("consumer_lag_seconds", () => this.#lags(({ seconds }) => seconds));
  }

  meterOf(topic: string): ConsumerMeter {
    return {
      transaction: (outcome) => {
        this.#transactions.inc({ topic, outcome });
        this.#moved();
      },
      rebalance: (seconds) => {
        this.#rebalances.inc({ topic });
        this.#rebalanceSeconds.observe({ topic }, seconds);
        this.#moved();
      },
      paused: (seconds) => this.#backpressure.inc({ topic }, seconds),
    };
  }

  watch(topic: string, consumed: ConsumedTopic): void {
    this.#topics.set(topic, consumed);
  }

  get isWatching(): boolean {
    return this.#topics.size > 0;
  }

  /** Whether records wait that this process may go on with. */
  hasWork(): boolean {
    return [...this.#topics.values()].some(({ standing }) => {
      const { isRebalancing, partitions } = standing();
      return !isRebalancing && partitions.some(({ isReady, oldestMs }) => isReady && oldestMs !== undefined);
    });
  }

  /** Of all partitions of this process. */
  lags(): readonly Lag[] {
    return [...this.#topics.values()].flatMap(({ lags }) => lags());
  }

  /** Why what is consumed can't be worked on now; undefined if it can. To have no partition is to stand by. */
  unready(): string | undefined {
    for (const [topic, { standing }] of this.#topics) {
      const { isMember, partitions } = standing();
      if (!isMember) return `the group has not given out the partitions of ${topic} yet`;
      const waiting = partitions.filter(({ isReady }) => !isReady);
      if (waiting.length > 0) return `${waiting.length} partition(s) of ${topic} are being taken on`;
    }
    return undefined;
  }

  *#each(read: (topic: ConsumedTopic) => number | undefined): Generator<LabelledValue> {
    for (const [topic, consumed] of this.#topics) {
      const value = read(consumed);
      if (value !== undefined) yield [{ topic }, value];
    }
  }

  *#lags(read: (lag: Lag) => number): Generator<LabelledValue> {
    for (const [topic, { lags }] of this.#topics)
      for (const lag of lags()) yield [{ topic, partition: lag.partition }, read(lag)];
  }
}

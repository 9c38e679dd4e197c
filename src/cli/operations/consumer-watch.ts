import type { KafkaClient } from "../../log/kafka/client.ts";
import type { ConsumerStanding } from "../../log/kafka/consumer-meter.ts";
import { LagMonitor } from "../../log/kafka/lag-monitor.ts";
import type { ConsumerMetrics } from "../../metrics/consumer-metrics.ts";
import { REAL_TIME } from "../../time.ts";

export type WatchedConsumer = {
  readonly topic: string;
  readonly client: Pick<KafkaClient, "topicOffsets">;
  readonly standing: () => ConsumerStanding;
};

/**
 * Has the metrics tell of a topic that is consumed, and how far behind this process is.
 *
 * @returns what ends it: until then the brokers are asked, and the process does not end by itself
 */
export function watchConsumer(
  metrics: ConsumerMetrics,
  { topic, client, standing }: WatchedConsumer,
): () => void {
  const stopping = new AbortController();
  const monitor = new LagMonitor({ client, time: REAL_TIME, topic, standing, signal: stopping.signal });
  metrics.watch(topic, {
    standing,
    lags: () => monitor.list(),
    partitionCount: () => monitor.partitionCount,
  });
  void monitor.run();
  return () => stopping.abort();
}

import type { KafkaClient, TransactionalProducer } from "../../src/log/kafka/client.ts";
import type { Log } from "../../src/log/port.ts";

/** A log that does as another one, but for what is changed. */
export function wrapLog(log: Log, changes: Partial<Log>): Log {
  return {
    get isEndless() {
      return log.isEndless;
    },
    get isShared() {
      return log.isShared;
    },
    get commitIntervalMs() {
      return log.commitIntervalMs;
    },
    follow: (topic, onRecord) => log.follow(topic, onRecord),
    append: (topic, record) => log.append(topic, record),
    readBack: (topic, partition) => log.readBack(topic, partition),
    assignments: (signal) => log.assignments(signal),
    commit: (commit) => log.commit(commit),
    totals: () => log.totals(),
    progress: () => log.progress(),
    close: () => log.close(),
    ...changes,
  };
}

export function wrapClient(client: KafkaClient, changes: Partial<KafkaClient>): KafkaClient {
  return {
    join: (options) => client.join(options),
    producer: (transactionalId) => client.producer(transactionalId),
    tail: (options) => client.tail(options),
    committedOffsets: (group, topic, partitions) => client.committedOffsets(group, topic, partitions),
    topicOffsets: (topic) => client.topicOffsets(topic),
    close: () => client.close(),
    ...changes,
  };
}

export function wrapProducer(
  producer: TransactionalProducer,
  changes: Partial<TransactionalProducer>,
): TransactionalProducer {
  return {
    fence: () => producer.fence(),
    transact: (records, position) => producer.transact(records, position),
    close: () => producer.close(),
    ...changes,
  };
}

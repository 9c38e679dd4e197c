import type { KafkaClient } from "../../src/log/kafka/client.ts";
import type { KafkaLogOptions } from "../../src/log/kafka/kafka-log.ts";
import { TOPIC_NAMES } from "../../src/log/kafka/produced-records.ts";
import type { Time } from "../../src/time.ts";

/** What a Kafka log of a test has, whichever cluster it is on. */
export function kafkaLogOptions(client: KafkaClient, time: Time, topics = TOPIC_NAMES): KafkaLogOptions {
  return {
    client,
    time,
    group: `readers of ${topics.logins}`,
    topics,
    recordBytesMax: 1 << 20,
    queueBytesMax: 1 << 20,
    commitIntervalMs: 50,
    drainMs: 5000,
    onLostInput: "fail",
    onTrouble: () => {},
  };
}

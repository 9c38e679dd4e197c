import type { KafkaClient } from "../../src/log/kafka/client.ts";
import type { KafkaLogOptions } from "../../src/log/kafka/kafka-log.ts";
import type { Time } from "../../src/time.ts";

export const TOPICS = {
  logins: "logins",
  alerts: "alerts",
  scoredLogins: "scored-logins",
  deadLetters: "dead-letters",
  graphState: "graph-state",
  epochs: "epochs",
  verdicts: "verdicts",
};

/** What a Kafka log of the contract has, whichever cluster it is on. */
export function kafkaLogOptions(client: KafkaClient, time: Time, topics = TOPICS): KafkaLogOptions {
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

import assert from "node:assert/strict";
import { test } from "node:test";
import { errorOfCode } from "../../../../src/log/kafka/kafkajs/internals.ts";
import { wordsFor } from "../../../../src/log/kafka/kafkajs/words.ts";

function words(namespace: string, message: string, more: Readonly<Record<string, unknown>> = {}) {
  return wordsFor({ namespace, log: { timestamp: "", message, broker: "kafka-1:9092", ...more } });
}

const answer = (request: string, code: number): string | undefined =>
  words("Connection", `Response ${request}(key: 1, version: 3)`, { error: errorOfCode(code).message });

test("what kafkajs says at every stop, rebalance and outage is nothing for an operator", () => {
  const everyday = [
    words("RequestQueue", "Response without match"),
    words("Runner", "The group is rebalancing, re-joining", { error: "The group is rebalancing" }),
    words("Consumer", "Crash: KafkaJSNonRetriableError: write after end"),
    words("Consumer", "Restarting the consumer in 5ms"),
    words("Connection", "Connection error: write after end"),
    words("BrokerPool", "Failed to connect to seed broker, trying another broker from the list: refused"),
    answer("Heartbeat", 27),
    answer("Metadata", 3),
    answer("EndTxn", 51),
    answer("Fetch", 6),
    answer("SyncGroup", 22),
  ];
  assert.deepEqual(
    everyday,
    everyday.map(() => undefined),
  );
});

test("what only kafkajs notices is said in our words", () => {
  assert.equal(
    answer("Fetch", 29),
    "broker kafka-1:9092 refuses a request, Fetch: Not authorized to access topics: [Topic authorization failed]",
  );
  assert.equal(
    words("SaslAuthenticator-plain", "SASL PLAIN authentication failed: Invalid credentials"),
    "logging in to broker kafka-1:9092: SASL PLAIN authentication failed: Invalid credentials",
  );
  assert.match(
    words("ConsumerGroup", "Consumer group received unsubscribed topics", { groupId: "oddlink" })!,
    /another member of the group oddlink reads other topics/,
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Cluster } from "../../../../src/log/kafka/kafkajs/internals.ts";
import { patchKafkajs } from "../../../../src/log/kafka/kafkajs/patches.ts";

test("what waiting may heal is no reason for kafkajs to end a member", async () => {
  patchKafkajs();
  const cluster = { brokerPool: { withBroker: async () => null } };
  const found = Cluster.prototype.findGroupCoordinatorMetadata.call(cluster, {});
  await assert.rejects(found, { name: "KafkaJSGroupCoordinatorNotFound", retriable: true });
});

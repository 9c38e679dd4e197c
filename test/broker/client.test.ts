import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Kafka, logLevel } from "kafkajs";
import { KafkajsClient } from "../../src/log/kafka/kafkajs/client.ts";
import type { CodecName } from "../../src/log/kafka/kafkajs/codecs.ts";
import { REAL_TIME } from "../../src/time.ts";
import { type KafkaWorld, kafkaClientContract } from "../conformance/kafka-client.ts";
import {
  assertCode,
  clientOf,
  type Reading,
  reachesEnd,
  readGroup,
  readTail,
  TEST_MS_MAX,
  until,
} from "./client-reading.ts";
import type { KafkaBroker } from "./kafka-broker.ts";
import { sharedBroker } from "./shared-broker.ts";

const CODECS: readonly CodecName[] = ["gzip", "snappy", "lz4", "zstd"];

// The cleaner looks every fifteen seconds unless told otherwise.
const plainBroker = sharedBroker({ extra: { "log.cleaner.backoff.ms": "200" } });

async function realWorld(t: TestContext): Promise<KafkaWorld> {
  const broker = await plainBroker();
  const kafka = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING });
  return {
    client: () => new KafkajsClient({ brokers: [broker.brokers], clientId: "test" }),
    createTopic: (topic, { partitions }) => broker.createTopics({ [topic]: { partitions } }),
    leaveOpen: async (transactionalId, records) => {
      const producer = kafka.producer({
        transactionalId,
        maxInFlightRequests: 1,
        transactionTimeout: 60_000,
      });
      t.after(() => producer.disconnect());
      await producer.connect();
      const transaction = await producer.transaction();
      for (const { topic, partition, key, value } of records) {
        const message = { key, value, ...(partition === undefined ? {} : { partition }) };
        await transaction.send({ topic, messages: [message] });
      }
    },
    time: REAL_TIME,
    run: (scenario) => scenario(),
  };
}

kafkaClientContract("kafkajs on a real broker", realWorld);

describe("codecs", () => {
  test("records written with each codec are read by tails and groups", {
    timeout: TEST_MS_MAX,
  }, async (t) => {
    const broker = await plainBroker();
    for (const compression of CODECS) {
      const topic = `written-${compression}`;
      await broker.createTopics({ [topic]: { partitions: 1 } });
      const client = clientOf(t, { brokers: [broker.brokers], compression });
      const producer = client.producer(topic);
      await producer.fence();
      const values = Array.from({ length: 500 }, (_, i) => `${i} `.repeat(100));
      await producer.transact(values.map((value) => ({ topic, key: "k", value })));
      const bytes = values.join("").length;
      assert.ok(broker.partitionBytes(topic, 0) < bytes / 4, `${compression} was not used`);
      const tail = readTail(client, topic);
      const group = await readGroup(client, topic, topic);
      await until(`${compression} is read`, () => tail.values.length === 500 && group.values.length === 500);
      assert.deepEqual(tail.values, values);
      assert.deepEqual(group.values, values);
    }
  });

  test("records that Java has compressed are read", { timeout: TEST_MS_MAX }, async (t) => {
    const broker = await plainBroker();
    for (const compression of CODECS) {
      const topic = `recompressed-${compression}`;
      // The broker compresses what comes in another way than the topic's, with the libraries that Java clients have.
      await broker.createTopics({ [topic]: { partitions: 1, config: { "compression.type": compression } } });
      const client = clientOf(t, { brokers: [broker.brokers] });
      const producer = client.producer(topic);
      await producer.fence();
      // More than a block of either of the formats that have blocks.
      const values = Array.from({ length: 500 }, (_, i) => `${i} `.repeat(200));
      await producer.transact(values.map((value) => ({ topic, key: "k", value })));
      assert.ok(broker.partitionBytes(topic, 0) < values.join("").length / 4, `${compression} was not used`);
      const tail = readTail(client, topic);
      await reachesEnd(client, topic, tail);
      assert.deepEqual(tail.values, values);
    }
  });

  test("a batch that is far larger than it looks ends its readers, by name", {
    timeout: TEST_MS_MAX,
  }, async (t) => {
    const broker = await plainBroker();
    const topic = "bomb";
    await broker.createTopics({ [topic]: { partitions: 1 } });
    const client = clientOf(t, { brokers: [broker.brokers], compression: "zstd" });
    const producer = client.producer(topic);
    await producer.fence();
    await producer.transact([{ topic, key: "k", value: Buffer.alloc(65 * 1024 * 1024) }]);
    const tail = readTail(client, topic);
    const group = await readGroup(client, topic, topic);
    for (const { crashes } of [tail, group]) {
      await until("it has ended", () => crashes.length > 0);
      assertCode(crashes[0], "SOURCE_UNREADABLE");
      assert.match(crashes[0]!.message, /bomb, partition 0.*offset 0/);
    }
  });
});

describe("logs that lose records", () => {
  test("a tail passes what compaction has left of transactions", { timeout: TEST_MS_MAX }, async (t) => {
    const broker = await plainBroker();
    const topic = "compacted";
    const config = {
      "cleanup.policy": "compact",
      "segment.ms": "50",
      "min.cleanable.dirty.ratio": "0.001",
      "delete.retention.ms": "0",
    };
    await broker.createTopics({ [topic]: { partitions: 1, config } });
    const client = clientOf(t, { brokers: [broker.brokers] });
    let written = 0;
    for (let round = 0; round < 4; round++) {
      // Each producer's last batch is kept as an empty shell, for its sequence number.
      const producer = client.producer(`${topic}-${round % 3}`);
      await producer.fence();
      for (let i = 0; i < 10; i++) {
        await producer.transact([
          { topic, key: `k${i % 3}`, value: `${written++}` },
          { topic, key: "deleted", value: i % 2 === 0 ? "here" : null },
        ]);
      }
      await sleep(100);
    }
    const whole = readTail(client, topic);
    await reachesEnd(client, topic, whole);
    // Segments are closed by what comes after them: the last record of this loop is never cleaned.
    let left = whole;
    const producer = client.producer(topic);
    await producer.fence();
    await until("something was compacted", async () => {
      await producer.transact([{ topic, key: "last", value: "last" }]);
      left = readTail(client, topic);
      await reachesEnd(client, topic, left);
      return left.records.length < 20;
    });
    const latest = (reading: Reading) =>
      new Map(reading.records.map(({ key, value }) => [String(key), value === null ? null : String(value)]));
    for (const key of ["k0", "k1", "k2"]) assert.equal(latest(left).get(key), latest(whole).get(key));
    assert.equal(latest(left).get("deleted") ?? null, null);
    assert.ok(left.records[0]!.offset > 0);
  });

  test("a tail begins at the log start when its beginning is gone", { timeout: TEST_MS_MAX }, async (t) => {
    const broker = await plainBroker();
    const topic = "cut";
    await broker.createTopics({ [topic]: { partitions: 1 } });
    const client = clientOf(t, { brokers: [broker.brokers] });
    const producer = client.producer(topic);
    await producer.fence();
    for (const value of ["a", "b", "c"]) await producer.transact([{ topic, key: "k", value }]);
    await deleteRecords(broker, topic, 4);
    assert.deepEqual(await client.topicOffsets(topic), [{ partition: 0, low: 4, high: 6, stable: 6 }]);
    const tail = readTail(client, topic);
    await reachesEnd(client, topic, tail);
    assert.deepEqual(tail.values, ["c"]);
    // A group that was further back goes on from there too, and is not moved by it.
    const position = { group: "behind", topic, partition: 0, offset: 1 };
    await producer.transact([], position);
    // A group whose position is still being committed has none, and would begin at the log start for that.
    const committed = () => client.committedOffsets("behind", topic, [0]);
    await until("the position is there", async () => (await committed())[0] === 1);
    const group = await readGroup(client, topic, "behind");
    await until("the group has read what is left", () => group.values.length > 0);
    assert.deepEqual(group.values, ["c"]);
    assert.deepEqual(await committed(), [1]);
    // Nothing left at all: the end is reached all the same.
    await deleteRecords(broker, topic, 6);
    await reachesEnd(client, topic, readTail(client, topic));
  });
});

async function deleteRecords(broker: KafkaBroker, topic: string, below: number): Promise<void> {
  const admin = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  // Only what was asked for before is known to it.
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(below) }] });
  await admin.disconnect();
}

test("nobody at the address, a topic that is not there: errors that say so", {
  timeout: TEST_MS_MAX,
}, async (t) => {
  const broker = await plainBroker();
  const client = clientOf(t, { brokers: [broker.brokers] });
  await assert.rejects(client.topicOffsets("no-such-topic"), { code: "KAFKA_TOPIC_MISSING" });
  await assert.rejects(readGroup(client, "no-such-topic", "g"), { code: "KAFKA_TOPIC_MISSING" });
  const lost = clientOf(t, { brokers: ["127.0.0.1:1"] });
  const tail = readTail(lost, "any");
  await assert.rejects(lost.topicOffsets("any"), { code: "KAFKA_UNREACHABLE" });
  assert.deepEqual(tail.crashes, []);
});

test("nothing is printed, and no timer is set for a time that is past", {
  timeout: TEST_MS_MAX,
}, async (t) => {
  const broker = await plainBroker();
  const topic = "quiet";
  await broker.createTopics({ [topic]: { partitions: 1 } });
  const warnings: Error[] = [];
  const onWarning = (warning: Error): number => warnings.push(warning);
  process.on("warning", onWarning);
  t.after(() => process.off("warning", onWarning));
  const printed = [
    t.mock.method(console, "log"),
    t.mock.method(console, "error"),
    t.mock.method(console, "info"),
  ];
  const timers = t.mock.method(globalThis, "setTimeout");
  const client = clientOf(t, { brokers: [broker.brokers] });
  const producer = client.producer(topic);
  await producer.fence();
  await producer.transact([{ topic, key: "k", value: "v" }]);
  const callsBefore = timers.mock.callCount();
  await sleep(500);
  // Unmended, each of the producer's connections sets one a millisecond.
  assert.ok(timers.mock.callCount() - callsBefore < 100, `${timers.mock.callCount() - callsBefore} timers`);
  assert.deepEqual(warnings, []);
  for (const print of printed) assert.equal(print.mock.callCount(), 0);
});

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Kafka, logLevel } from "kafkajs";
import { type ErrorCode, OddlinkError } from "../../src/errors.ts";
import { type ConsumedRecord, type KafkaClient, TransactionError } from "../../src/log/kafka/client.ts";
import type { CodecName } from "../../src/log/kafka/codecs.ts";
import { KafkajsClient } from "../../src/log/kafka/kafkajs-client.ts";
import type { KafkaClientOptions, KafkaSasl } from "../../src/log/kafka/kafkajs-connection.ts";
import { REAL_TIME } from "../../src/time.ts";
import { type KafkaWorld, kafkaClientContract } from "../conformance/kafka-client.ts";
import { type BrokerOptions, type KafkaBroker, SASL_USER, startBroker } from "./kafka-broker.ts";
import { ADD_PARTITIONS_TO_TXN, END_TXN, LosingProxy, PRODUCE } from "./losing-proxy.ts";

/** Both far more than is needed on a machine that has something else to do. */
const TEST_MS_MAX = 120_000;
const LIMIT_MS = 45_000;
const CODECS: readonly CodecName[] = ["gzip", "snappy", "lz4", "zstd"];

const teardowns: (() => Promise<void>)[] = [];
/** Called inside a test, `after` would run at the end of that test. */
after(async () => {
  for (const teardown of teardowns) await teardown();
});

const brokers = new Map<string, Promise<KafkaBroker>>();

/** A broker that several tests share. */
function sharedBroker(name: string, options: BrokerOptions = {}): Promise<KafkaBroker> {
  const found = brokers.get(name) ?? startBroker({ after: (teardown) => teardowns.push(teardown) }, options);
  brokers.set(name, found);
  return found;
}

const plainBroker = (): Promise<KafkaBroker> =>
  // The cleaner looks every fifteen seconds unless told otherwise.
  sharedBroker("plain", { extra: { "log.cleaner.backoff.ms": "200" } });

function clientOf(t: TestContext, options: Omit<KafkaClientOptions, "clientId">): KafkaClient {
  const client = new KafkajsClient({ clientId: "test", ...options });
  t.after(() => client.close());
  return client;
}

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

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + LIMIT_MS;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) assert.fail(`not within ${LIMIT_MS} ms: ${what}`);
    await sleep(10);
  }
}

type Reading = {
  readonly values: string[];
  readonly records: ConsumedRecord[];
  readonly crashes: Error[];
  position: number;
};

const newReading = (): Reading => ({ values: [], records: [], crashes: [], position: 0 });

function add(reading: Reading, records: readonly ConsumedRecord[]): void {
  for (const record of records) {
    reading.records.push(record);
    reading.values.push(String(record.value));
  }
}

/** Reads partition 0 of a topic. */
function readTail(client: KafkaClient, topic: string): Reading {
  const reading = newReading();
  client.tail({
    topic,
    onRecords: (partition, records, position) => {
      if (partition !== 0) return;
      add(reading, records);
      reading.position = position;
    },
    onCrash: (error) => reading.crashes.push(error),
  });
  return reading;
}

/** Reads partition 0 of a topic in a group; what came before and comes again is left out. */
async function readGroup(client: KafkaClient, topic: string, group: string): Promise<Reading> {
  const reading = newReading();
  await client.join({
    group,
    topic,
    onAssigned: () => {},
    onRebalancing: async () => {},
    onRecords: (_, records) => {
      const fresh = records.filter(({ offset }) => offset >= reading.position);
      add(reading, fresh);
      reading.position = Math.max(reading.position, (fresh.at(-1)?.offset ?? -1) + 1);
    },
    onCrash: (error) => reading.crashes.push(error),
  });
  return reading;
}

async function reachesEnd(client: KafkaClient, topic: string, reading: Reading): Promise<void> {
  const [offsets] = await client.topicOffsets(topic);
  await until(`the end of ${topic} is reached`, () => reading.position >= offsets!.high);
  assert.deepEqual(reading.crashes, []);
}

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

describe("a broker that goes away", () => {
  test("tail, member and producer go on when it comes back", { timeout: 2 * TEST_MS_MAX }, async (t) => {
    const broker = await startBroker(t);
    const topic = "restarted";
    await broker.createTopics({ [topic]: { partitions: 1 } });
    const client = clientOf(t, { brokers: [broker.brokers] });
    const tail = readTail(client, topic);
    const group = await readGroup(client, topic, topic);
    const written: string[] = [];
    let producer = client.producer(topic);
    await producer.fence();
    /** As the log does it: what is not known to be aborted is asked for, through a producer that fences the one before. */
    const write = async (value: string): Promise<void> => {
      written.push(value);
      for (;;) {
        try {
          const offset = written.length;
          await producer.transact([{ topic, key: "k", value }], {
            group: "writer",
            topic,
            partition: 0,
            offset,
          });
          return;
        } catch (error) {
          assert.ok(error instanceof TransactionError, `${error}`);
          if (error.outcome === "aborted") continue;
          await producer.close();
          producer = client.producer(topic);
          await producer.fence();
          const [committed] = await client.committedOffsets("writer", topic, [0]);
          if (committed === written.length) return;
        }
      }
    };
    const allRead = (what: string) =>
      until(`all is read ${what}`, () => {
        return tail.values.length >= written.length && group.values.length >= written.length;
      });
    await write("a");
    await allRead("before");
    await broker.kill();
    const during = write("b");
    await sleep(500);
    await broker.start();
    await during;
    await write("c");
    await allRead("after a kill");
    await broker.stop();
    await sleep(500);
    await broker.start();
    await write("d");
    await allRead("after a stop");
    assert.deepEqual(tail.values, ["a", "b", "c", "d"]);
    assert.deepEqual(group.values, ["a", "b", "c", "d"]);
    assert.deepEqual([...tail.crashes, ...group.crashes], []);

    // Hung, not dead: connections stay open and nothing is answered.
    const impatient = clientOf(t, {
      brokers: [broker.brokers],
      requestTimeoutMs: 1000,
      transactionTimeoutMs: 2000,
    });
    const patientTail = readTail(impatient, topic);
    await reachesEnd(client, topic, patientTail);
    const hung = impatient.producer("hung");
    await hung.fence();
    await hung.transact([{ topic, key: "k", value: "e" }]);
    broker.pause();
    const failed = await hung
      .transact([{ topic, key: "k", value: "never" }])
      .catch((error: unknown) => error);
    assert.ok(failed instanceof TransactionError, `${failed}`);
    assert.equal(failed.outcome, "unknown");
    broker.resume();
    const next = impatient.producer("hung");
    await next.fence();
    await next.transact([{ topic, key: "k", value: "f" }]);
    await until("it is read", () => patientTail.values.includes("f"));
    assert.deepEqual(patientTail.values, ["a", "b", "c", "d", "e", "f"]);
    assert.deepEqual(patientTail.crashes, []);
    // While there is somebody to say goodbye to.
    await Promise.all([client.close(), impatient.close()]);
  });

  test("requests and answers that are lost are made good, or the outcome is unknown", {
    timeout: TEST_MS_MAX,
  }, async (t) => {
    const proxy = await LosingProxy.listen(t);
    const broker = await startBroker(t, { proxyPorts: [proxy.port] });
    proxy.forwardTo(broker.proxiedPort());
    const topic = "lost";
    await broker.createTopics({ [topic]: { partitions: 2 } });
    const client = clientOf(t, { brokers: [`127.0.0.1:${proxy.port}`], transactionTimeoutMs: 2000 });
    const tail = readTail(client, topic);
    const producer = client.producer(topic);
    await producer.fence();
    const expected: string[] = [];
    for (const request of [ADD_PARTITIONS_TO_TXN, PRODUCE, END_TXN]) {
      for (const what of ["request", "answer"] as const) {
        const value = `${what} ${request} lost twice`;
        proxy.lose(what, request, 2);
        await producer.transact([0, 1].map((partition) => ({ topic, partition, key: "k", value })));
        assert.equal(proxy.losses, 0, `${value}, but it was not`);
        expected.push(value);
      }
    }
    await reachesEnd(client, topic, tail);
    assert.deepEqual(tail.values, expected);

    const committed = async (): Promise<number | undefined> => {
      const [offset] = await client.committedOffsets("writer", topic, [0]);
      return offset;
    };
    for (const [what, offset, becomes] of [
      ["answer", 1, 1],
      ["request", 2, 1],
    ] as const) {
      const next = client.producer(topic);
      await next.fence();
      proxy.lose(what, END_TXN, Number.POSITIVE_INFINITY);
      const records = [{ topic, partition: 0, key: "k", value: `each ${what} lost` }];
      const position = { group: "writer", topic, partition: 0, offset };
      const error = await next.transact(records, position).catch((reason: unknown) => reason);
      assert.ok(error instanceof TransactionError, `${error}`);
      assert.equal(error.outcome, "unknown");
      // Of no use any more, whatever it is asked.
      await assert.rejects(next.transact(records), { outcome: "unknown" });
      proxy.lose(what, END_TXN, 0);
      await client.producer(topic).fence();
      // What was unknown is now settled: the first one was committed, the second one never will be.
      assert.equal(await committed(), becomes);
    }
    expected.push("each answer lost");
    await reachesEnd(client, topic, tail);
    assert.deepEqual(tail.values, expected);
    await client.close();
  });
});

describe("a secured broker", () => {
  const CLOSED = "closed";
  const secured = async (): Promise<KafkaBroker> => {
    const isFirst = !brokers.has("secured");
    const broker = await sharedBroker("secured", {
      isSecured: true,
      extra: {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS;User:CN=client",
      },
    });
    if (isFirst) {
      await broker.createTopics({ open: { partitions: 1 }, [CLOSED]: { partitions: 1 } });
      await broker.allow(SASL_USER.username, "open");
    }
    return broker;
  };
  const now = (): number => Math.floor(Date.now() / 1000);
  const token = (): string => {
    const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
    const claims = { sub: SASL_USER.username, iat: now() - 10, exp: now() + 600 };
    return `${encode({ alg: "none" })}.${encode(claims)}.`;
  };

  async function works(t: TestContext, options: Omit<KafkaClientOptions, "clientId">): Promise<void> {
    const client = clientOf(t, options);
    const id = `open-${Math.random()}`;
    const producer = client.producer(id);
    await producer.fence();
    await producer.transact([{ topic: "open", key: "k", value: id }]);
    const tail = readTail(client, "open");
    const group = await readGroup(client, "open", id);
    await until("it is read", () => tail.values.includes(id) && group.values.includes(id));
    await client.close();
  }

  /** Nothing works, each in a way that tells why. */
  async function isRefused(
    t: TestContext,
    options: Omit<KafkaClientOptions, "clientId">,
    code: ErrorCode,
  ): Promise<void> {
    const client = clientOf(t, options);
    const errors = await Promise.all([
      client.topicOffsets("open").catch((error: unknown) => error),
      readGroup(client, "open", "open-refused").catch((error: unknown) => error),
      client
        .producer("open-refused")
        .fence()
        .catch((error: unknown) => error),
    ]);
    for (const error of errors) assertCode(error, code);
    if (code === "KAFKA_DENIED") {
      const tail = readTail(client, "open");
      await until("the tail has ended", () => tail.crashes.length > 0);
      assertCode(tail.crashes[0], code);
    }
  }

  const { username, password } = SASL_USER;
  const logins: KafkaSasl[] = [
    { mechanism: "plain", username, password },
    { mechanism: "scram-sha-256", username, password },
    { mechanism: "scram-sha-512", username, password },
    { mechanism: "oauthbearer", token: async () => token() },
  ];
  for (const sasl of logins) {
    test(`lets in with SASL ${sasl.mechanism}`, { timeout: TEST_MS_MAX }, async (t) => {
      const broker = await secured();
      await works(t, { brokers: [broker.secured.sasl], sasl });
    });
  }

  test("refuses wrong credentials, which appear in no message", { timeout: TEST_MS_MAX }, async (t) => {
    const broker = await secured();
    const logged: string[] = [];
    const wrong: KafkaSasl[] = [
      { mechanism: "plain", username, password: "hunter2-wrong" },
      { mechanism: "scram-sha-256", username, password: "hunter2-wrong" },
      { mechanism: "oauthbearer", token: async () => "hunter2-wrong" },
    ];
    await Promise.all(
      wrong.map((sasl) =>
        isRefused(
          t,
          { brokers: [broker.secured.sasl], sasl, log: (_, message) => logged.push(message) },
          "KAFKA_DENIED",
        ),
      ),
    );
    assert.ok(logged.some((message) => /authentication failed/.test(message)));
    assert.ok(!logged.some((message) => message.includes("hunter2")));
  });

  test("ends a tail that may not read its topic", { timeout: TEST_MS_MAX }, async (t) => {
    const broker = await secured();
    const client = clientOf(t, { brokers: [broker.secured.sasl], sasl: logins[0]! });
    const tail = readTail(client, CLOSED);
    await until("the tail has ended", () => tail.crashes.length > 0);
    assertCode(tail.crashes[0], "KAFKA_DENIED");
    await assert.rejects(client.topicOffsets(CLOSED), { code: "KAFKA_DENIED" });
  });

  test("lets in over TLS, with a client certificate where it asks for one", {
    timeout: TEST_MS_MAX,
  }, async (t) => {
    const { secured: at } = await secured();
    const { ca, clientCertificate: cert, clientKey: key } = at.certificates;
    await works(t, { brokers: [at.mutualTls], ssl: { ca, cert, key } });
    // A super user on this listener, as everybody who is anonymous.
    await works(t, { brokers: [at.tls], ssl: { ca } });
  });

  test("refuses TLS without the right certificates", { timeout: TEST_MS_MAX }, async (t) => {
    const { secured: at } = await secured();
    const { ca } = at.certificates;
    await Promise.all([
      isRefused(t, { brokers: [at.tls], ssl: true }, "KAFKA_DENIED"),
      isRefused(t, { brokers: [at.mutualTls], ssl: { ca } }, "KAFKA_DENIED"),
    ]);
  });
});

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

function assertCode(error: unknown, code: ErrorCode): void {
  assert.ok(error instanceof OddlinkError, `${error}`);
  assert.equal(error.code, code, error.message);
}

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, type TestContext, test } from "node:test";
import type { ErrorCode } from "../../src/errors.ts";
import type { KafkaClientOptions, KafkaSasl } from "../../src/log/kafka/kafkajs/connection.ts";
import { SASL_USER } from "./broker-configuration.ts";
import { assertCode, clientOf, readGroup, readTail, TEST_MS_MAX, until } from "./client-reading.ts";
import { sharedBroker } from "./shared-broker.ts";

describe("a secured broker", () => {
  const CLOSED = "closed";
  const secured = sharedBroker(
    {
      isSecured: true,
      extra: {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS;User:CN=client",
      },
    },
    async (broker) => {
      await broker.createTopics({ open: { partitions: 1 }, [CLOSED]: { partitions: 1 } });
      await broker.allow(SASL_USER.username, "open");
    },
  );
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

import assert from "node:assert/strict";
import { test } from "node:test";
import { KafkajsClient } from "../../src/log/kafka/kafkajs/client.ts";
import { run } from "../processes/oddlink.ts";
import { SASL_USER } from "./broker-configuration.ts";
import { startBroker } from "./kafka-broker.ts";
import { WorkerCluster } from "./worker-cluster.ts";

const SETTINGS = {
  ODDLINK_INPUT_FORMAT: "oddlink",
  ODDLINK_TRAINING_MODE: "off",
  ODDLINK_KAFKA_SESSIONTIMEOUTMS: "1500",
};
const LOGIN = JSON.stringify({ timeMs: 1.7e12, user: "ann", sourceHost: "pc", targetHost: "db" });

type Report = {
  readonly ok: boolean;
  readonly checks: { name: string; status: string; found: string; remedy?: string }[];
};

async function doctor(env: Record<string, string>) {
  const { code, stdout, stderr } = await run(["doctor", "--json"], { env });
  const report = JSON.parse(stdout) as Report;
  assert.equal(code, report.ok ? 0 : 1, stderr);
  const found = Object.fromEntries(report.checks.map((check) => [check.name, check]));
  const statuses = Object.fromEntries(report.checks.map(({ name, status }) => [name, status]));
  return { found, statuses };
}

test("doctor finds a cluster in order beside its worker, disturbs nobody, and finds what was broken", {
  timeout: 90_000,
}, async (t) => {
  const broker = await startBroker(t);
  const cluster = new WorkerCluster(t, broker, 2, SETTINGS);
  const env = { ODDLINK_KAFKA_BROKERS: broker.brokers, ...SETTINGS };
  const client = new KafkajsClient({ brokers: [broker.brokers], clientId: "test" });
  t.after(() => client.close());

  const empty = await doctor(env);
  assert.equal(empty.statuses["brokers"], "ok");
  assert.equal(empty.statuses["topics"], "FAIL");
  assert.match(empty.found["topics"]!.found, /oddlink\.logins missing/);
  const half = await doctor({ ...env, ODDLINK_KAFKA_BROKERS: `${broker.brokers},127.0.0.1:1` });
  assert.equal(half.statuses["brokers"], "warn");
  assert.match(
    half.found["brokers"]!.found,
    /of those configured can't be reached: 127\.0\.0\.1:1: ECONNREFUSED$/,
  );
  assert.equal(empty.statuses["writing"], "skip");

  await cluster.createTopics();
  const worker = cluster.startWorker();
  await cluster.produce(Array.from({ length: 50 }, (_, i) => ({ key: `k${i}`, value: LOGIN })));
  await cluster.drained(30_000);
  const healthy = await doctor(env);
  assert.deepEqual(healthy.statuses, {
    node: "ok",
    gpu: "ok",
    registry: "skip",
    brokers: "ok",
    topics: "ok",
    reading: "ok",
    writing: "ok",
    training: "ok",
    clock: "ok",
    lag: "ok",
    state: "ok",
  });
  assert.match(healthy.found["brokers"]!.found, /^1 of 1 answer, Kafka 4\.1 or later; no TLS, no SASL$/);
  assert.match(healthy.found["lag"]!.found, /^0 records behind in 2 partitions; 1 worker in the group$/);
  assert.match(healthy.found["clock"]!.found, /no difference to the broker within \d+ ms/);

  // The worker was not shut out and lost nothing, and nobody sees what was tried.
  await cluster.produce(Array.from({ length: 50 }, (_, i) => ({ key: `k${i}`, value: LOGIN })));
  await cluster.drained(30_000);
  // The producer of these tests may write records twice, at a new topic for one.
  const ends = await client.topicOffsets("oddlink.logins");
  assert.equal(
    (await cluster.stop(worker)).consumed,
    ends.reduce((sum, { high }) => sum + high, 0),
  );
  assert.doesNotMatch(worker.output.stderr, /fenced|lost|unknown/);
  assert.equal((await client.read("oddlink.alerts", 0, 0)).records.length, 0);

  await cluster.produce([{ key: "a", value: LOGIN }]);
  const idle = await doctor(env);
  assert.match(
    idle.found["lag"]!.found,
    /^1 records behind in 2 partitions, most in partition [01]: 1; 0 workers/,
  );
  assert.equal(idle.statuses["lag"], "warn");
  const other = await doctor({ ...env, ODDLINK_KAFKA_GROUP: "other" });
  assert.equal(other.statuses["state"], "FAIL");
  assert.match(other.found["state"]!.found, /partition 0: nothing committed, those below \d+ held/);
});

test("doctor says which permissions are missing, and prints no secret", { timeout: 180_000 }, async (t) => {
  const broker = await startBroker(t, {
    isSecured: true,
    extra: {
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "super.users": "User:ANONYMOUS",
    },
  });
  const cluster = new WorkerCluster(t, broker, 1, SETTINGS);
  await cluster.createTopics();
  const env = {
    ...SETTINGS,
    ODDLINK_KAFKA_BROKERS: broker.secured.sasl,
    ODDLINK_KAFKA_SASL_MECHANISM: "scram-sha-512",
    ODDLINK_KAFKA_SASL_USERNAME: SASL_USER.username,
    ODDLINK_KAFKA_SASL_PASSWORD: SASL_USER.password,
  };
  const denied = await doctor(env);
  assert.equal(denied.statuses["brokers"], "ok");
  assert.match(denied.found["brokers"]!.found, /no TLS, SASL scram-sha-512$/);
  assert.equal(denied.statuses["topics"], "FAIL");

  await broker.allow(SASL_USER.username, "oddlink");
  const allowed = await doctor(env);
  for (const name of ["topics", "reading", "writing", "training", "clock", "lag", "state"])
    assert.equal(allowed.statuses[name], "ok", JSON.stringify(allowed.found[name]));

  // Another group's transactional ids are not covered.
  const other = await doctor({ ...env, ODDLINK_KAFKA_GROUP: "other" });
  assert.equal(other.statuses["writing"], "FAIL");
  assert.equal(other.statuses["training"], "warn");
  assert.match(other.found["training"]!.found, /transactional id other-trainer.*refused/);
  assert.match(other.found["writing"]!.found, /transactional id other-oddlink\.logins-0.*refused/);

  const wrong = await run(["doctor"], { env: { ...env, ODDLINK_KAFKA_SASL_PASSWORD: "wrong-secret" } });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stdout, /^FAIL {2}brokers .*credentials/m);
  assert.doesNotMatch(wrong.stdout + wrong.stderr, /wrong-secret/);

  // Spoken to in another way than it expects.
  const { sasl, tls } = broker.secured;
  for (const [address, settings, expected] of [
    [
      broker.brokers,
      { ODDLINK_KAFKA_SSL_ENABLED: "true" },
      /TLS is set, .*does not speak it; set kafka\.ssl/,
    ],
    [tls, {}, /no TLS is set, .*speaks nothing else; set kafka\.ssl\.enabled to true/],
    [sasl, {}, /takes connections, and does not answer.*set kafka\.sasl\.mechanism/],
    [
      broker.brokers,
      { ...env, ODDLINK_KAFKA_BROKERS: undefined },
      /takes no SASL; leave kafka\.sasl\.mechanism out/,
    ],
  ] as const) {
    const { stdout } = await run(["doctor"], { env: { ...settings, ODDLINK_KAFKA_BROKERS: address } });
    assert.match(stdout.match(/^FAIL {2}brokers .*$/m)?.[0] ?? stdout, expected);
  }
});

test("doctor checks the rest where there is no Kafka and no registry", { timeout: 30_000 }, async () => {
  const { found, statuses } = await doctor({
    ODDLINK_KAFKA_BROKERS: "127.0.0.1:1",
    ODDLINK_INPUT_REGISTRY_URL: "http://user:hidden@127.0.0.1:1",
  });
  assert.deepEqual(statuses, { node: "ok", gpu: "ok", registry: "FAIL", brokers: "FAIL" });
  assert.match(found["brokers"]!.found, /127\.0\.0\.1:1: ECONNREFUSED/);
  assert.match(found["registry"]!.found, /does not answer \(fetch refuses this port\)$/);
  assert.match(found["registry"]!.remedy ?? "", /input\.registry/);
  assert.doesNotMatch(JSON.stringify(found), /hidden/);
});

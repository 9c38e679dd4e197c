import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import kafkajs, { type Admin } from "kafkajs";
import type { LoginBytes } from "../../src/ingest/login-bytes.ts";
import { USER } from "../../src/ingest/login-bytes.ts";
import { patchKafkajs } from "../../src/log/kafka/kafkajs/patches.ts";
import { FAILS_IN_ADDING, FAILS_IN_SCORING } from "../engine/poison.ts";
import { ended, run } from "../processes/oddlink.ts";
import { verify } from "../verification/verifier.ts";
import { type KafkaBroker, startBroker } from "./kafka-broker.ts";
import { type RunningWorker, WorkerCluster } from "./worker-cluster.ts";

const PARTITIONS = 2;
const TEST_MS_MAX = 180_000;
const WAIT_MS_MAX = 60_000;
const POISONED = pathToFileURL(join(import.meta.dirname, "..", "engine", "poisoned.ts"));

let broker: KafkaBroker;
const teardowns: (() => Promise<void>)[] = [];
before(async () => {
  broker = await startBroker({ after: (teardown) => teardowns.push(teardown) });
});
after(async () => {
  for (const teardown of teardowns) await teardown();
});

/** A cluster with topics of its own. */
async function newCluster(t: TestContext, name: string) {
  const settings = {
    ODDLINK_INPUT_FORMAT: "oddlink",
    ODDLINK_TRAINING_MODE: "off",
    ODDLINK_THRESHOLD: "0.01",
    ODDLINK_OUTPUTS_SCOREDLOGINS: "true",
    ODDLINK_KAFKA_SESSIONTIMEOUTMS: "1500",
    ODDLINK_KAFKA_TOPICPREFIX: `${name}.`,
    ODDLINK_KAFKA_GROUP: name,
  };
  const cluster = new WorkerCluster(t, broker, PARTITIONS, settings);
  await cluster.createTopics();
  const env = { ODDLINK_KAFKA_BROKERS: broker.brokers, ...settings };
  return { cluster, env };
}

const kafka = () => new kafkajs.Kafka({ brokers: [broker.brokers], logLevel: kafkajs.logLevel.NOTHING });

async function administer(work: (admin: Admin) => Promise<unknown>): Promise<void> {
  patchKafkajs();
  const admin = kafka().admin();
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.disconnect();
  }
}

type Written = { readonly partition: number; readonly key?: string | null; readonly value: string | Buffer };

/** Writes records to partitions of choice. */
async function write(topic: string, messages: readonly Written[]): Promise<void> {
  const producer = kafka().producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  try {
    await producer.send({ topic, messages: messages.map(({ key = null, ...rest }) => ({ key, ...rest })) });
  } finally {
    await producer.disconnect();
  }
}

/** Logins in turn to all partitions. */
function logins(from: number, to: number, userOf = (i: number) => `U${i % 5}`): Written[] {
  return Array.from({ length: to - from }, (_, j) => {
    const i = from + j;
    const login = {
      timeMs: 1_700_000_000_000 + i * 60_000,
      user: userOf(i),
      sourceHost: `C${i % 5}`,
      targetHost: `C${100 + (i % 3)}`,
      authType: "Kerberos",
    };
    return { partition: i % PARTITIONS, value: JSON.stringify(login) };
  });
}

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS_MAX;
  while (!(await isTrue())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${WAIT_MS_MAX} ms: ${what}`);
    await sleep(50);
  }
}

async function says({ output }: RunningWorker, pattern: RegExp): Promise<void> {
  await until(`a worker says ${pattern}`, () => pattern.test(output.stderr)).catch((error: Error) => {
    throw new Error(`${error.message}; it said: ${output.stderr}`);
  });
}

/** How a worker ends that can't go on. */
async function failureOf(worker: RunningWorker): Promise<string> {
  assert.equal(await ended(worker.process), 1, worker.output.stderr);
  return worker.output.stderr;
}

test("records that bring out a bug are dead letters that say so, and the graph is that of all others", {
  timeout: TEST_MS_MAX,
}, async (t) => {
  const { cluster } = await newCluster(t, "poison");
  const { topics } = cluster;
  const userOf = (i: number) =>
    i % 97 === 60 ? FAILS_IN_ADDING : i % 97 === 30 ? FAILS_IN_SCORING : `U${i % 5}`;
  const worker = cluster.startWorker({ NODE_OPTIONS: `--import=${POISONED}` });
  for (let i = 0; i < 600; i += 100) {
    await write(topics.logins, logins(i, i + 100, userOf));
    await sleep(200);
  }
  await cluster.drained(WAIT_MS_MAX);
  const { graph } = await cluster.stop(worker);
  const isPoison = (login: LoginBytes) => login.text(USER).startsWith("fails");
  const outcome = { ...(await cluster.outcome()), isPoison };
  const [finding, ...others] = verify(outcome);
  assert.deepEqual([finding?.verdict, others], ["ALL-RECORDS-ACCOUNTED", []], JSON.stringify(finding));
  assert.ok(finding!.detail.endsWith(graph.digest));
  assert.equal(outcome.deadLetters.length, 12);
  const text = (name: string) => outcome.deadLetters.map(({ headers }) => String(headers[name]));
  assert.deepEqual(new Set(text("oddlink-reason")), new Set(["scoring-failed"]));
  assert.deepEqual(
    new Set(text("oddlink-detail")),
    new Set(["Error: fails in adding", "Error: fails in scoring"]),
  );
  assert.equal(worker.output.stderr.match(/a bug of oddlink/g)?.length, 1);
});

test("a partition whose dead letters are refused waits and says what to do, and goes on once it is done", {
  timeout: TEST_MS_MAX,
}, async (t) => {
  const { cluster, env } = await newCluster(t, "refused");
  const { topics } = cluster;
  const deadLetters = async () =>
    new Set((await cluster.read(topics.deadLetters)).flat().map(({ value }) => String(value)));
  const isRead = async (partition: number) => {
    const written = (await cluster.read(topics.logins))[partition]!.length;
    return (await cluster.committed())[partition] === written;
  };
  const worker = cluster.startWorker();
  // Both partitions have written to the topic before it is gone.
  await write(topics.logins, [
    { partition: 0, value: "bad 0" },
    { partition: 1, value: "bad 1" },
    ...logins(0, 20),
  ]);
  await cluster.drained(WAIT_MS_MAX);

  await administer((admin) => admin.deleteTopics({ topics: [topics.deadLetters] }));
  await write(topics.logins, [{ partition: 0, value: "bad again" }, ...logins(20, 40)]);
  await says(
    worker,
    /the topic refused\.dead-letters is missing and is waited for; oddlink topics --create makes/,
  );
  await until("the other partition goes on", () => isRead(1));
  assert.equal(await isRead(0), false, "nothing is skipped");
  const created = await run(["topics", "--create"], { env });
  assert.equal(created.code, 0, created.stdout + created.stderr);
  await cluster.drained(WAIT_MS_MAX);
  await until("the dead letter", async () => (await deadLetters()).has("bad again"));

  const limit = (bytes: number) =>
    administer((admin) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: topics.deadLetters,
            configEntries: [{ name: "max.message.bytes", value: String(bytes) }],
          },
        ],
      }),
    );
  await limit(1000);
  // No codec makes it small.
  const large = randomBytes(4000).toString("hex");
  await write(topics.logins, [{ partition: 1, value: large }, ...logins(40, 60)]);
  await says(worker, /refused\.dead-letters does not take a record as large .* max\.message\.bytes/);
  await until("the other partition goes on", () => isRead(0));
  assert.equal(await isRead(1), false, "nothing is skipped");
  await limit(100_000);
  await cluster.drained(WAIT_MS_MAX);
  // A commit is known to its group a moment before it can be read.
  await until("the large dead letter", async () => (await deadLetters()).has(large));
  assert.deepEqual(await deadLetters(), new Set(["bad again", large]));
  await cluster.stop(worker);
});

test("a segment that is not as it was written ends a worker that restores it, and one that follows", {
  timeout: TEST_MS_MAX,
}, async (t) => {
  const { cluster } = await newCluster(t, "corrupt");
  const { topics } = cluster;
  await write(topics.logins, logins(0, 100));
  const worker = cluster.startWorker();
  await cluster.drained(WAIT_MS_MAX);
  const before = (await cluster.read(topics.graphState))[1]!.at(-1)!;
  const key = before.key!.toString();
  const flipped = Buffer.from(before.value!);
  flipped[flipped.length >> 1]! ^= 1;
  const newest = before.value!.subarray();
  for (const [what, value, complaint] of [
    ["a bit is flipped", flipped, /its bytes are not the ones that were written/],
    ["it is cut", newest.subarray(0, newest.length - 1), /its bytes are not the ones that were written/],
    ["it is of another version", Buffer.concat([Buffer.from([99]), newest.subarray(1)]), /version 99/],
    ["it is no segment at all", Buffer.from("rubbish"), /version 114/],
  ] as const) {
    // A worker that runs meets it as what another process wrote.
    const follower = what === "a bit is flipped" ? worker : undefined;
    await write(topics.graphState, [{ partition: 1, key, value }]);
    if (follower !== undefined) assert.match(await failureOf(follower), complaint);
    const said = await failureOf(cluster.startWorker());
    assert.match(said, complaint, what);
    assert.ok(said.includes(`graph-state, partition 1, key ${key}`), said);
    assert.match(said, /put the stored graph back as it was, or begin anew/);
  }
  await write(topics.graphState, [{ partition: 1, key, value: newest }]);
  const again = cluster.startWorker();
  await write(topics.logins, logins(100, 200));
  await cluster.drained(WAIT_MS_MAX);
  await cluster.stop(again);
  const [finding] = verify(await cluster.outcome());
  assert.equal(finding!.verdict, "ALL-RECORDS-ACCOUNTED", JSON.stringify(finding));
});

test("records deleted before they were read end a worker, or are skipped and said to be if that is what was set", {
  timeout: TEST_MS_MAX,
}, async (t) => {
  const { cluster } = await newCluster(t, "retention");
  const { topics } = cluster;
  await write(topics.logins, logins(0, 20));
  const first = cluster.startWorker();
  await cluster.drained(WAIT_MS_MAX);
  await cluster.stop(first);
  await write(topics.logins, logins(20, 60));
  await administer(async (admin) => {
    // Only what was asked for before is known to it.
    await admin.fetchTopicOffsets(topics.logins);
    await admin.deleteTopicRecords({ topic: topics.logins, partitions: [{ partition: 0, offset: "15" }] });
  });
  const lost = /records 10 to 15 of partition 0 of retention\.logins were deleted before they were read/;
  const said = await failureOf(cluster.startWorker());
  assert.match(said, lost);
  assert.match(said, /kafka\.onLostInput/);
  const skipping = cluster.startWorker({ ODDLINK_KAFKA_ONLOSTINPUT: "skip" });
  await cluster.drained(WAIT_MS_MAX);
  const { consumed } = await cluster.stop(skipping);
  assert.match(skipping.output.stderr, lost);
  assert.match(skipping.output.stderr, /going on without them/);
  assert.equal(consumed, 35);
  // The next one finds a graph without a gap.
  await write(topics.logins, logins(60, 80));
  const next = cluster.startWorker();
  await cluster.drained(WAIT_MS_MAX);
  assert.equal((await cluster.stop(next)).consumed, 20);
});

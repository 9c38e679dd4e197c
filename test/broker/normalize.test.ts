import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import confluent from "@kafkajs/confluent-schema-registry";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { SchemaRegistry } from "../../src/ingest/schema-registry.ts";
import type { ConsumedRecord } from "../../src/log/kafka/client.ts";
import { FORMAT_OPTIONS, sampleRecords } from "../ingest/samples.ts";
import { EXAMPLE_FILE, ended } from "../processes/oddlink.ts";
import { startApicurio } from "./apicurio.ts";
import { sharedBroker } from "./shared-broker.ts";
import { type RunningWorker, WorkerCluster } from "./worker-cluster.ts";

const broker = sharedBroker();
const FAULT_IN_TRANSACTION = join(import.meta.dirname, "fault-in-transaction.ts");
/** Where a process ends by itself, each in its turn. */
const POINTS = ["written 1 SIGKILL", "committed 2 SIGKILL", "fenced 2 SIGKILL", "written 3 SIGKILL", ""];
const DRAIN_MS = 60_000;

type Raw = { readonly topic: string; readonly format: string; readonly records: readonly (Buffer | null)[] };

const LANL = gunzipSync(readFileSync(EXAMPLE_FILE))
  .toString()
  .trimEnd()
  .split("\n")
  .slice(0, 5000)
  .map((line) => Buffer.from(line));
const RAW: readonly Raw[] = [
  { topic: "raw.windows", format: "windows", records: sampleRecords("otrf-windows.jsonl") },
  { topic: "raw.sshd", format: "sshd", records: sampleRecords("elastic-sshd.log") },
  {
    topic: "raw.any",
    format: "auto",
    records: [
      ...LANL,
      ...sampleRecords("otrf-zeek.jsonl"),
      Buffer.from("nonsense"),
      Buffer.from('{"timeMs":1}'),
      Buffer.from([0x7b, 0xff, 0x7d]),
      Buffer.alloc(0),
      null,
    ],
  },
];

test("logins of several raw topics are written once each, however often it is killed in the middle of a transaction", {
  timeout: 240_000,
}, async (t) => {
  const { cluster, start } = await prepared(t, "killed", RAW);
  for (const point of POINTS) {
    const worker = start(point);
    if (point === "") {
      await drained(cluster, RAW);
      worker.process.kill("SIGTERM");
      assert.equal(await ended(worker.process), 0, worker.output.stderr);
      assert.match(worker.output.stdout, /raw\.windows: [\d,]+ records read|raw\.windows: 0 records read/);
    } else {
      worker.process.once("message", () => {});
      assert.equal(await ended(worker.process), null, worker.output.stderr);
    }
  }
  const expected = RAW.map(expectedOf);
  const logins = (await cluster.read(cluster.topics.logins)).flat();
  const decoder = createDecoder("oddlink", FORMAT_OPTIONS);
  const found = logins.map(({ value }) => textOf(decoder.decode(value!, 0, value!.length)));
  assert.deepEqual(found.toSorted(), expected.flatMap(({ logins }) => logins).toSorted());
  for (const { key, value } of logins) assert.equal(String(key), JSON.parse(String(value)).user);
  const deadLetters = (await cluster.read(cluster.topics.deadLetters)).flat();
  assert.deepEqual(
    deadLetters.map(({ headers }) => String(headers["oddlink-reason"])).toSorted(),
    expected.flatMap(({ rejected }) => rejected).toSorted(),
  );
  // Each says where it came from, and no two came from the same.
  const origins = [...logins, ...deadLetters].map(originOf);
  assert.equal(new Set(origins).size, origins.length);
  const nonsense = deadLetters.find(({ value }) => String(value) === "nonsense")!;
  const home = topicOf("killed", RAW[2]!.topic);
  assert.equal(String(nonsense.headers["oddlink-source-topic"]), home);
  const reason = String(nonsense.headers["oddlink-reason"]);
  // A replay that knows the raw topics sends each dead letter back to its own.
  const replay = cluster.start(["replay", "--dead-letters", "--reason", reason], {
    ODDLINK_NORMALIZE_TOPICS: `[{topic: ${home}}]`,
  });
  assert.equal(await ended(replay.process), 0, replay.output.stderr);
  const count = expected.flatMap(({ rejected }) => rejected).filter((one) => one === reason);
  assert.match(replay.output.stdout, new RegExp(`^${reason}: ${count.length}$`, "m"));
  const last = (await cluster.read(home)).flat().at(-1)!;
  assert.ok(last.headers["oddlink-replayed-from"] !== undefined);
});

test("a raw topic that is not there is named, by normalize and by topics, with who makes it", {
  timeout: 60_000,
}, async (t) => {
  const running = await broker();
  const cluster = new WorkerCluster(t, running, 1, {
    ODDLINK_KAFKA_TOPICPREFIX: "missing.",
    ODDLINK_KAFKA_GROUP: "missing",
    ODDLINK_NORMALIZE_TOPICS: "[{topic: missing.raw}]",
  });
  await cluster.createTopics();
  const normalize = cluster.start(["normalize"]);
  assert.equal(await ended(normalize.process), 2);
  assert.match(
    normalize.output.stderr,
    /there is no topic missing\.raw: raw topics are made by whoever fills/,
  );
  assert.doesNotMatch(normalize.output.stderr, /normalize started/);
  const topics = cluster.start(["topics"]);
  assert.equal(await ended(topics.process), 1);
  assert.match(topics.output.stdout, /^missing\.raw: does not exist, .* made by whoever fills it$/m);
  await running.createTopics({ "missing.raw": { partitions: 2 } });
  const again = cluster.start(["topics"]);
  assert.equal(await ended(again.process), 0, again.output.stdout);
  assert.match(again.output.stdout, /^missing\.raw: ok, 2 partitions, read only$/m);
});

test("canonical logins in Avro are read by another client, and by our own decoder, and a registry that is down is waited for", {
  timeout: 180_000,
}, async (t) => {
  const apicurio = await startApicurio(t);
  const { port } = new URL(apicurio.url);
  await apicurio.stop();
  const raw: Raw = { topic: "raw.lanl", format: "lanl", records: LANL.slice(0, 500) };
  const { cluster, start } = await prepared(t, "avro", [raw], {
    ODDLINK_INPUT_REGISTRY_URL: apicurio.url,
    ODDLINK_NORMALIZE_ENCODING: "avro",
  });
  const worker = start("");
  while (!/waiting: schema registry .* does not answer/.test(worker.output.stderr)) await sleep(50);
  await startApicurio(t, Number(port));
  await drained(cluster, [raw]);
  worker.process.kill("SIGTERM");
  assert.equal(await ended(worker.process), 0, worker.output.stderr);

  const logins = (await cluster.read(cluster.topics.logins)).flat();
  const expected = expectedOf(raw).logins.toSorted();
  const decoder = createDecoder("avro", {
    lanlStartMs: 0,
    schemas: new SchemaRegistry({ url: apicurio.url, timeoutMs: 5000 }),
  });
  const found: string[] = [];
  const other = new confluent.SchemaRegistry({ host: apicurio.url });
  for (const { value } of logins) {
    await decoder.prepare!(value!, 0, value!.length);
    found.push(textOf(decoder.decode(value!, 0, value!.length)));
    const read = (await other.decode(value!)) as { readonly user: string };
    assert.match(read.user, /@/);
  }
  assert.deepEqual(found.toSorted(), expected);
});

/** Raw topics of a test's own, filled, and the command that reads them. */
async function prepared(
  t: TestContext,
  name: string,
  raw: readonly Raw[],
  settings: Readonly<Record<string, string>> = {},
): Promise<{ readonly cluster: WorkerCluster; readonly start: (fault: string) => RunningWorker }> {
  const running = await broker();
  const cluster = new WorkerCluster(t, running, 2, {
    ODDLINK_KAFKA_TOPICPREFIX: `${name}.`,
    ODDLINK_KAFKA_GROUP: name,
    ODDLINK_KAFKA_SESSIONTIMEOUTMS: "1500",
    ODDLINK_INPUT_SYSLOGYEAR: String(FORMAT_OPTIONS.syslogYear),
    ...settings,
  });
  await cluster.createTopics();
  await running.createTopics(
    Object.fromEntries(raw.map(({ topic }) => [topicOf(name, topic), { partitions: 1 }])),
  );
  for (const { topic, records } of raw) {
    const messages = records.map((value) => ({ key: null, value }));
    for (let i = 0; i < messages.length; i += 200)
      await cluster.produce(messages.slice(i, i + 200), topicOf(name, topic));
  }
  const from = raw.flatMap(({ topic, format }) => ["--from", `${topicOf(name, topic)}=${format}`]);
  return {
    cluster,
    start: (fault) =>
      cluster.start(
        ["normalize", ...from],
        { FAULT_IN_TRANSACTION: fault },
        undefined,
        undefined,
        fault === "" ? undefined : FAULT_IN_TRANSACTION,
      ),
  };
}

function topicOf(name: string, topic: string): string {
  return `${name}.${topic}`;
}

/** Resolves once the groups have come to the ends of the raw topics. */
async function drained(cluster: WorkerCluster, raw: readonly Raw[]): Promise<void> {
  const { group } = cluster.config.kafka;
  const deadlineMs = performance.now() + DRAIN_MS;
  for (const { topic, records } of raw) {
    const name = topicOf(group, topic);
    for (;;) {
      const [committed = 0] = await cluster.client.committedOffsets(`${group}-normalize-${name}`, name, [0]);
      if (committed >= records.length) break;
      if (performance.now() > deadlineMs) throw new Error(`${name} is at ${committed} of ${records.length}`);
      await sleep(100);
    }
  }
}

/** What a decoder by itself makes of the records. */
function expectedOf({ format, records }: Raw): {
  readonly logins: readonly string[];
  readonly rejected: readonly string[];
} {
  const decoder = createDecoder(format, FORMAT_OPTIONS);
  const logins: string[] = [];
  const rejected: string[] = [];
  for (const record of records) {
    if (record === null || record.length === 0) continue;
    if (record[1] === 0xff) {
      rejected.push("invalid-utf8");
      continue;
    }
    const decoded = decoder.decode(record, 0, record.length);
    if (decoded.kind === "rejected") rejected.push(decoded.reason);
    else if (decoded.kind !== "ignored") logins.push(textOf(decoded));
  }
  return { logins, rejected };
}

function textOf(decoded: ReturnType<ReturnType<typeof createDecoder>["decode"]>): string {
  assert.ok(decoded.kind === "login" || decoded.kind === "evidence", JSON.stringify(decoded));
  const login = decoded.login.toLogin();
  return `${decoded.kind} ${JSON.stringify({ ...login, timeMs: Math.floor(login.timeMs) })}`;
}

function originOf({ headers }: ConsumedRecord): string {
  return ["topic", "partition", "offset"].map((part) => String(headers[`oddlink-source-${part}`])).join("/");
}

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import type { ConsumedRecord, ProducedRecord } from "../../src/log/kafka/client.ts";
import { KafkajsClient } from "../../src/log/kafka/kafkajs/client.ts";
import { violations } from "../alerts/ocsf-schema.ts";
import { EXAMPLE, EXAMPLE_FILE, ended, run } from "../processes/oddlink.ts";
import { type KafkaBroker, startBroker } from "./kafka-broker.ts";
import { WorkerCluster } from "./worker-cluster.ts";

const CHAIN = join(EXAMPLE, "..", "enrich");
const STEP = join(CHAIN, "enrich.ts");
const FAULT_IN_TRANSACTION = join(import.meta.dirname, "fault-in-transaction.ts");
const ALERTS = "oddlink.alerts";
const ENRICHED = "oddlink.alerts-enriched";
const PARTITIONS = 3;
const SESSION_MS = 1500;
/** Longer than a session: who is stopped for so long wakes up as a zombie. */
const STOPPED_MS = 4000;
const FAULTS_MS_MAX = 120_000;
/** Where processes end or stop by themselves, one in each of them. */
const POINTS = [
  "written 2 SIGKILL",
  "committed 2 SIGKILL",
  "fenced 1 SIGKILL",
  "written 5 SIGKILL",
  "written 2 SIGSTOP",
];
/** And then from outside, at any moment. */
const SIGNALS = ["SIGKILL", "SIGTERM", "SIGSTOP", "SIGKILL", "SIGTERM", "SIGKILL"] as const;
const RECORDS = gunzipSync(readFileSync(EXAMPLE_FILE))
  .toString()
  .trimEnd()
  .split("\n")
  .map((value) => ({ key: value.split(",")[1]!, value }));
const OWNERS = new Map(
  parse<Record<string, string>>(readFileSync(join(CHAIN, "owners.csv")), { columns: true }).map(
    ({ user, ...owner }) => [user!, owner],
  ),
);
/** What nobody should write among alerts. */
const UNREADABLE = [
  Buffer.from("no JSON"),
  Buffer.from("[1, 2]"),
  Buffer.from("null"),
  Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
  Buffer.alloc(0),
  null,
];

test("a chain behind a worker, both killed, passes each alert on once, in order and with its owner", {
  timeout: 240_000,
}, async (t) => {
  const broker = await startBroker(t);
  const cluster = new WorkerCluster(t, broker, PARTITIONS, {
    ODDLINK_INPUT_FORMAT: "lanl",
    ODDLINK_TRAINING_MODE: "off",
    // Every login is an alert: the more there are, the more transactions are there to be killed in.
    ODDLINK_THRESHOLD: "1",
    ODDLINK_KAFKA_SESSIONTIMEOUTMS: String(SESSION_MS),
  });
  await cluster.createTopics();
  await broker.createTopics({ [ENRICHED]: { partitions: PARTITIONS } });
  let worker = cluster.startWorker();
  const chain = new Chain(t, broker);
  let areFaultsOver = false;
  const feeding = (async () => {
    for (let i = 0; i < RECORDS.length; i += 100) {
      await cluster.produce(RECORDS.slice(i, i + 100));
      await sleep(30);
    }
    for (let i = 0; !areFaultsOver; i++) {
      await cluster.produce([oddLogin(i)]);
      await sleep(50);
    }
  })();
  await writeUnreadable(broker);
  const deadlineMs = performance.now() + FAULTS_MS_MAX;
  while (chain.pointsReached < POINTS.length && performance.now() < deadlineMs) await sleep(50);
  worker.process.kill("SIGKILL");
  await ended(worker.process);
  worker = cluster.startWorker();
  for (const signal of SIGNALS) {
    await sleep(500 + 1500 * Math.random());
    await chain.strike(signal);
  }
  areFaultsOver = true;
  await feeding;
  await cluster.drained(30_000);
  const alerts = await cluster.read(ALERTS);
  const enriched = await readAsManyAs(cluster, alerts.flat().length);
  await cluster.stop(worker);
  await chain.stop();

  assert.equal(chain.pointsReached, POINTS.length);
  assert.deepEqual(chain.failures, []);
  const count = alerts.flat().length;
  assert.ok(count > 500, `${count} alerts`);
  // By key, so that the same number of partitions gives the same order.
  for (const partition of alerts.keys())
    assert.equal(differenceOf(idsOf(enriched[partition]!), idsOf(alerts[partition]!)), undefined);
  assert.equal(new Set(enriched.flatMap(idsOf)).size, count);
  const outcomes = { yes: 0, "no-owner": 0, unreadable: 0 };
  for (const [partition, records] of enriched.entries())
    for (const [i, record] of records.entries()) outcomes[outcomeOf(record, alerts[partition]![i]!)]++;
  assert.equal(outcomes.unreadable, UNREADABLE.length);
  assert.ok(outcomes.yes > 0 && outcomes["no-owner"] > 0, JSON.stringify(outcomes));
  t.diagnostic(
    `${count} alerts, ${JSON.stringify(outcomes)}, ${POINTS.length + SIGNALS.length} faults, ${chain.starts} starts`,
  );
});

test("a chain whose topic is missing says so now and then, and goes on once it is there", {
  timeout: 90_000,
}, async (t) => {
  const broker = await startBroker(t);
  await broker.createTopics({ [ALERTS]: { partitions: 1 }, "oddlink.logins": { partitions: 1 } });
  await writeUnreadable(broker);
  const env = { ODDLINK_KAFKA_BROKERS: broker.brokers };
  const child = spawn(process.execPath, [STEP], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stderr.on("data", (chunk) => (said += chunk));
  const missing = () =>
    said.match(/the topic oddlink\.alerts-enriched is missing and is waited for/g)?.length;
  while (missing() === undefined) await sleep(50);
  // It is tried some times a second, and said once in ten.
  await sleep(3000);
  assert.equal(missing(), 1, said);
  // As its page says.
  const created = await run(["topics", "--create"], {
    env: { ...env, ODDLINK_KAFKA_TOPICS_ALERTS: ENRICHED },
  });
  assert.match(created.stdout, /^oddlink\.alerts-enriched: made, 1 partition/);
  const client = new KafkajsClient({ brokers: [broker.brokers], clientId: "test" });
  t.after(() => client.close());
  while ((await client.topicOffsets(ENRICHED))[0]!.stable < UNREADABLE.length) await sleep(100);
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  assert.equal(code, 0, said);
});

test("a chain says what is wrong with its arguments and settings, and prints its help, without a stack", () => {
  const step = (argument: string, brokers = "127.0.0.1:1") =>
    spawnSync(process.execPath, [STEP, argument], {
      env: { ...process.env, ODDLINK_KAFKA_BROKERS: brokers },
      encoding: "utf8",
    });
  const help = step("--help");
  assert.equal(help.status, 0);
  assert.match(help.stdout, /^Usage: enrich \[options\] \[owners\]/);
  for (const [{ status, stderr }, expected] of [
    [step("none.csv"), /^enrich: can't read owners from none\.csv: ENOENT/],
    [step("--nonsense"), /unknown option '--nonsense'/],
    [step(join(CHAIN, "owners.csv"), "foo"), /kafka\.brokers\.0: expected host:port/],
  ] as const) {
    assert.equal(status, 2);
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /^ +at /m);
  }
});

/** What became of an alert, by what was written of it; checks all of that. */
function outcomeOf(
  { key, value, headers }: ConsumedRecord,
  original: ConsumedRecord,
): "yes" | "no-owner" | "unreadable" {
  const { "oddlink-enriched": outcome, ...others } = headers;
  assert.deepEqual(key, original.key);
  assert.deepEqual(others, original.headers);
  if (String(others["ce_id"]).startsWith("unreadable")) {
    assert.equal(String(outcome), "unreadable");
    assert.deepEqual(value, original.value);
    return "unreadable";
  }
  const finding = JSON.parse(String(original.value));
  const user = finding.evidences[0].actor.user.name;
  const data = OWNERS.get(user);
  if (data === undefined) {
    assert.equal(String(outcome), "no-owner");
    assert.deepEqual(value, original.value);
    return "no-owner";
  }
  const name = "evidences[0].actor.user.name";
  const expected = { ...finding, enrichments: [{ name, value: user, provider: "owners.csv", data }] };
  assert.equal(String(outcome), "yes");
  assert.deepEqual(JSON.parse(String(value)), expected);
  assert.deepEqual(violations(expected), []);
  return "yes";
}

function idsOf(records: readonly ConsumedRecord[]): string[] {
  return records.map(({ headers }) => String(headers["ce_id"]));
}

/** The first place at which two lists differ, in words; undefined if they don't. */
function differenceOf(found: readonly string[], expected: readonly string[]): string | undefined {
  for (let i = 0; i < Math.max(found.length, expected.length); i++)
    if (found[i] !== expected[i]) return `${found[i]} instead of ${expected[i]} at ${i}`;
  return undefined;
}

/** After the example's last login, to a host that nobody has seen. */
function oddLogin(i: number): { key: string; value: string } {
  const key = ["U748@DOM1", "U22@DOM1", "U66@DOM1"][i % 3]!;
  return { key, value: `172799,${key},${key},C${90_000 + i},C${80_000 + i},NTLM,Network,LogOn,Success` };
}

async function writeUnreadable(broker: KafkaBroker): Promise<void> {
  const client = new KafkajsClient({ brokers: [broker.brokers], clientId: "test" });
  const producer = client.producer("test");
  try {
    await producer.fence();
    await producer.transact(
      UNREADABLE.map((value, i): ProducedRecord => {
        const headers = { ce_id: `unreadable ${i}` };
        return { topic: ALERTS, key: `unreadable ${i}`, value, headers };
      }),
    );
  } finally {
    await client.close();
  }
}

/** What the chain has written, once that is as much as there should be, or no more has come for long. */
async function readAsManyAs(cluster: WorkerCluster, count: number): Promise<ConsumedRecord[][]> {
  const deadlineMs = performance.now() + 30_000;
  for (;;) {
    const enriched = await cluster.read(ENRICHED);
    if (enriched.flat().length >= count || performance.now() > deadlineMs) return enriched;
    await sleep(250);
  }
}

/** Two processes of the example, each started again however it ends, as a supervisor would. */
class Chain {
  readonly #t: TestContext;
  readonly #broker: KafkaBroker;
  readonly #running: ChildProcess[] = [];
  readonly #points = [...POINTS];
  /** Resolve as each of those that run has said what it does. */
  readonly #ready = new Map<ChildProcess, Promise<void>>();
  #isOver = false;
  starts = 0;
  pointsReached = 0;
  /** Ends with an error: only signals may end a process, and the last SIGTERM is obeyed in an orderly way. */
  readonly failures: string[] = [];

  constructor(t: TestContext, broker: KafkaBroker) {
    this.#t = t;
    this.#broker = broker;
    for (let i = 0; i < 2; i++) this.#start();
  }

  /** Sends a signal to the one that runs for longest; one that is stopped goes on as a zombie. */
  async strike(signal: NodeJS.Signals): Promise<void> {
    const child = this.#running[0]!;
    child.kill(signal);
    if (signal !== "SIGSTOP") return void (await ended(child));
    await sleep(STOPPED_MS);
    child.kill("SIGCONT");
  }

  /** Asks all to stop, once they have come so far as to hear it. */
  async stop(): Promise<void> {
    await Promise.all(this.#ready.values());
    this.#isOver = true;
    const ends = this.#running.map((child) => ended(child));
    for (const child of this.#running) child.kill("SIGTERM");
    await Promise.all(ends);
  }

  #start(): void {
    this.starts++;
    const point = this.#points.shift() ?? "";
    const child = spawn(process.execPath, ["--import", FAULT_IN_TRANSACTION, STEP], {
      env: {
        ...process.env,
        ODDLINK_KAFKA_BROKERS: this.#broker.brokers,
        ODDLINK_KAFKA_SESSIONTIMEOUTMS: String(SESSION_MS),
        FAULT_IN_TRANSACTION: point,
      },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      timeout: 240_000,
    });
    this.#t.after(() => child.kill("SIGKILL"));
    this.#running.push(child);
    child.once("message", () => {
      const goOn = (): void => {
        child.kill("SIGCONT");
        this.pointsReached++;
      };
      setTimeout(goOn, point.endsWith("SIGSTOP") ? STOPPED_MS : 0);
    });
    let said = "";
    const ready = Promise.withResolvers<void>();
    this.#ready.set(child, ready.promise);
    child.stderr!.on("data", (chunk) => {
      said += chunk;
      if (/with \d+ owners/.test(said)) ready.resolve();
    });
    child.once("close", (code, signal) => {
      this.#running.splice(this.#running.indexOf(child), 1);
      this.#ready.delete(child);
      ready.resolve();
      const isObeyed = code === 0 || (!this.#isOver && signal !== null);
      if (!isObeyed) this.failures.push(`${code ?? signal}: ${said}`);
      if (!this.#isOver) this.#start();
    });
  }
}

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import type { ConsumedRecord } from "../../src/log/kafka/client.ts";
import { violations } from "../alerts/ocsf-schema.ts";
import { EXAMPLE, EXAMPLE_FILE, ended } from "../processes/oddlink.ts";
import { type KafkaBroker, startBroker } from "./kafka-broker.ts";
import { WorkerCluster } from "./worker-cluster.ts";

const CHAIN = join(EXAMPLE, "..", "enrich");
const STEP = join(CHAIN, "enrich.ts");
const FAILPOINT = join(import.meta.dirname, "failpoint.ts");
const OWNERS = new Map(
  readFileSync(join(CHAIN, "owners.csv"), "utf8")
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","))
    .map(([user, owner, department, criticality]) => [user!, { owner, department, criticality }]),
);
const ENRICHED = "oddlink.alerts-enriched";
const PARTITIONS = 3;
/** After the example there are more odd logins until all faults have come, but no longer than this. */
const FEEDING_MS_MAX = 70_000;
/** Where processes end or stop, one in each of them: after each step of taking over and of a transaction. */
const FAILPOINTS = [
  "addPartitionsToTxn after 1 SIGKILL",
  "produce after 2 SIGKILL",
  "addOffsetsToTxn after 2 SIGKILL",
  "txnOffsetCommit after 2 SIGKILL",
  "endTxn after 2 SIGKILL",
  "initProducerId after 1 SIGKILL",
  // The last, when others are there to take over.
  "endTxn before 2 SIGSTOP",
];
/** Longer than a session: it wakes up as a zombie. */
const STOPPED_MS = 5000;
const RECORDS = gunzipSync(readFileSync(EXAMPLE_FILE))
  .toString()
  .trimEnd()
  .split("\n")
  .map((value) => ({ key: value.split(",")[1]!, value }));

test("a chain behind a worker, both killed, passes each alert on once, in order and with its owner", {
  timeout: 120_000,
}, async (t) => {
  const broker = await startBroker(t);
  const cluster = new WorkerCluster(t, broker, PARTITIONS, {
    ODDLINK_INPUT_FORMAT: "lanl",
    ODDLINK_TRAINING_MODE: "off",
    // Every login is an alert: the more there are, the more transactions are there to be killed in.
    ODDLINK_THRESHOLD: "1",
    // kafkajs alone reads no other.
    ODDLINK_KAFKA_COMPRESSION: "gzip",
    ODDLINK_KAFKA_SESSIONTIMEOUTMS: "1500",
  });
  await cluster.createTopics();
  await broker.createTopics({ [ENRICHED]: { partitions: PARTITIONS } });
  let worker = cluster.startWorker();
  const chain = new Chain(t, broker, 2);
  const untilMs = performance.now() + FEEDING_MS_MAX;
  const feeding = (async () => {
    for (let i = 0; i < RECORDS.length; i += 100) {
      await cluster.produce(RECORDS.slice(i, i + 100));
      await sleep(30);
    }
    for (let i = 0; chain.failed < FAILPOINTS.length && performance.now() < untilMs; i++) {
      await cluster.produce([oddLogin(i)]);
      await sleep(50);
    }
  })();
  while (chain.failed < 2) await sleep(50);
  worker.process.kill("SIGKILL");
  await ended(worker.process);
  worker = cluster.startWorker();
  await feeding;
  await cluster.drained(30_000);
  const alerts = await cluster.read(cluster.topics.alerts);
  const count = alerts.flat().length;
  const deadlineMs = performance.now() + 20_000;
  let enriched = await cluster.read(ENRICHED);
  while (enriched.flat().length < count && performance.now() < deadlineMs) {
    await sleep(250);
    enriched = await cluster.read(ENRICHED);
  }
  // The newest may not have come so far as to hear that it is to stop.
  await sleep(1000);
  await cluster.stop(worker);
  assert.deepEqual(await chain.stop(), [0, 0]);

  assert.equal(chain.failed, FAILPOINTS.length);
  assert.ok(count > 500, `${count} alerts`);
  assert.deepEqual(enriched.map(idsOf), alerts.map(idsOf));
  const uids = enriched.flat().map((record) => findingOf(record).metadata.uid);
  assert.equal(new Set(uids).size, count);
  assert.deepEqual(countsOf(enriched), countsOf(alerts));
  const originals = new Map(alerts.flat().map((record) => [idOf(record), record]));
  let owned = 0;
  for (const record of enriched.flat()) {
    const original = originals.get(idOf(record))!;
    const { enrichments, ...finding } = findingOf(record);
    assert.deepEqual(finding, findingOf(original));
    assert.deepEqual(record.key, original.key);
    assert.deepEqual(textsOf(record), { ...textsOf(original), "oddlink-enriched": "true" });
    const value = finding.evidences[0].actor.user.name;
    const data = OWNERS.get(value);
    if (data === undefined) {
      assert.equal(enrichments, undefined);
      continue;
    }
    owned++;
    const name = "evidences[0].actor.user.name";
    assert.deepEqual(enrichments, [{ name, value, provider: "owners.csv", data }]);
    assert.deepEqual(violations({ ...finding, enrichments }), []);
  }
  assert.ok(owned > 0 && owned < count, `${owned} of ${count} alerts have an owner`);
  t.diagnostic(`${count} alerts, ${owned} with an owner, ${chain.failed} failpoints, ${chain.starts} starts`);
});

/** After the example's last login, to a host that nobody has seen. */
function oddLogin(i: number): { key: string; value: string } {
  const key = ["U748@DOM1", "U22@DOM1", "U66@DOM1"][i % 3]!;
  return { key, value: `172799,${key},${key},C${90_000 + i},C${80_000 + i},NTLM,Network,LogOn,Success` };
}

/** The example as real processes, each started again however it ends, as what runs it would do. */
class Chain {
  readonly #t: TestContext;
  readonly #broker: KafkaBroker;
  readonly #running: ChildProcess[] = [];
  readonly #failpoints = [...FAILPOINTS];
  #isOver = false;
  starts = 0;
  failed = 0;

  constructor(t: TestContext, broker: KafkaBroker, processes: number) {
    this.#t = t;
    this.#broker = broker;
    t.after(() => {
      this.#isOver = true;
      for (const child of this.#running) child.kill("SIGKILL");
    });
    for (let i = 0; i < processes; i++) this.#start();
  }

  /** Asks all to stop. */
  async stop(): Promise<(number | null)[]> {
    this.#isOver = true;
    const ends = this.#running.map((child) => ended(child));
    for (const child of this.#running) child.kill("SIGTERM");
    return Promise.all(ends);
  }

  #start(): void {
    this.starts++;
    const failpoint = this.#failpoints.shift();
    const child = spawn(process.execPath, ["--import", FAILPOINT, STEP], {
      env: {
        ...process.env,
        KAFKA_BROKERS: this.#broker.brokers,
        SESSION_TIMEOUT_MS: "1000",
        FAILPOINT: failpoint ?? "",
      },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      timeout: 120_000,
    });
    this.#running.push(child);
    let isReached = false;
    child.once("message", () => {
      isReached = true;
      const wake = (): void => {
        child.kill("SIGCONT");
        this.failed++;
      };
      setTimeout(wake, failpoint?.endsWith("SIGSTOP") ? STOPPED_MS : 0);
    });
    let said = "";
    child.stderr!.on("data", (chunk) => (said += chunk));
    child.once("close", (code) => {
      this.#running.splice(this.#running.indexOf(child), 1);
      if (this.#isOver) return;
      if (failpoint !== undefined && !isReached) this.#failpoints.push(failpoint);
      const error = said.split("\n").findLast((line) => /^\w*(Error|KafkaJS)/.test(line)) ?? said;
      if (code !== null) this.#t.diagnostic(`a step ended with ${code}: ${error}`);
      this.#start();
    });
  }
}

type Finding = {
  readonly metadata: { readonly uid: string };
  readonly finding_info: { readonly uid: string };
  readonly evidences: readonly [{ readonly actor: { readonly user: { readonly name: string } } }];
  readonly enrichments?: unknown;
};

function findingOf({ value }: ConsumedRecord): Finding {
  return JSON.parse(value!.toString());
}

function idOf({ headers }: ConsumedRecord): string {
  return String(headers["ce_id"]);
}

function idsOf(records: readonly ConsumedRecord[]): string[] {
  return records.map(idOf);
}

function textsOf({ headers }: ConsumedRecord): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

/** How many alerts each finding has: those of one incident are one. */
function countsOf(records: readonly (readonly ConsumedRecord[])[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const record of records.flat()) {
    const { uid } = findingOf(record).finding_info;
    counts.set(uid, (counts.get(uid) ?? 0) + 1);
  }
  return counts;
}

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs from "kafkajs";
import { decodeSegmentHeader } from "../../src/graph-state/segment.ts";
import { KafkajsClient } from "../../src/log/kafka/kafkajs-client.ts";
import { ended } from "../processes/oddlink.ts";
import { type Verdict, Verifier } from "../verification/verifier.ts";
import { Feeder } from "./feeder.ts";
import { type KafkaBroker, startBroker } from "./kafka-broker.ts";
import { type RunningWorker, type Summary, WorkerCluster } from "./worker-cluster.ts";
import type { SeededBug, WorkerFaults } from "./worker-faults.ts";

const PARTITIONS = 2;
const LOGINS = 6000;
const PER_SECOND = 3000;
const LIMIT_MS = 60_000;
const SESSION_MS = 3000;

/** A cluster of its own topics on the one broker, its input, and what is found in the end. */
class Bench {
  readonly cluster: WorkerCluster;
  readonly feeder: Feeder;
  readonly #t: TestContext;

  private constructor(t: TestContext, cluster: WorkerCluster, feeder: Feeder) {
    this.#t = t;
    this.cluster = cluster;
    this.feeder = feeder;
  }

  static async open(t: TestContext, broker: KafkaBroker, name: string): Promise<Bench> {
    const cluster = new WorkerCluster(t, broker, PARTITIONS, {
      ODDLINK_INPUT_FORMAT: "oddlink",
      ODDLINK_TRAINING_MODE: "off",
      ODDLINK_THRESHOLD: "0.02",
      ODDLINK_OUTPUTS_SCOREDLOGINS: "true",
      ODDLINK_KAFKA_SESSIONTIMEOUTMS: String(SESSION_MS),
      ODDLINK_KAFKA_TOPICPREFIX: `${name}.`,
      ODDLINK_KAFKA_GROUP: name,
    });
    await cluster.createTopics();
    const client = new KafkajsClient({ brokers: [broker.brokers], clientId: "feeder" });
    t.after(() => client.close());
    const feeder = new Feeder({
      client,
      topic: cluster.topics.logins,
      partitions: PARTITIONS,
      generator: { seed: 7, users: 30, stepMs: 60_000 },
      onTrouble: () => {},
    });
    return new Bench(t, cluster, feeder);
  }

  start(faults: WorkerFaults = {}): RunningWorker {
    return this.cluster.startWorker({}, faults);
  }

  /** Writes until there are so many logins. */
  async feed(most: number): Promise<void> {
    this.feeder.pace(PER_SECOND, most);
    while (this.feeder.written < most) await sleep(20);
    this.feeder.pace(0, most);
  }

  /** True once the last piece of a sum of segments is there. */
  async hasSum(): Promise<boolean> {
    const records = (await this.cluster.read(this.cluster.topics.graphState)).flat();
    return records.some(
      ({ key, value }) => value !== null && key!.includes("/sum-") && decodeSegmentHeader(value).isLast,
    );
  }

  /** Stops the input and the worker when all is read. */
  async finish(worker: RunningWorker): Promise<Summary> {
    await this.feeder.stop();
    await this.cluster.drained(LIMIT_MS);
    return this.cluster.stop(worker);
  }

  /** @param digests of the graphs that workers held in the end */
  async verdicts(...digests: string[]): Promise<Verdict[]> {
    const outcome = await this.cluster.outcome();
    const { config } = this.cluster;
    const verifier = new Verifier({ config, partitions: PARTITIONS, nowMs: Date.now() });
    for (const record of outcome.scored) verifier.scored(record);
    for (const record of outcome.deadLetters) verifier.deadLetter(record);
    for (const record of outcome.alerts) verifier.alert(record);
    for (const record of outcome.graphState) verifier.graphState(record);
    for (const [partition, records] of outcome.logins.entries())
      for (const record of records) verifier.login(partition, record);
    for (const digest of digests) verifier.workerDigest(digest);
    const findings = verifier.finish(outcome.committed);
    this.#t.diagnostic(
      findings
        .slice(0, 3)
        .map(({ verdict, detail }) => `${verdict}: ${detail}`)
        .join("; "),
    );
    return [...new Set(findings.map(({ verdict }) => verdict))].sort();
  }
}

/** Of a worker that does so all the time, to the end. */
async function verdictsOf(t: TestContext, broker: KafkaBroker, bug?: SeededBug): Promise<Verdict[]> {
  const bench = await Bench.open(t, broker, bug ?? "sound");
  const worker = bench.start(bug === undefined ? {} : { bug });
  await bench.feed(LOGINS);
  const { graph } = await bench.finish(worker);
  return bench.verdicts(graph.digest);
}

test("a worker with a mistake in it is found out by the verifier", { timeout: 400_000 }, async (t) => {
  const broker = await startBroker(t);

  await t.test("a sound one is not", async (t) => {
    assert.deepEqual(await verdictsOf(t, broker), ["ALL-RECORDS-ACCOUNTED"]);
  });

  await t.test("position committed before the outputs: RECORD-LOST", async (t) => {
    const bench = await Bench.open(t, broker, "early");
    const dying = bench.start({ bug: "commit-before-produce" });
    const feeding = bench.feed(LOGINS);
    await ended(dying.process);
    assert.equal(dying.process.signalCode, "SIGKILL", dying.output.stderr);
    const worker = bench.start();
    await feeding;
    await bench.feed(LOGINS + LOGINS / 4);
    const { graph } = await bench.finish(worker);
    assert.ok((await bench.verdicts(graph.digest)).includes("RECORD-LOST"));
  });

  const found: readonly (readonly [string, SeededBug, Verdict])[] = [
    ["a dead letter dropped", "dead-letter-dropped", "RECORD-LOST"],
    ["a segment skipped", "segment-skipped", "STATE-DIVERGED"],
    ["a batch sent again without asking what became of it", "scored-twice", "RECORD-DUPLICATED"],
    ["and its alerts with it", "scored-twice", "ALERT-DUPLICATED"],
    ["an alert dropped", "alert-dropped", "ALERT-LOST"],
    ["an alert that says another score", "alert-with-another-score", "ALERT-DIFFERS"],
  ];
  const verdicts = new Map<SeededBug, Verdict[]>();
  for (const [mistake, bug, verdict] of found) {
    await t.test(`${mistake}: ${verdict}`, async (t) => {
      const known = verdicts.get(bug) ?? (await verdictsOf(t, broker, bug));
      verdicts.set(bug, known);
      assert.ok(known.includes(verdict), known.join());
    });
  }

  await t.test("a merged segment counted twice: STATE-DIVERGED", async (t) => {
    const bench = await Bench.open(t, broker, "twice");
    const bug = "sum-counted-twice";
    const first = bench.start({ bug });
    let fed = 0;
    do {
      fed += LOGINS / 4;
      assert.ok(fed <= 2 * LOGINS, "segments are not merged");
      await bench.feed(fed);
      await bench.cluster.drained(LIMIT_MS);
    } while (!(await bench.hasSum()));
    await bench.cluster.stop(first);
    const second = bench.start({ bug });
    await bench.feed(fed + LOGINS / 4);
    const { graph } = await bench.finish(second);
    assert.deepEqual(await bench.verdicts(graph.digest), ["STATE-DIVERGED"]);
  });

  await t.test("restored no further than an open transaction: STATE-DIVERGED", async (t) => {
    const bench = await Bench.open(t, broker, "stable");
    const dying = bench.start();
    await bench.feed(LOGINS / 3);
    await bench.cluster.drained(LIMIT_MS);
    // Somebody's transaction that hides all segments after it from those who read what is committed.
    const kafka = new kafkajs.Kafka({ brokers: [broker.brokers], logLevel: kafkajs.logLevel.NOTHING });
    const producer = kafka.producer({ transactionalId: "foreign", maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    t.after(() => producer.disconnect());
    const transaction = await producer.transaction();
    const messages = [{ key: "foreign", value: "never seen" }];
    for (let partition = 0; partition < PARTITIONS; partition++)
      await transaction.send({
        topic: bench.cluster.topics.graphState,
        messages: messages.map((message) => ({ ...message, partition })),
      });
    await bench.feed((2 * LOGINS) / 3);
    await bench.cluster.drained(LIMIT_MS);
    dying.process.kill("SIGKILL");
    await ended(dying.process);
    const worker = bench.start({ bug: "restored-to-the-last-stable-offset" });
    await bench.feed(LOGINS);
    await bench.cluster.drained(LIMIT_MS);
    await transaction.abort();
    const { graph } = await bench.finish(worker);
    assert.deepEqual(await bench.verdicts(graph.digest), ["STATE-DIVERGED"]);
  });
});

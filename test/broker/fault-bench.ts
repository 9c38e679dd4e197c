import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeSegmentHeader } from "../../src/graph-state/segment.ts";
import { KafkajsClient } from "../../src/log/kafka/kafkajs/client.ts";
import { type Verdict, Verifier } from "../verification/verifier.ts";
import { Feeder } from "./feeder.ts";
import type { KafkaBroker } from "./kafka-broker.ts";
import { type RunningWorker, type Summary, WorkerCluster } from "./worker-cluster.ts";
import type { WorkerFaults } from "./worker-faults.ts";

const PARTITIONS = 2;
export const PER_SECOND = 3000;
export const LIMIT_MS = 60_000;
const SESSION_MS = 3000;

/** A cluster of its own topics on the one broker, its input, and what is found in the end. */
export class FaultBench {
  static readonly PARTITIONS = PARTITIONS;
  readonly cluster: WorkerCluster;
  readonly feeder: Feeder;
  readonly client: KafkajsClient;
  readonly #t: TestContext;

  private constructor(t: TestContext, cluster: WorkerCluster, feeder: Feeder, client: KafkajsClient) {
    this.#t = t;
    this.cluster = cluster;
    this.feeder = feeder;
    this.client = client;
  }

  static async open(t: TestContext, broker: KafkaBroker, name: string): Promise<FaultBench> {
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
    // A test that failed has not stopped it.
    t.after(() => feeder.stop().catch(() => {}));
    return new FaultBench(t, cluster, feeder, client);
  }

  start(faults: WorkerFaults = {}): RunningWorker {
    return this.cluster.startFaulty(faults);
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

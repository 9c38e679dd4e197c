import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs from "kafkajs";
import { topicsOf } from "../../src/cli/kafka.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import type { ConsumedRecord } from "../../src/log/kafka/client.ts";
import { KafkajsClient } from "../../src/log/kafka/kafkajs/client.ts";
import { ended, start } from "../processes/oddlink.ts";
import type { Outcome } from "../verification/verifier.ts";
import type { KafkaBroker } from "./kafka-broker.ts";
import { FAULTS_VARIABLE, type WorkerFaults } from "./worker-faults.ts";

const POLL_MS = 50;
/** Fewer offsets than these at the end of a partition may be markers only. */
const MARKERS_MAX = 20;
const DEAD_LETTER_SETTINGS = { "max.message.bytes": "2097152" };
const FAULTY_WORKER = join(import.meta.dirname, "faulty-worker.ts");
/** What is kept of what a worker says, characters. */
const OUTPUT_MAX = 50_000;
/** No worker outlives this. */
const WORKER_MS_MAX = 3_600_000;

/** Whoever undoes things at its end: a test, or a bench. */
export type Scope = { after(teardown: () => unknown): void };

/** What is looked at of what `run --json` prints. */
export type Summary = { readonly consumed: number; readonly graph: { readonly digest: string } };

export type RunningWorker = {
  readonly name: string;
  readonly process: ChildProcess;
  /** What it has said so far. */
  readonly output: { stdout: string; stderr: string };
};

/** Workers as real processes on a real broker, what they read, and what they wrote. */
export class WorkerCluster {
  readonly config: Config;
  readonly #t: Scope;
  readonly #broker: KafkaBroker;
  readonly partitions: number;
  readonly #settings: Readonly<Record<string, string>>;
  /** Past all proxies. */
  readonly client: KafkajsClient;
  #started = 0;
  #cacheFolder: string | undefined;

  /** @param settings of the workers, as environment variables */
  constructor(t: Scope, broker: KafkaBroker, partitions: number, settings: Readonly<Record<string, string>>) {
    this.#t = t;
    this.#broker = broker;
    this.partitions = partitions;
    this.#settings = { ODDLINK_KAFKA_BROKERS: broker.brokers, ...settings };
    this.config = loadConfig({ environment: this.#settings, flags: {} });
    this.client = new KafkajsClient({ brokers: [broker.brokers], clientId: "verifier" });
    t.after(() => this.client.close());
  }

  get topics() {
    return topicsOf(this.config.kafka);
  }

  /** @param settings of all of them */
  createTopics(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const partitions = this.partitions;
    const compacted = {
      ...settings,
      "cleanup.policy": "compact",
      "min.cleanable.dirty.ratio": "0.1",
      "segment.ms": "2000",
    };
    const { logins, alerts, scoredLogins, deadLetters, graphState, epochs, verdicts, entityRisk } =
      this.topics;
    return this.#broker.createTopics({
      [logins]: { partitions, config: settings },
      [alerts]: { partitions, config: settings },
      [scoredLogins]: { partitions, config: settings },
      [deadLetters]: { partitions, config: { ...settings, ...DEAD_LETTER_SETTINGS } },
      [graphState]: { partitions, config: compacted },
      [epochs]: { partitions: 1, config: compacted },
      [verdicts]: { partitions: 1, config: compacted },
      [entityRisk]: { partitions, config: compacted },
    });
  }

  deleteDeadLetters(): Promise<void> {
    return this.#broker.deleteTopic(this.topics.deadLetters);
  }

  createDeadLetters(): Promise<void> {
    const { partitions } = this;
    return this.#broker.createTopics({
      [this.topics.deadLetters]: { partitions, config: DEAD_LETTER_SETTINGS },
    });
  }

  /** Writes records to the input, or to another topic, by key: who has the same key stays in order. */
  async produce(
    records: readonly { readonly key: string | null; readonly value: Buffer | string | null }[],
    topic: string = this.topics.logins,
  ): Promise<void> {
    const kafka = new kafkajs.Kafka({ brokers: [this.#broker.brokers], logLevel: kafkajs.logLevel.NOTHING });
    const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    try {
      for (let i = 0; i < records.length; i += 2000)
        await producer.send({ topic, messages: records.slice(i, i + 2000) });
    } finally {
      await producer.disconnect();
    }
  }

  /** @param timeoutMs after which it is ended in any case */
  startWorker(more: Readonly<Record<string, string>> = {}, timeoutMs?: number): RunningWorker {
    return this.start(["run", "--kafka", "--json"], more, timeoutMs);
  }

  /** A worker that is faulty, or at least can be told to be. */
  startFaulty(faults: WorkerFaults, more: Readonly<Record<string, string>> = {}): RunningWorker {
    const env = {
      ...more,
      [FAULTS_VARIABLE]: JSON.stringify(faults),
      NODE_COMPILE_CACHE: this.#compileCache(),
    };
    return this.start(["run", "--kafka", "--json"], env, WORKER_MS_MAX, FAULTY_WORKER);
  }

  /**
   * Starts any command of oddlink with the settings of the workers.
   *
   * @param faulty a module that is loaded into it before
   */
  start(
    args: readonly string[],
    more: Readonly<Record<string, string>> = {},
    timeoutMs?: number,
    main?: string,
    faulty?: string,
  ): RunningWorker {
    const name = `${args[0]} ${++this.#started}`;
    const child = start(args, { env: { ...this.#settings, ...more }, timeoutMs, main, faulty });
    this.#t.after(() => child.kill("SIGKILL"));
    const output = { stdout: "", stderr: "" };
    child.stdout!.on("data", (chunk) => (output.stdout += chunk));
    child.stderr!.on("data", (chunk) => {
      output.stderr = (output.stderr + chunk).slice(-OUTPUT_MAX);
    });
    return { name, process: child, output };
  }

  /** Halves what it costs to start a worker, which happens often. */
  #compileCache(): string {
    if (this.#cacheFolder === undefined) {
      const folder = mkdtempSync(join(tmpdir(), "oddlink-workers-"));
      this.#cacheFolder = folder;
      this.#t.after(() => rmSync(folder, { recursive: true, force: true }));
    }
    return this.#cacheFolder;
  }

  /** Asks a worker to stop, and gives what it says in the end. */
  async stop(worker: RunningWorker): Promise<Summary> {
    worker.process.kill("SIGTERM");
    return this.finished<Summary>(worker);
  }

  /** Waits for a command to end well, and gives what it says in the end. */
  async finished<T>({ name, process, output }: RunningWorker): Promise<T> {
    const code = await ended(process);
    if (code !== 0) throw new Error(`${name} ended with ${code}: ${output.stderr}`);
    return JSON.parse(output.stdout) as T;
  }

  async committed(): Promise<(number | undefined)[]> {
    const partitions = Array.from({ length: this.partitions }, (_, partition) => partition);
    return this.client.committedOffsets(this.config.kafka.group, this.topics.logins, partitions);
  }

  /** Resolves once so many workers share all partitions. */
  async assigned(workers: number, limitMs: number): Promise<void> {
    const { group } = this.config.kafka;
    const deadline = performance.now() + limitMs;
    for (;;) {
      // The first group of a broker waits for a topic to be made.
      const members = await this.client.groupAssignment(group, this.topics.logins).catch(() => new Map());
      const counts = [...members.values()].map(({ length }) => length);
      const given = counts.reduce((sum, count) => sum + count, 0);
      if (counts.length === workers && given === this.partitions) return;
      if (performance.now() > deadline) throw new Error(`the group gave out ${counts} after ${limitMs} ms`);
      await sleep(POLL_MS);
    }
  }

  /** Resolves once each of the workers with these client ids is in the group: so far on, it stops in order when asked to. */
  async joined(clientIds: readonly string[], limitMs: number): Promise<void> {
    const { group } = this.config.kafka;
    const deadline = performance.now() + limitMs;
    for (;;) {
      const members = await this.client.groupAssignment(group, this.topics.logins).catch(() => new Map());
      const ids = [...members.keys()];
      const missing = clientIds.filter((clientId) => !ids.some((id) => id.startsWith(`${clientId}-`)));
      if (missing.length === 0) return;
      if (performance.now() > deadline)
        throw new Error(`${missing} are not in the group after ${limitMs} ms`);
      await sleep(POLL_MS);
    }
  }

  /** Resolves once everything that is in the input by now is committed. */
  async drained(limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    const offsets = await this.client.topicOffsets(this.topics.logins);
    const ends = offsets.map(({ high }) => high);
    for (;;) {
      // What was deleted before it was read is not waited for.
      const committed = (await this.committed()).map((offset, i) => Math.max(offset ?? 0, offsets[i]!.low));
      const open = await Promise.all(
        ends.map((end, partition) => this.#hasRecords(partition, committed[partition]!, end)),
      );
      if (!open.includes(true)) return;
      if (performance.now() > deadline) throw new Error(`at ${committed} of ${ends} after ${limitMs} ms`);
      await sleep(POLL_MS);
    }
  }

  /** A partition that was written in transactions ends with markers, which nobody reads or commits. */
  async #hasRecords(partition: number, offset: number, end: number): Promise<boolean> {
    if (offset >= end) return false;
    if (end - offset > MARKERS_MAX) return true;
    const { records } = await this.client.read(this.topics.logins, partition, offset);
    return records.length > 0;
  }

  async outcome(): Promise<Outcome> {
    const { logins, alerts, scoredLogins, deadLetters, graphState } = this.topics;
    const input = await this.read(logins);
    return {
      config: this.config,
      logins: input,
      committed: await this.committed(),
      alerts: (await this.read(alerts)).flat(),
      scored: (await this.read(scoredLogins)).flat(),
      deadLetters: (await this.read(deadLetters)).flat(),
      graphState: (await this.read(graphState)).flat(),
    };
  }

  /** All committed records of a topic, by partition. */
  async read(topic: string): Promise<ConsumedRecord[][]> {
    const records: ConsumedRecord[][] = (await this.client.topicOffsets(topic)).map(() => []);
    await this.forEach(topic, (record, partition) => void records[partition]!.push(record));
    return records;
  }

  /** Hands over what is committed in a topic by now, each partition in its order. */
  async forEach(topic: string, onRecord: (record: ConsumedRecord, partition: number) => void): Promise<void> {
    const ends = (await this.client.topicOffsets(topic)).map(({ stable }) => stable);
    const positions = ends.map(() => 0);
    const done = Promise.withResolvers<void>();
    const check = (): void => {
      if (ends.every((end, partition) => positions[partition]! >= end)) done.resolve();
    };
    const tail = this.client.tail({
      topic,
      onRecords: (partition, read, position) => {
        for (const record of read) if (record.offset < ends[partition]!) onRecord(record, partition);
        positions[partition] = position;
        check();
      },
      onCrash: done.reject,
    });
    check();
    try {
      await done.promise;
    } finally {
      await tail.close();
    }
  }
}

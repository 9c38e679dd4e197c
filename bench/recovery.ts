/**
 * Claim: a worker that is killed is replaced soon after its session has ended, however large the graph.
 *
 *   npx node bench/recovery.ts [--links 1000000] [--times 5] [--session 6000] [--passes 1]
 *                              [--rate 2000] [--only restore|restart|standby]
 *
 * A worker on a real broker builds the graph from a stream of logins, and merges its segments as it does. Then, under 2,000
 * logins a second of which 1 in 20 raises an alert:
 *
 * - restore: a process reads the graph from the topic; links a second, memory; and how long it takes to build it anew;
 * - restart: the only worker is killed, and another process started at once;
 * - standby: of two workers one is killed, and the other takes its partitions over.
 *
 * What counts is when a read-committed reader gets the next alert of a partition that the killed worker had. `--passes` reads
 * every login so many times: a long history of a graph that does not grow, for what a restart reads of it.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import kafkajs from "kafkajs";
import { KafkajsClient } from "../src/log/kafka/kafkajs/client.ts";
import type { KafkaBroker } from "../test/broker/kafka-broker.ts";
import { startBroker } from "../test/broker/kafka-broker.ts";
import { type RunningWorker, WorkerCluster } from "../test/broker/worker-cluster.ts";
import { ended } from "../test/processes/oddlink.ts";
import { MadeLogins, type Message } from "./logins.ts";
import type { Restored } from "./restoring.ts";
import { printTable, text } from "./table.ts";
import { type Teardowns, withTeardowns } from "./teardowns.ts";

const { values: options } = parseArgs({
  options: {
    links: { type: "string", default: "1000000" },
    times: { type: "string", default: "5" },
    session: { type: "string", default: "6000" },
    passes: { type: "string", default: "1" },
    rate: { type: "string", default: "2000" },
    only: { type: "string" },
  },
});
const LINKS = Number(options.links);
const TIMES = Number(options.times);
const SESSION_MS = Number(options.session);
const PASSES = Number(options.passes);

const PARTITIONS = 4;
/** Each login makes three links, nearly all of which are new. */
const LOGINS = Math.ceil((LINKS / 3) * 1.001);
const ENTITIES = Math.ceil(LINKS / 16);
const LOGINS_PER_SECOND = Number(options.rate);
const ALERT_EVERY = 20;
const FEED_MS = 20;
const WORKER_MS_MAX = 1_200_000;
const STEADY_MS = 3000;
const POLL_MS = 10;
const ALERT_MS_MAX = 60_000;

const made = new MadeLogins(ENTITIES, PARTITIONS);

const SETTINGS = {
  ODDLINK_INPUT_FORMAT: "lanl",
  ODDLINK_TRAINING_MODE: "off",
  ODDLINK_THRESHOLD: "0.001",
  ODDLINK_KAFKA_SESSIONTIMEOUTMS: String(SESSION_MS),
  // Accounts are judged from their first login on.
  ODDLINK_PRESENCE_LEARNHOURS: "0",
  ODDLINK_PRESENCE_LEARNRECORDS: "1",
};

/** Feeds the input at a steady rate until it is stopped. */
class Feed {
  readonly #producer: kafkajs.Producer;
  readonly #topic: string;
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(producer: kafkajs.Producer, topic: string) {
    this.#producer = producer;
    this.#topic = topic;
  }

  start(second: number): void {
    const startedMs = performance.now();
    const before = this.#count;
    this.#timer = setInterval(() => {
      const due = before + Math.floor(((performance.now() - startedMs) / 1000) * LOGINS_PER_SECOND);
      const messages: Message[] = [];
      for (; this.#count < due; this.#count++) {
        const login = (this.#count * 7919) % LOGINS;
        const isOdd = this.#count % ALERT_EVERY === 0;
        messages.push(isOdd ? made.odd(login, second, this.#count) : made.usual(login, second));
      }
      if (messages.length > 0) void this.#producer.send({ topic: this.#topic, messages });
    }, FEED_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** When a worker wrote an alert, by the wall clock, and when a read-committed reader had it. */
type Arrival = { readonly writtenMs: number; readonly arrivedMs: number };

/** Alerts of each partition of the input. */
class Alerts {
  readonly #arrivals = Array.from({ length: PARTITIONS }, () => [] as Arrival[]);

  constructor(client: KafkajsClient, topic: string) {
    client.tail({
      topic,
      onRecords: (_, records) => {
        const arrivedMs = performance.now();
        for (const { headers, timestampMs } of records)
          this.#arrivals[Number(headers["oddlink-source-partition"])]!.push({
            writtenMs: timestampMs,
            arrivedMs,
          });
      },
      onCrash: (error) => {
        throw error;
      },
    });
  }

  /** Resolves with when the first alert of each of the partitions arrived that was written after `Date.now()`, in order. */
  async nextOfEach(partitions: readonly number[], limitMs: number): Promise<number[]> {
    const sinceMs = Date.now();
    const deadlineMs = performance.now() + limitMs;
    for (;;) {
      const first = partitions.map((partition) =>
        this.#arrivals[partition]!.find(({ writtenMs }) => writtenMs > sinceMs),
      );
      const found = first.filter((arrival) => arrival !== undefined);
      if (found.length === partitions.length)
        return found.map(({ arrivedMs }) => arrivedMs).toSorted((a, b) => a - b);
      if (performance.now() > deadlineMs)
        throw new Error(`no alert of each of the partitions ${partitions} within ${limitMs} ms`);
      await sleep(POLL_MS);
    }
  }
}

class Recovery {
  readonly #cluster: WorkerCluster;
  readonly #client: KafkajsClient;
  readonly #alerts: Alerts;
  #started = 0;

  constructor(teardowns: Teardowns, cluster: WorkerCluster, broker: KafkaBroker) {
    this.#cluster = cluster;
    this.#client = new KafkajsClient({ brokers: [broker.brokers], clientId: "reader" });
    teardowns.after(() => this.#client.close());
    this.#alerts = new Alerts(this.#client, cluster.topics.alerts);
  }

  start(): { readonly worker: RunningWorker; readonly clientId: string } {
    const clientId = `worker${++this.#started}`;
    return {
      worker: this.#cluster.startWorker({ ODDLINK_KAFKA_CLIENTID: clientId }, WORKER_MS_MAX),
      clientId,
    };
  }

  /** Partitions of a worker, as the group's coordinator has it. */
  async partitionsOf(clientId: string): Promise<readonly number[]> {
    const { group } = this.#cluster.config.kafka;
    const members = await this.#client.groupAssignment(group, this.#cluster.topics.logins);
    return [...members].find(([memberId]) => memberId.startsWith(`${clientId}-`))?.[1] ?? [];
  }

  /** Resolves once each of the workers has partitions, and alerts of all partitions come. */
  async steady(clientIds: readonly string[]): Promise<void> {
    for (;;) {
      const counts = await Promise.all(clientIds.map((id) => this.partitionsOf(id)));
      if (counts.every(({ length }) => length > 0) && counts.flat().length === PARTITIONS) break;
      await sleep(100);
    }
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    await this.#alerts.nextOfEach(partitions, ALERT_MS_MAX);
    await sleep(STEADY_MS);
  }

  /** Kills a worker and measures, in milliseconds from then on; `next` is who takes over, started before or right after. */
  async kill(killed: { worker: RunningWorker; clientId: string }, next: () => { clientId: string }) {
    const partitions = await this.partitionsOf(killed.clientId);
    const killedMs = performance.now();
    const gone = ended(killed.worker.process);
    killed.worker.process.kill("SIGKILL");
    const { clientId } = next();
    let joinedMs: number | undefined;
    const joining = (async () => {
      for (;;) {
        const owned = await this.partitionsOf(clientId);
        if (partitions.every((partition) => owned.includes(partition))) break;
        await sleep(POLL_MS);
      }
      joinedMs = performance.now();
    })();
    // A process that is dead writes nothing: what is written from now on is by who took over.
    const first = await this.#alerts.nextOfEach(partitions, SESSION_MS + ALERT_MS_MAX);
    await Promise.all([joining, gone]);
    return { joined: joinedMs! - killedMs, first: first[0]! - killedMs, last: first.at(-1)! - killedMs };
  }
}

const rssMiB = (pid: number) =>
  promisify(execFile)("ps", ["-o", "rss=", "-p", String(pid)]).then(({ stdout }) => Number(stdout) / 1024);

type Killed = Awaited<ReturnType<Recovery["kill"]>>;

function printKills(title: string, kills: readonly Killed[], rss: readonly number[], goalMs: number): void {
  const beyond = (of: (killed: Killed) => number) => kills.map((killed) => of(killed) - SESSION_MS);
  printTable(title, [
    { name: "kill to the new assignment, ms", values: kills.map(({ joined }) => joined) },
    { name: "kill to the first new alert, ms", values: kills.map(({ first }) => first) },
    {
      name: `  beyond the session of ${SESSION_MS} ms`,
      values: beyond(({ first }) => first),
      goal: { value: goalMs },
    },
    { name: "  of the last of its partitions", values: beyond(({ last }) => last) },
    { name: "memory of who took over, MiB", values: rss },
  ]);
}

await withTeardowns(async (teardowns) => {
  const broker = await startBroker(teardowns);
  const cluster = new WorkerCluster(teardowns, broker, PARTITIONS, SETTINGS);
  await cluster.createTopics();
  const kafka = new kafkajs.Kafka({ brokers: [broker.brokers], logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  teardowns.after(() => producer.disconnect());
  const topic = cluster.topics.logins;

  const builder = cluster.startWorker({}, WORKER_MS_MAX);
  const buildMs = performance.now();
  for (let at = 0; at < LOGINS * PASSES; at += 2000) {
    const count = Math.min(2000, LOGINS * PASSES - at);
    const messages = Array.from({ length: count }, (_, i) =>
      made.usual((at + i) % LOGINS, 1 + Math.floor((at + i) / 100)),
    );
    await producer.send({ topic, messages });
  }
  await cluster.drained(WORKER_MS_MAX);
  const built = await cluster.stop(builder);
  console.log(
    `built by a worker    ${text(LOGINS * PASSES)} logins in ${text((performance.now() - buildMs) / 1000)} s\n`,
  );

  if (options.only === undefined || options.only === "restore") {
    const restored: Restored[] = [];
    for (let i = 0; i < TIMES; i++) {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "restoring.ts")],
        { env: { ...process.env, ...SETTINGS, ODDLINK_KAFKA_BROKERS: broker.brokers } },
      );
      restored.push(JSON.parse(stdout) as Restored);
      if (restored.at(-1)!.digest !== built.graph.digest)
        throw new Error("it restored another graph than was built");
    }
    const of = (value: (restored: Restored) => number) => restored.map(value);
    printTable("restore", [
      { name: "links", values: of(({ links }) => links) },
      { name: "rows, with types and profiles", values: of(({ rows }) => rows) },
      { name: "seconds", values: of(({ seconds }) => seconds) },
      {
        name: "links a second",
        values: of(({ links, seconds }) => links / seconds),
        goal: { value: 300_000, isMore: true },
      },
      {
        name: "links a second of CPU, all threads",
        values: of(({ links, cpuSeconds }) => links / cpuSeconds),
      },
      { name: "rows a second", values: of(({ rows, seconds }) => rows / seconds) },
      { name: "MiB read, decompressed", values: of(({ bytesRead }) => bytesRead / 2 ** 20) },
      {
        name: "  as many times as the graph's own",
        values: of(({ bytesRead, graphBytes }) => bytesRead / graphBytes),
      },
      { name: "memory after it, MiB", values: of(({ rssMiB }) => rssMiB) },
      { name: "seconds to build it anew", values: of(({ rebuildSeconds }) => rebuildSeconds) },
      { name: "  longest stall of all else, ms", values: of(({ rebuildStallMs }) => rebuildStallMs) },
    ]);
  }

  const second = 1 + Math.ceil((LOGINS * PASSES) / 100);
  const recovery = new Recovery(teardowns, cluster, broker);
  const feed = new Feed(producer, topic);
  teardowns.after(() => feed.stop());
  feed.start(second);
  let current = recovery.start();
  await recovery.steady([current.clientId]);
  if (options.only === undefined || options.only === "restart") {
    const kills: Killed[] = [];
    const rss: number[] = [];
    for (let i = 0; i < TIMES; i++) {
      const killed = current;
      kills.push(await recovery.kill(killed, () => (current = recovery.start())));
      rss.push(await rssMiB(current.worker.process.pid!));
      await recovery.steady([current.clientId]);
    }
    printKills("another process", kills, rss, 1000);
  }
  if (options.only === undefined || options.only === "standby") {
    const kills: Killed[] = [];
    const rss: number[] = [];
    let standby = recovery.start();
    for (let i = 0; i < TIMES; i++) {
      await recovery.steady([current.clientId, standby.clientId]);
      kills.push(await recovery.kill(current, () => standby));
      rss.push(await rssMiB(standby.worker.process.pid!));
      [current, standby] = [standby, recovery.start()];
    }
    printKills("a warm standby", kills, rss, 300);
  }
});

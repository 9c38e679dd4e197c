import { setTimeout as sleep } from "node:timers/promises";
import { USER } from "../../src/ingest/login-bytes.ts";
import { KafkajsClient } from "../../src/log/kafka/kafkajs/client.ts";
import { Random } from "../../src/model/random.ts";
import { type Finding, Verifier } from "../verification/verifier.ts";
import { EpochPublisher } from "./epoch-publisher.ts";
import { FAULT_KINDS, type FaultKind, type Scene } from "./fault-kinds.ts";
import { Feeder, withRecord } from "./feeder.ts";
import { startBroker } from "./kafka-broker.ts";
import { POISON_USER } from "./login-generator.ts";
import { type Scope, WorkerCluster } from "./worker-cluster.ts";
import { connectSlots, listenForSlots, SLOTS, WorkerSlots } from "./worker-slots.ts";

const PARTITIONS = 4;
/** A partition that does not move for so long is stuck. */
const STUCK_MS = 120_000;
const POLL_MS = 25;
const ASK_MS_MAX = 2000;
const UNDER_WAY_MS = 250;
const GAP_MS_MAX = 500;
/** Planned for each fault; the input is spread over them. */
const MS_PER_FAULT = 3500;
/** The input waits while so many records are not read yet, but for a few a second, by which recovery is seen. */
const LAG_MAX = 60_000;
const TRICKLE_PER_SECOND = 400;
const FULL_PER_SECOND = 60_000;
const PACE_MS = 500;
const DRAIN_MS_MAX = 600_000;
const LOGINS_PER_USER = 200;
const USERS_MAX = 5000;
const STRANGERS_SHARE = 0.005;
const STRANGERS_MAX = 5000;
/** Of what workers have said, characters. */
const SAID_MAX = 3000;
/** Event time of the whole input: days, so that the window moves, and less than the window, so that nothing is forgotten. */
const EVENT_TIME_MS = 5 * 86_400_000;
/** After so many faults there is another number of workers. */
const FAULTS_PER_SIZE = 5;

/**
 * Keeps the topic of positions short. A group coordinator that loads more than 16,384 of its records after a kill -9 of the broker
 * may do something else in between, and is never right again (Kafka 4.4.0).
 */
const SMALL_OFFSETS = {
  "cleanup.policy": "compact",
  "compression.type": "producer",
  "segment.bytes": String(1024 * 1024),
  "min.cleanable.dirty.ratio": "0.01",
  "delete.retention.ms": "1000",
};

const SETTINGS = {
  ODDLINK_INPUT_FORMAT: "oddlink",
  ODDLINK_TRAINING_MODE: "off",
  ODDLINK_THRESHOLD: "0.002",
  ODDLINK_OUTPUTS_SCOREDLOGINS: "true",
  ODDLINK_KAFKA_COMPRESSION: "lz4",
};

export type FaultRunOptions = {
  readonly faults: number;
  /** At least so many; more if they are all written before the last fault. */
  readonly logins: number;
  readonly seed: number;
  /** A worker that is silent for longer has its partitions taken: most of what a recovery takes. */
  readonly sessionMs: number;
  /** What recovery may take beyond the session, and beyond the fault itself, ms: rebalance, restore, a busy machine. */
  readonly recoveryAllowanceMs: number;
  /** Names of the kinds to choose from; all if undefined. */
  readonly kinds?: readonly string[] | undefined;
  readonly onProgress: (line: string) => void;
};

export type DoneFault = { readonly kind: string; readonly recoveryMs: number };

export type FaultReport = {
  readonly faults: readonly DoneFault[];
  readonly findings: readonly Finding[];
  readonly totals: Verifier["totals"];
  readonly seconds: number;
  readonly verifySeconds: number;
  /** What workers said that ended by themselves. */
  readonly failures: readonly string[];
};

/** A cluster of workers on a real broker, through its faults, to the end of its input; and the verdict. */
export async function runFaults(t: Scope, options: FaultRunOptions): Promise<FaultReport> {
  const startedMs = performance.now();
  const proxies = await listenForSlots(t);
  const broker = await startBroker(t, {
    proxyPorts: proxies.map(({ port }) => port),
    hasOwnController: true,
  });
  connectSlots(proxies, broker);
  const cluster = new WorkerCluster(t, broker, PARTITIONS, {
    ...SETTINGS,
    ODDLINK_KAFKA_SESSIONTIMEOUTMS: String(options.sessionMs),
  });
  await cluster.createTopics();
  const verifier = new Verifier({
    config: cluster.config,
    partitions: PARTITIONS,
    nowMs: Date.now(),
    isPoison: (login) => login.text(USER) === POISON_USER,
  });
  const run = new FaultRun(t, options, broker, cluster, proxies, verifier);
  const faults = await run.faults().catch((error: unknown) => {
    options.onProgress(`the broker's log ends with:\n${broker.log().slice(-SAID_MAX)}`);
    throw error;
  });
  // What is stuck will not be read to its end.
  if (faults.length === options.faults) await run.drain();
  const digests = await run.stop();
  const verifyMs = performance.now();
  const findings = await run.verify(digests);
  return {
    faults,
    findings,
    totals: verifier.totals,
    seconds: (verifyMs - startedMs) / 1000,
    verifySeconds: (performance.now() - verifyMs) / 1000,
    failures: run.failures,
  };
}

class FaultRun {
  readonly #options: FaultRunOptions;
  readonly #scene: Scene;
  readonly #verifier: Verifier;
  readonly #pacing = new AbortController();
  readonly #paced: Promise<void>;
  #isFaulty = true;

  constructor(
    t: Scope,
    options: FaultRunOptions,
    broker: Scene["broker"],
    cluster: WorkerCluster,
    proxies: Awaited<ReturnType<typeof listenForSlots>>,
    verifier: Verifier,
  ) {
    const { logins, seed } = options;
    this.#options = options;
    this.#verifier = verifier;
    const writer = new KafkajsClient({ brokers: [broker.brokers], clientId: "feeder", compression: "zstd" });
    t.after(() => writer.close());
    const feeder = new Feeder({
      client: writer,
      topic: cluster.topics.logins,
      partitions: PARTITIONS,
      generator: {
        seed,
        users: Math.min(USERS_MAX, Math.ceil(logins / LOGINS_PER_USER)),
        stepMs: EVENT_TIME_MS / (logins / PARTITIONS),
      },
      onTrouble: () => {},
    });
    const epochs = new EpochPublisher(writer, cluster.topics.epochs);
    this.#scene = {
      random: new Random(seed, "faults"),
      broker,
      cluster,
      slots: new WorkerSlots(cluster, proxies, { poisonUser: POISON_USER }),
      feeder,
      sessionMs: options.sessionMs,
      strangers: Math.min(STRANGERS_MAX, Math.ceil(logins * STRANGERS_SHARE)),
      publishEpoch: () => epochs.publish(),
      collectDeadLetters: () =>
        cluster.forEach(cluster.topics.deadLetters, (record) => verifier.deadLetter(record)),
    };
    this.#paced = this.#pace();
    t.after(async () => {
      this.#pacing.abort();
      await this.#scene.slots.end();
      await feeder.stop();
    });
  }

  get failures(): readonly string[] {
    return this.#scene.slots.failures;
  }

  /** One fault after the other, each when the one before is overcome. */
  async faults(): Promise<DoneFault[]> {
    const { onProgress, faults, sessionMs, recoveryAllowanceMs } = this.#options;
    const { random, slots, feeder } = this.#scene;
    const done: DoneFault[] = [];
    await slots.scaleTo(2);
    await this.#moved(await this.#committed());
    // It is there once a group has committed.
    await this.#scene.broker.alterTopic("__consumer_offsets", SMALL_OFFSETS);
    const chosen = FAULT_KINDS.filter(({ name }) => this.#options.kinds?.includes(name) ?? true);
    if (chosen.length === 0) throw new Error(`choose of: ${FAULT_KINDS.map(({ name }) => name).join(", ")}`);
    const kinds = draw(random, chosen, faults);
    for (const [i, kind] of kinds.entries()) {
      if (i % FAULTS_PER_SIZE === FAULTS_PER_SIZE - 1) {
        await slots.scaleTo(1 + random.nextInt(SLOTS));
        await this.#moved(await this.#committed());
      }
      await sleep(random.nextInt(GAP_MS_MAX));
      const workers = slots.running.length;
      const startedMs = performance.now();
      const { lastsMs, over, name = kind.name } = await kind.inject(this.#scene);
      // Some take their time to begin: a worker that is to die at some point has to come there first.
      const faultMs = performance.now() - startedMs + lastsMs;
      // What was under way when it began is not what comes after it.
      await sleep(UNDER_WAY_MS);
      const isMoving = await this.#moved(await this.#committed());
      const recoveryMs = Math.round(performance.now() - startedMs);
      if (!isMoving) {
        this.#verifier.find("PARTITION-STUCK", `${name}: ${slots.lastWords.join("\n").slice(-SAID_MAX)}`);
        return done;
      }
      const barMs = faultMs + sessionMs + recoveryAllowanceMs;
      const isTooSlow = recoveryMs > barMs;
      if (isTooSlow)
        this.#verifier.find(
          "RECOVERY-TOO-SLOW",
          `${name}: ${recoveryMs} ms, the bar is ${Math.round(barMs)}`,
        );
      await over;
      done.push({ kind: name, recoveryMs });
      onProgress(
        `${String(i + 1).padStart(4)} of ${faults}  ${name.padEnd(26)} ${String(workers)} workers  ` +
          `${(recoveryMs / 1000).toFixed(1).padStart(5)} s  ${feeder.written} logins${isTooSlow ? "  too slow" : ""}`,
      );
    }
    return done;
  }

  /** Writes what is left of the input, and waits until it is read. */
  async drain(): Promise<void> {
    const { feeder, cluster } = this.#scene;
    const { logins, onProgress } = this.#options;
    this.#isFaulty = false;
    while (feeder.written < logins) {
      await sleep(PACE_MS);
    }
    this.#pacing.abort();
    await this.#paced;
    await feeder.stop();
    onProgress(`${feeder.written} logins written`);
    await cluster
      .drained(DRAIN_MS_MAX)
      .catch((error: unknown) => this.#verifier.find("PARTITION-STUCK", String(error)));
  }

  /** Stops all workers. @returns the digests of the graphs they held */
  async stop(): Promise<string[]> {
    const { slots } = this.#scene;
    // What was committed last travels to all of them.
    await sleep(2 * this.#options.sessionMs);
    const summaries = await Promise.all(slots.running.map((slot) => slots.stop(slot)));
    return summaries.flatMap((summary) => (summary === undefined ? [] : [summary.graph.digest]));
  }

  async verify(digests: readonly string[]): Promise<Finding[]> {
    const { cluster, feeder, slots } = this.#scene;
    const { logins, alerts, scoredLogins, graphState } = cluster.topics;
    const verifier = this.#verifier;
    await cluster.forEach(scoredLogins, (record) => verifier.scored(record));
    await cluster.forEach(alerts, (record) => verifier.alert(record));
    await this.#scene.collectDeadLetters();
    await cluster.forEach(graphState, (record) => verifier.graphState(record));
    const read = feeder.ledger.map(() => ({ records: 0, checksum: 0 }));
    await cluster.forEach(logins, (record, partition) => {
      const entry = read[partition]!;
      entry.records++;
      entry.checksum = withRecord(entry.checksum, record.value);
      verifier.login(partition, record);
    });
    for (const [partition, entry] of feeder.ledger.entries()) {
      const { records, checksum } = read[partition]!;
      if (records !== entry.records || checksum !== entry.checksum)
        throw new Error(`the input of partition ${partition} is not what was written to it`);
    }
    for (const digest of digests) verifier.workerDigest(digest);
    for (const said of slots.stuck)
      verifier.find("PARTITION-STUCK", `a worker did not stop when asked to: ${said.slice(-500)}`);
    for (const failure of slots.unexpected)
      verifier.find("STATE-DIVERGED", `a worker ended by itself: ${failure.slice(-500)}`);
    return verifier.finish(await cluster.committed());
  }

  /** Where the group is by now, from a broker that may be away at the moment. */
  async #committed(): Promise<number[]> {
    const { cluster } = this.#scene;
    for (
      const startedMs = performance.now();
      performance.now() - startedMs < STUCK_MS;
      await sleep(POLL_MS)
    ) {
      const asked = cluster.committed().catch(() => undefined);
      const committed = await Promise.race([asked, sleep(ASK_MS_MAX, undefined)]);
      if (committed !== undefined) return committed.map((offset) => offset ?? 0);
    }
    throw new Error("the broker does not answer");
  }

  /** Resolves once each partition is further than before; to false if one of them is not in time. */
  async #moved(before: readonly number[]): Promise<boolean> {
    for (
      const startedMs = performance.now();
      performance.now() - startedMs < STUCK_MS;
      await sleep(POLL_MS)
    ) {
      const now = await this.#committed();
      if (now.every((offset, partition) => offset > before[partition]!)) return true;
    }
    return false;
  }

  /** Spreads the input over the faults, and holds it while the workers are behind. */
  async #pace(): Promise<void> {
    const { logins, faults } = this.#options;
    const { feeder, cluster } = this.#scene;
    const planned = logins / ((faults * MS_PER_FAULT) / 1000);
    feeder.pace(TRICKLE_PER_SECOND);
    for (; !this.#pacing.signal.aborted; await sleep(PACE_MS)) {
      const lag = await this.#lag(cluster).catch(() => LAG_MAX);
      if (!this.#isFaulty && feeder.written >= logins) feeder.pace(0);
      else if (lag >= LAG_MAX) feeder.pace(TRICKLE_PER_SECOND);
      else if (!this.#isFaulty) feeder.pace(FULL_PER_SECOND, logins);
      else feeder.pace(feeder.written < logins ? Math.max(planned, TRICKLE_PER_SECOND) : TRICKLE_PER_SECOND);
    }
  }

  async #lag(cluster: WorkerCluster): Promise<number> {
    const asked = Promise.all([cluster.client.topicOffsets(cluster.topics.logins), cluster.committed()]);
    asked.catch(() => {});
    const answer = await Promise.race([asked, sleep(ASK_MS_MAX, undefined)]);
    if (answer === undefined) return LAG_MAX;
    const [ends, committed] = answer;
    return ends.reduce((sum, { high }, partition) => sum + high - (committed[partition] ?? 0), 0);
  }
}

/** The kinds in an order drawn anew, again and again. */
function draw(random: Random, kinds: readonly FaultKind[], count: number): FaultKind[] {
  const drawn: FaultKind[] = [];
  while (drawn.length < count) {
    const bag = [...kinds];
    while (bag.length > 0 && drawn.length < count) drawn.push(...bag.splice(random.nextInt(bag.length), 1));
  }
  return drawn;
}

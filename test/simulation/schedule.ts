import { Buffer } from "node:buffer";
import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { Engine } from "../../src/engine/engine.ts";
import { PartitionMerging } from "../../src/engine/partition-merging.ts";
import { digestOf } from "../../src/graph-state/digest.ts";
import { type LoginBytes, USER } from "../../src/ingest/login-bytes.ts";
import { KafkaLog } from "../../src/log/kafka/kafka-log.ts";
import { TOPIC_NAMES } from "../../src/log/kafka/produced-records.ts";
import { SimulatedCluster } from "../../src/log/simulated/cluster.ts";
import { drawFaultPlan, type FaultName, withoutFaults } from "../../src/log/simulated/fault-plan.ts";
import type { SimulatedProcess } from "../../src/log/simulated/simulated-process.ts";
import { Random } from "../../src/model/random.ts";
import { kafkaLogOptions } from "../conformance/kafka-world.ts";
import { FAILS_IN_ADDING, FAILS_IN_SCORING, poison } from "../engine/poison.ts";
import { type Finding, verify } from "../verification/verifier.ts";
import { MISTAKES, type Mistake } from "./mistakes.ts";
import { type Work, WorkInProgress } from "./work-in-progress.ts";

export const GROUP = "oddlink";
/** Small, so that reading is paused and goes on many times. */
export const QUEUE_BYTES_MAX = 20_000;
/** Small too, so that what a commit adds to the graph, and any sum, is several segments of one group. */
export const SEGMENT_BYTES_MAX = 1500;
/** Virtual milliseconds: how long faults happen, how long after them everything may take to settle. */
const FAULTS_MS = 30_000;
const SETTLE_MS = 120_000;
const RESTART_MS_MAX = 3000;
const STOP_CHANCE = 0.02;
/** A schedule in which nothing went wrong until then is given a kill. */
const FORCED_FAULT_MS = 20_000;
/** Faults that came into the simulation later: seeds that were kept from before run without them, and without aimed kills. */
const LATER_FAULTS: readonly FaultName[] = ["cutOff", "clockJump"];
/** Kills that are aimed at a piece of work: how likely one is as such a piece begins, and how soon after. */
const AIMED_KILLS: Readonly<Record<Work, { readonly chance: number; readonly withinMs: number }>> = {
  restore: { chance: 0.05, withinMs: 20 },
  merge: { chance: 0.02, withinMs: 200 },
  commit: { chance: 0, withinMs: 0 },
};
const AIMED_KILLS_MAX = 3;
const REPEATED_SHARE = 0.02;
const REPEATED_LATER_MS_MAX = 5000;

export type ScheduleResult = {
  readonly seed: number;
  readonly findings: Finding[];
  readonly faults: Readonly<Partial<Record<FaultName | "stop", number>>>;
  /** Kills that fell into something. */
  readonly killsByWork: Readonly<Record<Work, number>>;
  readonly logins: number;
  readonly alerts: number;
  readonly rebuilds: number;
  readonly virtualMs: number;
  /** Equal for equal runs. */
  readonly trace: string;
};

export type ScheduleOptions = {
  /** As seeds were before `LATER_FAULTS` happened, kills were aimed and records came twice. */
  readonly isEarlier?: boolean;
  /** What every worker does wrong: a name in `MISTAKES`. */
  readonly mistake?: string | undefined;
  /** Some logins bring out a bug. */
  readonly hasPoison?: boolean;
};

export type Worker = {
  readonly process: SimulatedProcess;
  readonly engine: Engine;
  readonly work: WorkInProgress;
  readonly stop: AbortController;
  /** Resolves when the engine ended by itself, with what it failed with. */
  readonly ended: Promise<unknown>;
  isEnded: boolean;
};

const CONFIG: Config = loadConfig({
  environment: {},
  flags: {
    "training.mode": "off",
    "surprise.warmupHours": 0.01,
    "surprise.learnLogins": 20,
    "outputs.scoredLogins": true,
    "presence.learnHours": 0.01,
    threshold: 0.05,
  },
});

/** Share of logins that bring out a bug, half of them before they are added and half of them after. */
const POISON_SHARE = 0.02;

/** A whole cluster of one to four workers, under one seed, through its faults, to the end of its input. */
export async function runSchedule(seed: number, options: ScheduleOptions = {}): Promise<ScheduleResult> {
  if (options.hasPoison !== true) return runCluster(seed, options);
  const mend = poison();
  try {
    return await runCluster(seed, options);
  } finally {
    mend();
  }
}

async function runCluster(seed: number, options: ScheduleOptions): Promise<ScheduleResult> {
  const { isEarlier = false, hasPoison = false } = options;
  const mistake = options.mistake === undefined ? undefined : MISTAKES[options.mistake]!;
  const cluster = new SimulatedCluster({ random: (label) => new Random(seed, label) });
  const random = new Random(seed, "schedule");
  const partitions = 1 + random.nextInt(5);
  const workerCount = 1 + random.nextInt(4);
  createTopics(cluster, partitions);

  const workers = new Map<string, Worker>();
  let restarts = 0;
  let rebuilds = 0;
  let isOver = false;
  let stops = 0;
  const killsByWork: Record<Work, number> = { restore: 0, merge: 0, commit: 0 };
  const unexpected: Finding[] = [];
  const aim = new Random(seed, "aimed kills");
  let aimedKills = 0;
  const start = (): void => {
    const process = cluster.process(`worker ${++restarts}`);
    const work = new WorkInProgress((begun) => {
      const { chance, withinMs } = AIMED_KILLS[begun];
      if (isEarlier || isOver || chance === 0 || aimedKills === AIMED_KILLS_MAX) return;
      if (aim.nextFloat() >= chance) return;
      aimedKills++;
      cluster.time.schedule(aim.nextFloat() * withinMs, () => {
        if (!isOver) injector.forceKill(process);
      });
    });
    const worker = startWorker(process, work, random.nextInt(1 << 30), mistake);
    workers.set(process.name, worker);
    void worker.ended.then((error) => {
      worker.isEnded = true;
      if (error !== undefined && !isExpected(error))
        unexpected.push({ verdict: "STATE-DIVERGED", detail: `a worker ended: ${String(error)}` });
      remove(worker);
    });
  };
  /** A worker that is gone has a successor after a while, as a supervisor would see to it. */
  const remove = (worker: Worker): void => {
    if (!workers.delete(worker.process.name)) return;
    rebuilds += worker.engine.rebuildCount;
    worker.process.kill();
    cluster.time.schedule(random.nextInt(RESTART_MS_MAX), () => {
      if (workers.size < workerCount) start();
    });
  };
  for (let i = 0; i < workerCount; i++) start();

  const repeats = isEarlier ? undefined : new Random(seed, "repeated records");
  const count = feed(cluster, random, repeats, partitions, () => isOver, hasPoison);
  const plan = withoutFaults(drawFaultPlan(new Random(seed, "plan")), isEarlier ? LATER_FAULTS : []);
  const injector = cluster.startFaults(plan, (process) => {
    const worker = workers.get(process.name);
    if (worker === undefined) return;
    for (const work of worker.work.current) killsByWork[work]++;
    remove(worker);
  });
  const forceFault = (): void => {
    if (isOver || !injector.isIdle) return;
    injector.forceKill();
    cluster.time.schedule(1000, forceFault);
  };
  cluster.time.schedule(FORCED_FAULT_MS, forceFault);
  const stopOne = (): void => {
    if (isOver) return;
    if (random.nextFloat() < STOP_CHANCE * 5) {
      const [worker] = [...workers.values()].filter(({ process }) => process.state === "running");
      worker?.stop.abort();
      if (worker !== undefined) stops++;
    }
    cluster.time.schedule(500, stopOne);
  };
  cluster.time.schedule(500, stopOne);
  await cluster.time.run(FAULTS_MS);
  isOver = true;
  cluster.stopFaults();
  const isSettled = (): boolean => {
    for (let partition = 0; partition < partitions; partition++) {
      const { high } = cluster.offsets(TOPIC_NAMES.logins, partition);
      if ((cluster.committedOffset(GROUP, TOPIC_NAMES.logins, partition) ?? 0) < high) return false;
    }
    return true;
  };
  await cluster.time.runUntil(isSettled, SETTLE_MS);
  // What was committed last travels to the other workers.
  await cluster.time.run(10_000);

  const all = (topic: string) =>
    Array.from({ length: partitions }, (_, partition) => cluster.committedRecords(topic, partition));
  const logins = all(TOPIC_NAMES.logins);
  const alerts = all(TOPIC_NAMES.alerts).flat();
  const findings = verify({
    config: CONFIG,
    logins,
    committed: logins.map((_, partition) => cluster.committedOffset(GROUP, TOPIC_NAMES.logins, partition)),
    alerts,
    scored: all(TOPIC_NAMES.scoredLogins).flat(),
    deadLetters: all(TOPIC_NAMES.deadLetters).flat(),
    graphState: all(TOPIC_NAMES.graphState).flat(),
    ...(hasPoison ? { isPoison } : {}),
  });
  const accounted = findings.find(({ verdict }) => verdict === "ALL-RECORDS-ACCOUNTED");
  for (const { engine, process } of workers.values()) {
    rebuilds += engine.rebuildCount;
    const digest = digestOf(engine.graph);
    if (accounted !== undefined && !accounted.detail.endsWith(digest))
      unexpected.push({
        verdict: "STATE-DIVERGED",
        detail: `${process.name} holds a graph of its own: ${digest}`,
      });
  }
  for (const { stop } of workers.values()) stop.abort();
  return {
    seed,
    findings: unexpected.length > 0 ? [...findings.filter((f) => f !== accounted), ...unexpected] : findings,
    faults: { ...injector.budget.counts, stop: stops },
    killsByWork,
    logins: count(),
    alerts: alerts.length,
    rebuilds,
    virtualMs: FAULTS_MS,
    trace: cluster.trace.hash,
  };
}

export function createTopics(cluster: SimulatedCluster, partitions: number): void {
  for (const topic of [
    TOPIC_NAMES.logins,
    TOPIC_NAMES.alerts,
    TOPIC_NAMES.scoredLogins,
    TOPIC_NAMES.deadLetters,
  ])
    cluster.createTopic(topic, { partitions });
  cluster.createTopic(TOPIC_NAMES.graphState, { partitions, isCompacted: true });
  cluster.createTopic(TOPIC_NAMES.epochs, { partitions: 1, isCompacted: true });
}

/** @param id tells apart what workers merge */
export function startWorker(
  process: SimulatedProcess,
  work: WorkInProgress,
  id: number,
  mistake?: Mistake,
): Worker {
  const stop = new AbortController();
  const time = mistake?.time?.(process.time) ?? process.time;
  const kafkaLog = new KafkaLog({
    ...kafkaLogOptions(mistake?.client?.(process.client, process.name) ?? process.client, time),
    group: GROUP,
    queueBytesMax: QUEUE_BYTES_MAX,
  });
  const log = work.watchLog(mistake?.log?.(kafkaLog) ?? kafkaLog);
  let ids = 0;
  const engine = new Engine({
    config: CONFIG,
    log,
    time,
    signal: stop.signal,
    segmentBytesMax: SEGMENT_BYTES_MAX,
    merging: (state) => {
      const merging = new PartitionMerging({
        state,
        log,
        config: CONFIG,
        breathe: () => process.time.sleep(0),
        newId: () => `${id}-${ids++}`,
        onFailed: () => {},
        bytesMin: 6000,
        sliceBytesMin: 0,
        // Sums are small here: some commits are to leave one half-written.
        piecesPerCommit: 2,
      });
      return work.watchMerging(mistake?.merging?.(merging) ?? merging);
    },
    train: () => Promise.reject(new Error("no training here")),
  });
  const worker: Worker = {
    process,
    engine,
    work,
    stop,
    isEnded: false,
    ended: engine
      .run()
      .then(
        () => undefined,
        (error: unknown) => error,
      )
      .then(async (error) => {
        await log.close();
        return error;
      }),
  };
  return worker;
}

/** What may end a worker: its supervisor starts another one. */
function isExpected(error: unknown): boolean {
  return /simulated crash|no answer/i.test(String((error as Error).message));
}

/**
 * Writes logins while faults happen: users in several partitions, some records that can't be read, some late.
 *
 * @param repeats says which records come twice; none if undefined
 */
export function feed(
  cluster: SimulatedCluster,
  random: Random,
  repeats: Random | undefined,
  partitions: number,
  isOver: () => boolean,
  hasPoison = false,
): () => number {
  let count = 0;
  const poisonousUser = (): string | undefined => {
    if (!hasPoison || random.nextFloat() >= POISON_SHARE) return undefined;
    return random.nextFloat() < 0.5 ? FAILS_IN_SCORING : FAILS_IN_ADDING;
  };
  const write = (): void => {
    if (isOver()) return;
    for (let i = random.nextInt(12); i > 0; i--) {
      const user = random.nextInt(8);
      const lateMs = random.nextFloat() < 0.1 ? random.nextInt(3_600_000) : 0;
      const record =
        random.nextFloat() < 0.03
          ? "no login at all"
          : JSON.stringify({
              timeMs: Math.floor(cluster.time.now()) - lateMs,
              user: poisonousUser() ?? `U${user}`,
              sourceHost: `C${random.nextFloat() < 0.8 ? user : random.nextInt(20)}`,
              targetHost: `C${100 + random.nextInt(10)}`,
              authType: random.nextFloat() < 0.1 ? "NTLM" : "Kerberos",
              ...(random.nextFloat() < 0.1 ? { activity: "evidence" } : {}),
            });
      const partition = random.nextInt(partitions);
      const append = (): void => {
        cluster.append(TOPIC_NAMES.logins, partition, [{ key: `U${user}`, value: Buffer.from(record) }]);
        count++;
      };
      append();
      if (repeats === undefined || repeats.nextFloat() >= REPEATED_SHARE) continue;
      cluster.time.schedule(repeats.nextInt(REPEATED_LATER_MS_MAX), () => {
        if (!isOver()) append();
      });
    }
    cluster.time.schedule(20 + random.nextInt(200), write);
  };
  cluster.time.schedule(0, write);
  return () => count;
}

/** Evidence is not scored: of it only what fails in adding fails. */
function isPoison(login: LoginBytes, kind: "login" | "evidence"): boolean {
  const user = login.text(USER);
  return user === FAILS_IN_ADDING || (user === FAILS_IN_SCORING && kind === "login");
}

/** For `runSeeds`. */
export const runSeed = runSchedule;

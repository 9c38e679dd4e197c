import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { Engine } from "../../src/engine/engine.ts";
import { EPOCHS_KEPT, EpochReader, epochRecords } from "../../src/engine/epoch-records.ts";
import { PartitionMerging } from "../../src/engine/partition-merging.ts";
import { StandaloneTrainer } from "../../src/engine/standalone-trainer.ts";
import type { TrainEpoch } from "../../src/engine/training/training-schedule.ts";
import { OddlinkError } from "../../src/errors.ts";
import { KafkaLog } from "../../src/log/kafka/kafka-log.ts";
import { KafkaTrainerLog } from "../../src/log/kafka/kafka-trainer-log.ts";
import { TOPIC_NAMES } from "../../src/log/kafka/produced-records.ts";
import { SimulatedCluster } from "../../src/log/simulated/cluster.ts";
import { drawFaultPlan } from "../../src/log/simulated/fault-plan.ts";
import type { SimulatedProcess } from "../../src/log/simulated/simulated-process.ts";
import { type Epoch, sealEpoch } from "../../src/model/epoch.ts";
import { uncompared } from "../../src/model/gate/gate-verdict.ts";
import { Random } from "../../src/model/random.ts";
import { trainingInput } from "../../src/model/training/training-input.ts";
import { kafkaLogOptions } from "../conformance/kafka-world.ts";
import { untrainedEpoch } from "../model/epochs.ts";
import { createTopics, feed, GROUP, QUEUE_BYTES_MAX, SEGMENT_BYTES_MAX } from "./schedule.ts";

/** Virtual milliseconds. */
const FAULTS_MS = 30_000;
const SETTLE_MS = 20_000;
const RESTART_MS_MAX = 2000;
const TRAINING_MS_MAX = 1500;
const REJECTED_CHANCE = 0.3;
/** How often somebody starts one more trainer, by mistake or because the one before can't be reached. */
const SECOND_TRAINER_EVERY_MS = 3000;
const SECOND_TRAINER_CHANCE = 0.25;

const LOOK_EVERY_MS = 50;
/** Commits of a trainer are few: these make some of them end without an answer. */
const COMMIT_FAULTS = ["request-lost", "answer-lost", "late"] as const;
const COMMIT_FAULT_EVERY_MS = 2000;
const COMMIT_FAULT_CHANCE = 0.3;
/** And so long may a process be behind with the epochs of others, and its own. */
const SLOW_TAIL_CHANCE = 0.3;
const SLOW_TAIL_MS_MAX = 4000;

export type TrainerScheduleResult = {
  readonly seed: number;
  /** What is wrong; empty if nothing is. */
  readonly violations: readonly string[];
  /** True if the owner of partition 0 trained as well. */
  readonly isEmbeddedToo: boolean;
  readonly published: number;
  readonly newest: number;
  readonly replaced: number;
  /** Epochs that came after another one of their number. */
  readonly superseded: number;
  /** Epochs that the gate did not let pass, by trainers of their own. */
  readonly rejected: number;
  readonly faults: number;
  readonly trace: string;
};

/** A process that a supervisor starts again when it is gone. */
type Supervised = { readonly process: SimulatedProcess; readonly stop: AbortController; isEnded: boolean };
type RunningWorker = Supervised & { readonly engine: Engine };
type RunningTrainer = Supervised & { readonly trainer: StandaloneTrainer };

/** Workers and trainers under one seed, through their faults: who reads the epochs must end with the same one. */
export async function runTrainerSchedule(seed: number): Promise<TrainerScheduleResult> {
  const cluster = new SimulatedCluster({ random: (label) => new Random(seed, label) });
  const random = new Random(seed, "trainers");
  const partitions = 1 + random.nextInt(2);
  createTopics(cluster, partitions);
  const isEmbeddedToo = random.nextFloat() < 0.4;
  const config = configOf(isEmbeddedToo ? "live" : "off");
  const workerCount = 1 + random.nextInt(2);

  const violations: string[] = [];
  const digests = new Map<number, string>();
  let published = 0;
  let replaced = 0;
  let superseded = 0;
  let rejected = 0;
  let started = 0;
  let isCalm = false;
  let isOver = false;
  const workers = new Map<string, RunningWorker>();
  const trainers = new Map<string, RunningTrainer>();

  const onEpochFailed = (name: string) => (error: Error) => {
    const code = error instanceof OddlinkError ? error.code : "";
    if (code === "EPOCH_SUPERSEDED") superseded++;
    if (code !== "EPOCH_SUPERSEDED" || (!isEmbeddedToo && /comes after/.test(error.message)))
      violations.push(`${name}: ${error.message}`);
  };
  const supervise = <P extends Supervised>(
    running: Map<string, P>,
    supervised: P,
    ended: Promise<unknown>,
    restart: () => void,
  ) => {
    running.set(supervised.process.name, supervised);
    void ended.then((error) => {
      supervised.isEnded = true;
      if (error instanceof OddlinkError && error.code === "TRAINER_REPLACED") replaced++;
      else if (error !== undefined && !isExpected(error))
        violations.push(`${supervised.process.name} ended: ${String(error)}`);
      if (!supervised.stop.signal.aborted) gone(running, supervised, restart);
    });
  };
  const gone = <P extends Supervised>(running: Map<string, P>, { process }: P, restart: () => void): void => {
    if (!running.delete(process.name)) return;
    process.kill();
    cluster.time.schedule(random.nextInt(RESTART_MS_MAX), restart);
  };
  const startWorker = (): void => {
    if (workers.size >= workerCount) return;
    const process = cluster.process(`worker ${++started}`);
    const worker = newWorker(process, config, random.nextInt(1 << 30), onEpochFailed(process.name));
    supervise(workers, worker, worker.ended, startWorker);
  };
  const startTrainer = (): void => {
    if (isOver || trainers.size > 0) return;
    addTrainer();
  };
  const addTrainer = (): void => {
    const process = cluster.process(`trainer ${++started}`);
    const trainer = newTrainer(process, config, random.nextInt(1 << 30), {
      onEpochFailed: onEpochFailed(process.name),
      onEpoch: ({ manifest: { number, digest } }) => {
        published++;
        if (!isEmbeddedToo && digests.has(number)) violations.push(`epoch ${number} was published twice`);
        digests.set(number, digest);
      },
    });
    supervise(trainers, trainer, trainer.ended, () => {
      rejected += trainer.trainer.rejected;
      startTrainer();
    });
  };
  for (let i = 0; i < workerCount; i++) startWorker();
  cluster.time.schedule(random.nextInt(3000), startTrainer);
  const startAnother = (): void => {
    if (isCalm) return;
    if (random.nextFloat() < SECOND_TRAINER_CHANCE) addTrainer();
    cluster.time.schedule(SECOND_TRAINER_EVERY_MS, startAnother);
  };
  cluster.time.schedule(SECOND_TRAINER_EVERY_MS, startAnother);

  // Seen before compaction takes them away: the key of every manifest, by offset.
  const manifests = new Map<number, string>();
  const look = (): void => {
    for (const { offset, key, value } of cluster.committedRecords(TOPIC_NAMES.epochs, 0)) {
      const name = key!.toString();
      if (value !== null && name.endsWith("/manifest")) manifests.set(offset, name);
    }
    cluster.time.schedule(LOOK_EVERY_MS, look);
  };
  look();
  const failCommit = (): void => {
    if (isCalm) return;
    const [trainer] = [...trainers.values()];
    if (trainer !== undefined && random.nextFloat() < COMMIT_FAULT_CHANCE)
      cluster.failNext("commit", COMMIT_FAULTS[random.nextInt(3)]!, trainer.process.name);
    for (const { process } of [...trainers.values(), ...workers.values()])
      if (random.nextFloat() < SLOW_TAIL_CHANCE)
        cluster.slowTail(
          process.name,
          TOPIC_NAMES.epochs,
          0,
          random.nextInt(SLOW_TAIL_MS_MAX),
          COMMIT_FAULT_EVERY_MS,
        );
    cluster.time.schedule(COMMIT_FAULT_EVERY_MS, failCommit);
  };
  failCommit();

  feed(cluster, random, undefined, partitions, () => isOver);
  const injector = cluster.startFaults(drawFaultPlan(new Random(seed, "plan")), ({ name }) => {
    const worker = workers.get(name);
    if (worker !== undefined) gone(workers, worker, startWorker);
    const trainer = trainers.get(name);
    if (trainer !== undefined) gone(trainers, trainer, startTrainer);
  });
  await cluster.time.run(FAULTS_MS);
  cluster.stopFaults();
  isCalm = true;
  // Without faults, what is started by now trains and publishes.
  await cluster.time.run(SETTLE_MS);
  isOver = true;
  // What the workers have trained comes with the last logins.
  await cluster.time.run(10_000);
  const inCharge = [...trainers.values()];
  if (inCharge.length !== 1) violations.push(`${inCharge.length} trainers are in charge`);
  for (const { stop, trainer } of inCharge) {
    rejected += trainer.rejected;
    stop.abort();
  }
  await cluster.time.run(10_000);
  for (const { process, isEnded } of inCharge)
    if (!isEnded) violations.push(`${process.name} was asked to stop and has not`);

  const log = cluster.committedRecords(TOPIC_NAMES.epochs, 0);
  const inLog: Epoch[] = [];
  const fresh = new EpochReader({
    onEpoch: (epoch) => inLog.push(epoch),
    onUnusable: onEpochFailed("who reads it all"),
  });
  for (const { key, value } of log) fresh.read({ key: key!.toString(), value });
  const { newest } = fresh;
  const inForce = inLog.at(-1)?.manifest;
  if (inForce === undefined) violations.push("no epoch was published");
  const readers = [
    ...[...workers.values()].map(({ process, engine }) => ({
      name: process.name,
      epoch: engine.epoch?.manifest,
    })),
    ...inCharge.map(({ process, trainer }) => ({ name: process.name, epoch: trainer.epoch?.manifest })),
  ];
  for (const { name, epoch } of readers)
    if (epoch?.digest !== inForce?.digest)
      violations.push(`${name} has epoch ${epoch?.number}, others have ${inForce?.number}`);
  const keys = [...manifests].sort(([a], [b]) => a - b).map(([, key]) => key);
  for (const [i, key] of keys.entries()) {
    if (keys.indexOf(key) < i) violations.push(`${key} was written twice`);
    const before = Math.max(0, ...keys.slice(0, i).map((other) => parseInt(other, 10)));
    if (!isEmbeddedToo && parseInt(key, 10) <= before) violations.push(`${key} came after ${before}`);
  }
  const live = new Map(log.map(({ key, value }) => [key!.toString(), value]));
  const whole = inLog.filter((epoch) => live.get(epochRecords(epoch).at(-1)!.key) != null);
  if (whole.at(-1)?.manifest !== inForce || whole.length < Math.min(inLog.length, EPOCHS_KEPT))
    violations.push(`of epoch ${inForce?.number} and those before only ${whole.length} are left`);
  if (!isEmbeddedToo && whole.length > EPOCHS_KEPT)
    violations.push(`epoch ${whole[0]!.manifest.number} is still there beside ${inForce!.number}`);
  for (const { stop } of workers.values()) stop.abort();
  return {
    seed,
    violations,
    isEmbeddedToo,
    published,
    newest: newest?.number ?? 0,
    replaced,
    superseded,
    rejected,
    faults: Object.values(injector.budget.counts).reduce((sum, count) => sum + count, 0),
    trace: cluster.trace.hash,
  };
}

/** For `runSeeds`. */
export const runSeed = runTrainerSchedule;

function configOf(mode: "off" | "live"): Config {
  return loadConfig({
    environment: {},
    flags: {
      "training.mode": mode,
      "training.firstAfterHours": 0.0005,
      "training.everyHours": 0.001,
      "training.linksMin": 5,
      "surprise.warmupHours": 0.01,
      "surprise.learnLogins": 20,
      "presence.learnHours": 0.01,
      threshold: 0.05,
    },
  });
}

/** A training of which nothing is real but that it takes a while, and is in vain at times; no two processes give the same epoch. */
function trainingOf(process: SimulatedProcess, id: number): TrainEpoch {
  const random = new Random(id, "training");
  return async (graph, _config, number, _trainedAtMs, signal, previous) => {
    const made = untrainedEpoch(number, id % 9973, trainingInput(graph));
    const isWorse = previous !== undefined && random.nextFloat() < REJECTED_CHANCE;
    const gate = { ...uncompared("as it happens", number - 1, 0), isAccepted: !isWorse };
    const epoch = sealEpoch({ ...made, manifest: { ...made.manifest, gate } });
    await process.time.sleep(random.nextInt(TRAINING_MS_MAX), signal);
    signal?.throwIfAborted();
    return epoch;
  };
}

function newWorker(
  process: SimulatedProcess,
  config: Config,
  id: number,
  onEpochFailed: (error: Error) => void,
): RunningWorker & { readonly ended: Promise<unknown> } {
  const stop = new AbortController();
  const log = new KafkaLog({
    ...kafkaLogOptions(process.client, process.time),
    group: GROUP,
    queueBytesMax: QUEUE_BYTES_MAX,
  });
  let ids = 0;
  const engine = new Engine({
    config,
    log,
    time: process.time,
    signal: stop.signal,
    segmentBytesMax: SEGMENT_BYTES_MAX,
    merging: (state) =>
      new PartitionMerging({
        state,
        log,
        config,
        breathe: () => process.time.sleep(0),
        newId: () => `${id}-${ids++}`,
        onFailed: () => {},
        bytesMin: 6000,
        sliceBytesMin: 0,
        // Sums are small here: some commits are to leave one half-written.
        piecesPerCommit: 2,
      }),
    train: trainingOf(process, id),
    onEpochFailed,
  });
  return { process, engine, stop, isEnded: false, ended: endOf(engine.run(), log) };
}

function newTrainer(
  process: SimulatedProcess,
  config: Config,
  id: number,
  told: {
    readonly onEpoch: (epoch: ReturnType<typeof untrainedEpoch>) => void;
    readonly onEpochFailed: (error: Error) => void;
  },
): RunningTrainer & { readonly ended: Promise<unknown> } {
  const stop = new AbortController();
  const log = new KafkaTrainerLog({
    client: process.client,
    time: process.time,
    group: GROUP,
    topics: TOPIC_NAMES,
    id: process.name,
    drainMs: 5000,
    onTrouble: () => {},
  });
  const train = trainingOf(process, id);
  const trainer = new StandaloneTrainer({
    config,
    log,
    time: process.time,
    train,
    signal: stop.signal,
    ...told,
  });
  return { process, trainer, stop, isEnded: false, ended: endOf(trainer.follow(), log) };
}

/** What it ended with; undefined if it was stopped. */
async function endOf(run: Promise<void>, log: { close(): Promise<void> }): Promise<unknown> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  await log.close();
  return error;
}

/** What may end a process: its supervisor starts another one. */
function isExpected(error: unknown): boolean {
  return /simulated crash|no answer/i.test(String((error as Error).message));
}

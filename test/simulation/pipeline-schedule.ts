import { Buffer } from "node:buffer";
import type { ConsumedRecord, ProducedRecord } from "../../src/log/kafka/client.ts";
import { runTopicPipeline } from "../../src/log/kafka/topic-pipeline.ts";
import { SimulatedCluster } from "../../src/log/simulated/cluster.ts";
import { drawFaultPlan, type FaultPlan } from "../../src/log/simulated/fault-plan.ts";
import type { SimulatedProcess } from "../../src/log/simulated/simulated-process.ts";
import { Random } from "../../src/model/random.ts";

const INPUT = "input";
const OUTPUT = "output";
const DEAD_LETTERS = "dead-letters";
const GROUP = "pipeline";
const PARTITIONS = 4;
/** Virtual milliseconds. */
const FAULTS_MS = 20_000;
const SETTLE_MS = 120_000;
const RESTART_MS_MAX = 5000;
const STOP_EVERY_MS = 1000;
const STOP_CHANCE = 0.1;
const LOOKUP_MS_MAX = 20;

export type PipelineOptions = {
  readonly seed: number;
  /** Undefined lets the seed decide. */
  readonly plan?: FaultPlan;
  /** Undefined lets the seed decide: one to four, and stops by a signal. */
  readonly processes?: number;
};

export type PipelineRun = {
  readonly seed: number;
  /** What is wrong with the outputs; empty if they are what the input maps to, once each and in order. */
  readonly violations: readonly string[];
  readonly faults: Readonly<Record<string, number>>;
  readonly records: number;
  /** How often a record was mapped; more often than there are records where partitions changed hands. */
  readonly mappings: number;
  readonly stops: number;
};

/** Of ten records one can't be read, two come to nothing, and one to two. */
function outputsOf(value: string, partition: number): ProducedRecord[] {
  const to = (topic: string, text: string) => ({ topic, partition, key: null, value: Buffer.from(text) });
  switch (Number(value) % 10) {
    case 1:
      return [to(DEAD_LETTERS, value)];
    case 2:
    case 3:
      return [];
    case 4:
      return [to(OUTPUT, `${value} first`), to(OUTPUT, `${value} second`)];
    default:
      return [to(OUTPUT, value)];
  }
}

/** Processes run the real pipeline on a simulated cluster while things go wrong; then nothing does, and all must be there. */
export async function runPipelineSchedule(options: PipelineOptions): Promise<PipelineRun> {
  const { seed } = options;
  const random = new Random(seed, "pipeline");
  const cluster = new SimulatedCluster({ random: (label) => new Random(seed, label) });
  for (const topic of [INPUT, OUTPUT, DEAD_LETTERS]) cluster.createTopic(topic, { partitions: PARTITIONS });
  const violations: string[] = [];
  const running = new Map<string, { readonly process: SimulatedProcess; readonly stop: AbortController }>();
  let mappings = 0;
  let starts = 0;
  let stops = 0;
  let isOver = false;

  const start = (): void => {
    const process = cluster.process(`process ${++starts}`);
    const stop = new AbortController();
    running.set(process.name, { process, stop });
    const map = async ({ value }: ConsumedRecord, partition: number): Promise<ProducedRecord[]> => {
      mappings++;
      // Some of what is added has to be asked for.
      if (Number(value) % 7 === 0) await process.time.sleep(random.nextInt(LOOKUP_MS_MAX));
      return outputsOf(String(value), partition);
    };
    runTopicPipeline(
      {
        client: process.client,
        time: process.time,
        group: GROUP,
        topic: INPUT,
        queueBytesMax: 10_000,
        commitIntervalMs: 50,
        drainMs: 5000,
        onLostInput: "fail",
        map,
        onTrouble: () => {},
      },
      stop.signal,
    )
      .catch((error: Error) => {
        if (!/simulated crash|no answer/i.test(error.message)) violations.push(`${process.name}: ${error}`);
      })
      .finally(() => end(process));
  };
  /** What is gone has a successor after a while, as a supervisor would see to it. */
  const end = (process: SimulatedProcess): void => {
    if (!running.delete(process.name)) return;
    process.kill();
    cluster.time.schedule(random.nextInt(RESTART_MS_MAX), start);
  };
  for (let i = options.processes ?? 1 + random.nextInt(4); i > 0; i--) start();

  const written = new Array<number>(PARTITIONS).fill(0);
  const feed = (): void => {
    if (isOver) return;
    const partition = random.nextInt(PARTITIONS);
    const records = Array.from({ length: 1 + random.nextInt(60) }, () => ({
      key: null,
      value: String(written[partition]!++),
    }));
    cluster.append(INPUT, partition, records);
    cluster.time.schedule(random.nextInt(200), feed);
  };
  feed();
  const stopOne = (): void => {
    if (isOver || options.processes !== undefined) return;
    const [one] = [...running.values()].filter(({ process }) => process.state === "running");
    if (one !== undefined && random.nextFloat() < STOP_CHANCE) {
      stops++;
      one.stop.abort();
    }
    cluster.time.schedule(STOP_EVERY_MS, stopOne);
  };
  stopOne();

  const plan = options.plan ?? drawFaultPlan(new Random(seed, "plan"));
  const injector = cluster.startFaults(plan, end);
  await cluster.time.run(FAULTS_MS);
  isOver = true;
  cluster.stopFaults();
  const isSettled = (): boolean =>
    written.every((count, partition) => (cluster.committedOffset(GROUP, INPUT, partition) ?? 0) === count);
  await cluster.time.runUntil(isSettled, SETTLE_MS);
  if (!isSettled()) violations.push("not all was passed on in time");
  for (const { stop } of running.values()) stop.abort();
  await cluster.time.run(SETTLE_MS / 10);

  for (const [partition, count] of written.entries()) {
    const outputs = Array.from({ length: count }, (_, i) => outputsOf(String(i), partition)).flat();
    for (const topic of [OUTPUT, DEAD_LETTERS]) {
      const expected = outputs.filter((output) => output.topic === topic).map(({ value }) => String(value));
      const found = cluster.committedRecords(topic, partition).map(({ value }) => String(value));
      const wrong = Array.from({ length: Math.max(expected.length, found.length) }).findIndex(
        (_, i) => expected[i] !== found[i],
      );
      if (wrong >= 0)
        violations.push(`${topic}/${partition}: ${found[wrong]} instead of ${expected[wrong]}, at ${wrong}`);
    }
  }
  return {
    seed,
    violations,
    faults: injector.budget.counts,
    records: written.reduce((sum, count) => sum + count, 0),
    mappings,
    stops,
  };
}

/** For `runSeeds`. */
export function runSeed(seed: number): Promise<PipelineRun> {
  return runPipelineSchedule({ seed });
}

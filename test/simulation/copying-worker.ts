import { Buffer } from "node:buffer";
import { type ConsumedRecord, type Membership, TransactionError } from "../../src/log/kafka/client.ts";
import { SimulatedCluster } from "../../src/log/simulated/cluster.ts";
import { drawFaultPlan, type FaultPlan } from "../../src/log/simulated/fault-plan.ts";
import type { SimulatedProcess } from "../../src/log/simulated/simulated-process.ts";
import { Random } from "../../src/model/random.ts";

export const INPUT = "input";
export const OUTPUT = "output";
/** Compacted, with partitions like the input: the last value of each transaction, under a few keys. */
export const STATE = "state";
export const GROUP = "copiers";
const PARTITIONS = 4;
const RECORDS_PER_TRANSACTION = 20;
const STATE_KEYS = 7;

/** What a worker that means well may get wrong; each one breaks exactly once under some seed. */
export type Mistake =
  | "none"
  | "reads its offset before it fences"
  | "sends again what may be committed"
  | "goes on as if committed"
  | "starts at the beginning without an offset"
  | "writes outputs and offset in two transactions"
  | "goes on after it was stopped";

/**
 * Copies a topic record by record, exactly once if it makes no mistake: the smallest worker that needs everything the Kafka
 * log will need.
 */
class CopyingWorker {
  /** By partition and key, as the tail has it. */
  readonly state = new Map<string, string>();
  /** What a tail must not do, if it did. */
  readonly complaints: string[] = [];
  readonly #process: SimulatedProcess;
  readonly #mistake: Mistake;
  #copies = new Map<number, PartitionCopy>();

  constructor(process: SimulatedProcess, mistake: Mistake) {
    this.#process = process;
    this.#mistake = mistake;
  }

  get name(): string {
    return this.#process.name;
  }

  async run(): Promise<never> {
    this.#follow();
    for (;;) {
      const crashed = Promise.withResolvers<void>();
      const membership = Promise.withResolvers<Membership>();
      membership.resolve(
        this.#process.client.join({
          group: GROUP,
          topic: INPUT,
          onAssigned: (partitions) => {
            for (const copy of this.#copies.values()) copy.stop();
            this.#copies = new Map(
              partitions.map((partition) => {
                const copy = new PartitionCopy(this.#process, membership.promise, partition, this.#mistake);
                void copy.run();
                return [partition, copy];
              }),
            );
          },
          onRebalancing: async () => {},
          onRecords: (partition, records) => this.#copies.get(partition)?.push(records),
          onCrash: () => crashed.resolve(),
        }),
      );
      await crashed.promise;
      for (const copy of this.#copies.values()) copy.stop();
      await this.#process.time.sleep(500);
    }
  }

  #follow(): void {
    const positions: number[] = [];
    this.state.clear();
    this.#process.client.tail({
      topic: STATE,
      onRecords: (partition, records, position) => {
        let next = positions[partition] ?? 0;
        for (const { offset, key, value } of records) {
          if (offset < next) this.complaints.push(`${offset} of ${partition} came after ${next - 1}`);
          next = offset + 1;
          this.state.set(`${partition}/${key}`, `${value}`);
        }
        if (position < next) this.complaints.push(`position ${position} of ${partition} is below ${next}`);
        positions[partition] = position;
      },
      onCrash: () => this.#follow(),
    });
  }
}

class PartitionCopy {
  readonly #process: SimulatedProcess;
  readonly #membership: Promise<Membership>;
  readonly #partition: number;
  readonly #mistake: Mistake;
  #isStopped = false;
  #isReading = false;
  #queue: ConsumedRecord[] = [];
  #wake: () => void = () => {};

  constructor(
    process: SimulatedProcess,
    membership: Promise<Membership>,
    partition: number,
    mistake: Mistake,
  ) {
    this.#process = process;
    this.#membership = membership;
    this.#partition = partition;
    this.#mistake = mistake;
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  push(records: readonly ConsumedRecord[]): void {
    if (!this.#isReading) return;
    this.#queue.push(...records);
    this.#wake();
  }

  async run(): Promise<void> {
    const membership = await this.#membership;
    while (!this.#isStopped) {
      try {
        await this.#copyUntilRefused(membership);
        if (!(await membership.owns(this.#partition))) return;
      } catch {
        await this.#process.time.sleep(100);
      }
    }
  }

  /** Returns when the producer is of no use any more. */
  async #copyUntilRefused(membership: Membership): Promise<void> {
    const { client } = this.#process;
    const producer = client.producer(`${GROUP}-${this.#partition}`);
    const readOffset = () => client.committedOffsets(GROUP, INPUT, [this.#partition]);
    const isEarly =
      this.#mistake === "reads its offset before it fences" ||
      this.#mistake === "starts at the beginning without an offset";
    const early = isEarly ? await readOffset() : undefined;
    await producer.fence();
    let offset = this.#mistake === "reads its offset before it fences" ? early![0] : (await readOffset())[0];
    if (this.#mistake === "starts at the beginning without an offset" && early![0] === undefined) offset = 0;
    // The partition may be another copy's by now: what is done to the membership from here on is done to that one.
    if (this.#isStopped && this.#mistake !== "goes on after it was stopped") return;
    this.#queue = [];
    this.#isReading = true;
    membership.seek(this.#partition, offset ?? 0);
    membership.resume(this.#partition);
    while (!this.#isStopped) {
      if (this.#queue.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const records = this.#queue.splice(0, RECORDS_PER_TRANSACTION);
      const outcome = await this.#copy(producer, records);
      if (outcome === "refused") break;
    }
    this.#isReading = false;
    await producer.close();
  }

  async #copy(
    producer: ReturnType<SimulatedProcess["client"]["producer"]>,
    records: readonly ConsumedRecord[],
  ): Promise<"copied" | "refused"> {
    const outputs = records.map(({ key, value }) => ({
      topic: OUTPUT,
      partition: this.#partition,
      key,
      value,
    }));
    const last = Number(records.at(-1)!.value);
    outputs.push({
      topic: STATE,
      partition: this.#partition,
      key: Buffer.from(`key ${Math.floor(last / RECORDS_PER_TRANSACTION) % STATE_KEYS}`),
      value: Buffer.from(`${last}`),
    });
    const position = {
      group: GROUP,
      topic: INPUT,
      partition: this.#partition,
      offset: records.at(-1)!.offset + 1,
    };
    let writer = producer;
    for (;;) {
      try {
        if (this.#mistake === "writes outputs and offset in two transactions") {
          await writer.transact(outputs);
          await writer.transact([], position);
        } else await writer.transact(outputs, position);
        return writer === producer ? "copied" : "refused";
      } catch (error) {
        if (!(error instanceof TransactionError)) throw error;
        if (error.outcome === "fenced") return "refused";
        if (error.outcome === "aborted") continue;
        if (this.#mistake === "goes on as if committed") {
          const next = this.#process.client.producer(`${GROUP}-${this.#partition}`);
          await next.fence();
          await next.transact([], position);
          return "refused";
        }
        if (this.#mistake !== "sends again what may be committed") return "refused";
        writer = this.#process.client.producer(`${GROUP}-${this.#partition}`);
        await writer.fence();
      }
    }
  }
}

export type CopyRun = {
  /** What is wrong with the output; empty if each input record is there once and in order. */
  readonly violations: readonly string[];
  readonly hash: string;
  readonly eventCount: number;
  readonly virtualMs: number;
  readonly faultCounts: Readonly<Record<string, number>>;
  readonly cluster: SimulatedCluster;
};

export type CopyOptions = {
  readonly seed: number;
  readonly mistake?: Mistake;
  /** Undefined lets the seed decide. */
  readonly plan?: FaultPlan;
  readonly faultsForMs?: number;
};

/** One to four workers copy a topic while things go wrong; then nothing does, and all must be there. */
export async function copyUnderFaults(options: CopyOptions): Promise<CopyRun> {
  const { seed, mistake = "none", faultsForMs = 20_000 } = options;
  const random = new Random(seed, "copy");
  const cluster = new SimulatedCluster({ random: (label) => new Random(seed, label) });
  cluster.createTopic(INPUT, { partitions: PARTITIONS });
  cluster.createTopic(OUTPUT, { partitions: PARTITIONS });
  cluster.createTopic(STATE, { partitions: PARTITIONS, isCompacted: true });
  const startMs = cluster.time.now();
  const running = new Map<string, CopyingWorker>();
  const start = (name: string): void => {
    const worker = new CopyingWorker(cluster.process(name), mistake);
    running.set(name, worker);
    void worker.run();
  };
  const workers = 1 + random.nextInt(4);
  for (let i = 0; i < workers; i++) start(`worker ${i}`);

  const written = new Array<number>(PARTITIONS).fill(0);
  const feed = (): void => {
    if (cluster.time.now() - startMs > faultsForMs) return;
    const partition = random.nextInt(PARTITIONS);
    const records = Array.from({ length: 1 + random.nextInt(60) }, () => ({
      key: null,
      value: String(written[partition]!++),
    }));
    cluster.append(INPUT, partition, records);
    cluster.time.schedule(random.nextInt(200), feed);
  };
  feed();

  const plan = options.plan ?? drawFaultPlan(new Random(seed, "plan"));
  const injector = cluster.startFaults(plan, ({ name }) =>
    cluster.time.schedule(random.nextInt(5000), () => start(name)),
  );
  await cluster.time.run(faultsForMs);
  cluster.stopFaults();
  const isAllCopied = (): boolean =>
    written.every(
      (count, partition) => cluster.committedOffset(GROUP, INPUT, partition) === count || count === 0,
    );
  const isDone = await runUntilCalm(cluster, isAllCopied);

  const violations = isDone ? [] : ["not all was copied in time"];
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const values = cluster.committedRecords(OUTPUT, partition).map(({ value }) => Number(value));
    const wrong = values.findIndex((value, i) => value !== i);
    if (wrong >= 0) violations.push(`${OUTPUT}/${partition}: ${values[wrong]} instead of ${wrong}`);
    else if (isDone && values.length !== written[partition])
      violations.push(`${OUTPUT}/${partition}: ${values.length} of ${written[partition]} records`);
  }
  const committed = Array.from({ length: PARTITIONS }, (_, partition) =>
    cluster.committedRecords(STATE, partition).map(({ key, value }) => [`${partition}/${key}`, `${value}`]),
  ).flat() as [string, string][];
  const state = describeState(new Map(committed));
  for (const worker of running.values()) {
    violations.push(...worker.complaints.map((complaint) => `${worker.name}: ${complaint}`));
    if (describeState(worker.state) !== state) violations.push(`${worker.name}: its state is another one`);
  }
  return {
    violations,
    hash: cluster.trace.hash,
    eventCount: cluster.time.eventCount,
    virtualMs: cluster.time.now() - startMs,
    faultCounts: injector.budget.counts,
    cluster,
  };
}

function describeState(state: ReadonlyMap<string, string>): string {
  return JSON.stringify([...state].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Long enough for every timeout that may be under way, and then for what is decided to reach the slowest tail. */
async function runUntilCalm(cluster: SimulatedCluster, isDone: () => boolean): Promise<boolean> {
  for (let i = 0; i < 120; i++) {
    await cluster.time.run(1000);
    if (!isDone()) continue;
    await cluster.time.run(7000);
    return true;
  }
  return false;
}

/** What is left of a run between threads. */
export type CopySummary = Omit<CopyRun, "cluster"> & {
  /** The last events of a run that went wrong; empty otherwise. */
  readonly trace: string;
};

/** For `runSeeds`. */
export async function runSeed(seed: number): Promise<CopySummary> {
  const { cluster, ...summary } = await copyUnderFaults({ seed });
  return { ...summary, trace: summary.violations.length > 0 ? cluster.trace.describe() : "" };
}

import assert from "node:assert/strict";
import type { ConsumedRecord, PartitionOffsets, ProducedRecord } from "../kafka/client.ts";
import { Broker } from "./broker.ts";
import type { ClusterParts } from "./cluster-parts.ts";
import { ConsumerGroup } from "./consumer-group.ts";
import { EventTrace } from "./event-trace.ts";
import { FaultInjector } from "./fault-injector.ts";
import type { FaultPlan } from "./fault-plan.ts";
import { GroupOffsets } from "./group-offsets.ts";
import { LogPartition } from "./log-partition.ts";
import { type CutWay, Network } from "./network.ts";
import type { RandomStream, RandomStreams } from "./random-streams.ts";
import { type RequestFault, RequestFaults, type RequestKind } from "./request-faults.ts";
import { SimulatedClient } from "./simulated-client.ts";
import type { SimulatedMembership } from "./simulated-membership.ts";
import { SimulatedProcess } from "./simulated-process.ts";
import { toNewRecord } from "./simulated-producer.ts";
import { SimulatedTail } from "./simulated-tail.ts";
import { DEFAULT_TIMINGS, type Timings } from "./timings.ts";
import { TransactionCoordinator } from "./transaction-coordinator.ts";
import { VirtualTime } from "./virtual-time.ts";

/** 14 November 2023, as good as any. */
const START_MS = 1_700_000_000_000;
const FETCH_RECORDS_MAX = 500;
/** The broker's own default. */
const RECORD_BYTES_MAX = 1_048_588;
/** How often an offset reads as undefined while another one is pending. */
const UNDEFINED_OFFSET_CHANCE = 0.25;
const MEMBER_IDS = 0x1_0000_0000;

export type ClusterOptions = {
  /** The streams of one seed: the same ones make the same run. */
  readonly random: RandomStreams;
  /** Milliseconds since the epoch at which virtual time starts. */
  readonly startMs?: number;
  readonly timings?: Partial<Timings>;
  /** Entries that one fetch looks at, at most; most fetches look at fewer. */
  readonly fetchRecordsMax?: number;
  readonly recordBytesMax?: number;
  /** In [0, 1]. */
  readonly undefinedOffsetChance?: number;
};

export type TopicOptions = { readonly partitions: number; readonly isCompacted?: boolean };

/**
 * A Kafka cluster in memory, with its clients' processes, under one seed: to run the real Kafka log on, thousands of times,
 * through kills, pauses, lost answers and rebalances. One broker, which leads and coordinates everything.
 *
 *     const cluster = new SimulatedCluster({ random: (label) => new Random(seed, label) });
 *     cluster.createTopic("logins", { partitions: 4 });
 *     const worker = cluster.process("worker 1");
 *     await cluster.time.settle(worker.client.producer("input-0").fence());
 *
 * Nothing happens but while virtual time is run (`time.run`, `time.settle`).
 */
export class SimulatedCluster {
  readonly time: VirtualTime;
  readonly trace: EventTrace;
  readonly timings: Timings;
  readonly #random: RandomStreams;
  readonly #broker: Broker;
  readonly #requestFaults = new RequestFaults();
  readonly #parts: ClusterParts;
  readonly #topics = new Map<string, LogPartition[]>();
  readonly #groups = new Map<string, ConsumerGroup>();
  readonly #offsets = new Map<string, GroupOffsets>();
  #clients = new Map<SimulatedProcess, SimulatedClient>();
  readonly #slowTails = new Map<string, { readonly delayMs: number; readonly untilMs: number }>();
  readonly #memberRandom: RandomStream;
  readonly #offsetRandom: RandomStream;
  readonly #undefinedOffsetChance: number;
  #injector: FaultInjector | undefined;

  constructor(options: ClusterOptions) {
    const { random } = options;
    this.#random = random;
    this.#memberRandom = random("members");
    this.#offsetRandom = random("pending offsets");
    this.#undefinedOffsetChance = options.undefinedOffsetChance ?? UNDEFINED_OFFSET_CHANCE;
    this.timings = { ...DEFAULT_TIMINGS, ...options.timings };
    const { timings } = this;
    const time = new VirtualTime(options.startMs ?? START_MS);
    const trace = new EventTrace(() => time.now());
    const broker = new Broker(time, trace, random("latency"), timings);
    const network = new Network(time, broker, trace, random("network"), timings, this.#requestFaults);
    this.time = time;
    this.trace = trace;
    this.#broker = broker;
    broker.onDown = () => network.dropFlights();
    broker.onUp = () => {
      for (const group of this.#groups.values()) group.restarted();
    };
    this.#parts = {
      time,
      trace,
      timings,
      broker,
      network,
      transactions: new TransactionCoordinator(broker, trace, random("transactions"), timings),
      fetchRandom: random("fetch"),
      clientRandom: random("clients"),
      fetchRecordsMax: options.fetchRecordsMax ?? FETCH_RECORDS_MAX,
      recordBytesMax: options.recordBytesMax ?? RECORD_BYTES_MAX,
      partitionsOf: (topic) => this.#partitionsOf(topic),
      groupOf: (name) => this.#groupOf(name),
      offsetsOf: (group) => this.#offsetsOf(group),
      tailDelayMs: (process, log) => this.#tailDelayMs(process, log),
    };
  }

  createTopic(name: string, { partitions, isCompacted = false }: TopicOptions): void {
    assert(!this.#topics.has(name), `topic ${name} exists`);
    const logs = Array.from({ length: partitions }, (_, i) => new LogPartition(name, i, isCompacted));
    this.#topics.set(name, logs);
  }

  /** Starts a process. The name may be that of one that was killed. */
  process(name: string): SimulatedProcess {
    this.#clients = new Map([...this.#clients].filter(([{ state }]) => state !== "killed"));
    assert(!this.processes().some((other) => other.name === name), `process ${name} is alive`);
    this.trace.note("start", name, 0);
    const process = new SimulatedProcess(name, this.time, this.trace, (created) => {
      const client = new SimulatedClient(this.#parts, created);
      this.#clients.set(created, client);
      return client;
    });
    return process;
  }

  /** Processes that were not killed. */
  processes(): SimulatedProcess[] {
    return [...this.#clients.keys()].filter(({ state }) => state !== "killed");
  }

  /** Writes records outside any transaction, at once, or when the broker is up again. */
  append(
    topic: string,
    partition: number,
    records: readonly Omit<ProducedRecord, "topic" | "partition">[],
  ): void {
    const copies = records.map(toNewRecord);
    this.#broker.whenUp(() => this.#log(topic, partition).append(copies, this.time.now()));
  }

  /** What a read-committed reader can see now. */
  committedRecords(topic: string, partition: number): readonly ConsumedRecord[] {
    const log = this.#log(topic, partition);
    return log.read(log.low, Number.POSITIVE_INFINITY).records;
  }

  /** As they are now. */
  offsets(topic: string, partition: number): PartitionOffsets {
    const { low, high, lastStableOffset } = this.#log(topic, partition);
    return { partition, low, high, stable: lastStableOffset };
  }

  /** What a group has committed for good. */
  committedOffset(group: string, topic: string, partition: number): number | undefined {
    return this.#offsetsOf(group).committed(this.#log(topic, partition));
  }

  /** Partitions by name of process, as the coordinator has them; empty while it gives them out. */
  owners(group: string): Map<string, number[]> {
    return this.#groupOf(group).owners();
  }

  // Faults by hand.

  /** The broker stops at once and is back in `downMs`. */
  restartBroker(downMs: number): void {
    this.#broker.restart(downMs);
  }

  /** Compacts a partition below `boundOffset`, or below its last stable offset. */
  compact(topic: string, partition: number, boundOffset?: number): void {
    const log = this.#log(topic, partition);
    const bound = boundOffset ?? log.lastStableOffset;
    this.trace.note("compact", log.name, bound);
    log.compact(bound, this.time.now(), this.timings.tombstoneRetentionMs);
  }

  /** Deletes the records below an offset, as retention does. */
  trim(topic: string, partition: number, lowOffset: number): void {
    this.trace.note("trim", this.#log(topic, partition).name, lowOffset);
    this.#log(topic, partition).trim(lowOffset);
  }

  /** A group gives its partitions out anew. */
  rebalance(group: string): void {
    if (this.#groupOf(group).state === "stable") this.#groupOf(group).rebalance();
  }

  /** For `forMs`, tails of a process get records of a partition `delayMs` later. */
  slowTail(process: string, topic: string, partition: number, delayMs: number, forMs: number): void {
    const log = this.#log(topic, partition);
    this.trace.note("slow tail", `${process} ${log.name}`, delayMs);
    this.#slowTails.set(`${process} ${log.name}`, { delayMs, untilMs: this.time.now() + forMs });
  }

  /** For `forMs`, a process and the broker do not hear each other, or one of them not the other. */
  cutOff(process: string, way: CutWay, forMs: number): void {
    this.#parts.network.cutOff(process, way, forMs);
  }

  /** The next request of a kind (of one process, if named) meets this fault. */
  failNext(kind: RequestKind, fault: RequestFault, process?: string): void {
    this.#requestFaults.arm(kind, fault, process);
  }

  // Faults by plan.

  /**
   * Lets the faults of a plan happen until `stopFaults`.
   *
   * @param onKilled told of each killed process, to start another one if it likes
   */
  startFaults(plan: FaultPlan, onKilled: (process: SimulatedProcess) => void = () => {}): FaultInjector {
    assert(this.#injector === undefined, "one plan at a time");
    this.#injector = new FaultInjector(this, plan, this.#random("faults"), onKilled);
    this.#requestFaults.budget = this.#injector.budget;
    return this.#injector;
  }

  /** No new fault; who is paused or cut off goes on, tails are quick again, and what else was begun ends by itself. */
  stopFaults(): void {
    this.#injector?.stop();
    this.#injector = undefined;
    this.#requestFaults.budget = undefined;
    this.#slowTails.clear();
    this.#parts.network.heal();
  }

  // What faults can hit.

  consumersOf(process: SimulatedProcess): (SimulatedMembership | SimulatedTail)[] {
    return this.#clients.get(process)?.consumers() ?? [];
  }

  tails(): { process: SimulatedProcess; topic: string; partitions: number }[] {
    return this.processes().flatMap((process) =>
      this.consumersOf(process)
        .filter((consumer) => consumer instanceof SimulatedTail)
        .map(({ topic }) => ({ process, topic, partitions: this.#partitionsOf(topic).length })),
    );
  }

  compactedPartitions(): LogPartition[] {
    return [...this.#topics.values()].flat().filter(({ isCompacted }) => isCompacted);
  }

  groups(): string[] {
    return [...this.#groups.keys()];
  }

  #log(topic: string, partition: number): LogPartition {
    const log = this.#partitionsOf(topic)[partition];
    assert(log !== undefined, `topic ${topic} has no partition ${partition}`);
    return log;
  }

  #partitionsOf(topic: string): LogPartition[] {
    const logs = this.#topics.get(topic);
    if (logs === undefined) throw new Error(`there is no topic ${topic}`);
    return logs;
  }

  #groupOf(name: string): ConsumerGroup {
    let group = this.#groups.get(name);
    if (group === undefined) {
      const newMemberId = (process: string): string =>
        `${this.#memberRandom.nextInt(MEMBER_IDS).toString(16).padStart(8, "0")}-${process}`;
      group = new ConsumerGroup(name, this.#broker, this.trace, this.timings, newMemberId);
      this.#groups.set(name, group);
    }
    return group;
  }

  #offsetsOf(group: string): GroupOffsets {
    let offsets = this.#offsets.get(group);
    if (offsets === undefined) {
      offsets = new GroupOffsets(group, this.trace, this.#offsetRandom, this.#undefinedOffsetChance);
      this.#offsets.set(group, offsets);
    }
    return offsets;
  }

  #tailDelayMs(process: string, log: LogPartition): number {
    if (this.#slowTails.size === 0) return 0;
    const slow = this.#slowTails.get(`${process} ${log.name}`);
    return slow !== undefined && this.time.now() < slow.untilMs ? slow.delayMs : 0;
  }
}

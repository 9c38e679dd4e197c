import assert from "node:assert/strict";
import { OddlinkError } from "../../errors.ts";
import type { Time } from "../../time.ts";
import type {
  Assignment,
  Commit,
  CommitResult,
  Follower,
  KeyedRecord,
  KeyedTopic,
  Log,
  ReadProgress,
  RecordBatch,
} from "../port.ts";
import type { ConsumedRecord, KafkaClient, Membership } from "./client.ts";
import { KafkaBatch } from "./kafka-batch.ts";
import { KeyedFollower } from "./keyed-follower.ts";
import { PartitionQueue } from "./partition-queue.ts";
import { PartitionWriter } from "./partition-writer.ts";
import { producedRecords, type TopicNames } from "./produced-records.ts";

/** Records that are scored before other work has its turn: some milliseconds. */
const BATCH_RECORDS_MAX = 1000;
/** What the commits of all partitions together may take of a core, and what one costs of it, milliseconds. */
const COMMIT_SHARE = 0.2;
const COMMIT_CPU_MS = 2;

export type KafkaLogOptions = {
  readonly client: KafkaClient;
  readonly time: Time;
  readonly group: string;
  readonly topics: TopicNames;
  /** Longest record that is decoded, bytes. */
  readonly recordBytesMax: number;
  /** Fetched records of one partition that wait to be processed, bytes. */
  readonly queueBytesMax: number;
  /** Shortest time between commits of a partition, milliseconds. */
  readonly commitIntervalMs: number;
  /** How long a stop waits for outcomes that are not known, milliseconds. */
  readonly drainMs: number;
  /** What to do where committed offsets were deleted from the topic before they were read. */
  readonly onLostInput: "fail" | "skip";
  /** Something went wrong that is being dealt with. */
  readonly onTrouble: (message: string) => void;
};

/** A partition while this process has it, and until the engine is done with it. */
type Slot = {
  readonly partition: number;
  readonly queue: PartitionQueue;
  readonly writer: PartitionWriter;
  isTaken: boolean;
};

/** The log on a Kafka cluster: see the design notes in docs/architecture.md. */
export class KafkaLog implements Log {
  readonly isEndless = true;
  readonly isShared = true;
  readonly #options: KafkaLogOptions;
  readonly #slots = new Map<number, Slot>();
  #assigned: ReadonlySet<number> = new Set();
  #isRebalancing = false;
  #joined: Promise<Membership> | undefined;
  #membership: Membership | undefined;
  #graphState: KeyedFollower | undefined;
  #giveUpAtMs = Number.POSITIVE_INFINITY;
  #emit: (assignment: Assignment) => void = () => {};
  #wake: () => void = () => {};
  #failure: unknown;

  constructor(options: KafkaLogOptions) {
    this.#options = options;
  }

  get commitIntervalMs(): number {
    return Math.max(this.#options.commitIntervalMs, (this.#slots.size * COMMIT_CPU_MS) / COMMIT_SHARE);
  }

  follow(topic: KeyedTopic, onRecord: (record: KeyedRecord) => void): Follower {
    // What can't be followed any more makes the graph, or the model, stand still: this process is of no use then.
    const follower = new KeyedFollower(
      this.#options.client,
      this.#nameOf(topic),
      undefined,
      onRecord,
      (error) => this.#fail(error),
    );
    if (topic === "graph-state") this.#graphState = follower;
    return follower;
  }

  async *assignments(signal: AbortSignal): AsyncGenerator<Assignment> {
    const { client, group, topics, time, drainMs } = this.#options;
    const ready: Assignment[] = [];
    let wake = (): void => {};
    this.#emit = (assignment) => {
      ready.push(assignment);
      wake();
    };
    this.#wake = () => wake();
    const stop = (): void => {
      this.#giveUpAtMs = time.monotonicMs() + drainMs;
      for (const { queue } of this.#slots.values()) queue.end();
      wake();
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      this.#joined = client.join({
        group,
        topic: topics.logins,
        onAssigned: (partitions) => this.#onAssigned(partitions, signal),
        onRebalancing: () => {
          this.#isRebalancing = true;
          for (const { queue } of this.#slots.values()) queue.hold(true);
        },
        onRecords: (partition, records) => this.#onRecords(partition, records),
        onCrash: (error) =>
          this.#fail(
            new OddlinkError("KAFKA_FAILED", `reading ${topics.logins} ended: ${error.message}`, {
              cause: error,
            }),
          ),
      });
      this.#membership = await this.#joined;
      while (!signal.aborted) {
        if (this.#failure !== undefined) throw this.#failure;
        const next = ready.shift();
        if (next !== undefined) {
          yield next;
          continue;
        }
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      signal.removeEventListener("abort", stop);
      for (const assignment of ready) assignment.release();
    }
  }

  async commit(commit: Commit): Promise<CommitResult> {
    const slot = this.#slots.get(commit.partition);
    assert(slot !== undefined, "a commit for a partition that was released");
    const { topics } = this.#options;
    return slot.writer.commit([...producedRecords(commit, topics)], commit.position.offset);
  }

  async readBack(topic: KeyedTopic, partition: number): Promise<ReadonlyMap<string, Uint8Array>> {
    const values = new Map<string, Uint8Array>();
    const follower = new KeyedFollower(this.#options.client, this.#nameOf(topic), [partition], (record) => {
      if (record.value === null) values.delete(record.key);
      else values.set(record.key, record.value);
    });
    try {
      await follower.caughtUp();
    } finally {
      await follower.close();
    }
    return values;
  }

  totals(): undefined {
    return undefined;
  }

  progress(): ReadProgress {
    return { bytesRead: 0, bytesTotal: undefined };
  }

  async close(): Promise<void> {
    await this.#membership?.leave().catch(() => {});
    await Promise.all([...this.#slots.values()].map(({ writer }) => writer.close()));
    this.#slots.clear();
    await this.#options.client.close();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake();
  }

  #nameOf(topic: KeyedTopic): string {
    const { topics } = this.#options;
    return topic === "graph-state" ? topics.graphState : topics.epochs;
  }

  #onAssigned(partitions: readonly number[], signal: AbortSignal): void {
    this.#assigned = new Set(partitions);
    this.#isRebalancing = false;
    for (const slot of this.#slots.values()) {
      if (this.#assigned.has(slot.partition)) {
        if (!slot.isTaken) slot.queue.hold(false);
        continue;
      }
      slot.isTaken = true;
      slot.queue.end();
    }
    if (signal.aborted) return;
    // A partition that was taken and given back before the engine was done with it follows when that is released.
    for (const partition of partitions) if (!this.#slots.has(partition)) this.#take(partition, signal);
  }

  #onRecords(partition: number, records: readonly ConsumedRecord[]): void {
    this.#slots.get(partition)?.queue.push(records);
  }

  #take(partition: number, signal: AbortSignal): void {
    const { client, time, group, topics, queueBytesMax, onTrouble } = this.#options;
    const slot: Slot = {
      partition,
      isTaken: false,
      queue: new PartitionQueue({
        bytesMax: queueBytesMax,
        onFull: () => this.#membership?.pause(partition),
        onDrained: () => this.#membership?.resume(partition),
      }),
      writer: new PartitionWriter({
        client,
        time,
        transactionalId: `${group}-${topics.logins}-${partition}`,
        group,
        topic: topics.logins,
        partition,
        owns: () => this.#membership!.owns(partition),
        isGivenUp: () => slot.isTaken || time.monotonicMs() >= this.#giveUpAtMs,
        onTrouble,
      }),
    };
    slot.queue.hold(this.#isRebalancing);
    this.#slots.set(partition, slot);
    this.#acquire(slot, signal).catch((error: unknown) => this.#fail(error));
  }

  async #acquire(slot: Slot, signal: AbortSignal): Promise<void> {
    const { partition, queue, writer } = slot;
    const { client, topics, time, onTrouble } = this.#options;
    let acquired: { readonly offset: number; readonly isNew: boolean } | undefined;
    for (let waitMs = 50; acquired === undefined; waitMs = Math.min(2 * waitMs, 2000)) {
      if (slot.isTaken || signal.aborted) return this.#release(slot, signal);
      try {
        const committed = await writer.acquire();
        // Fenced first: nobody's transaction is open, so the high watermark is where the state of this partition ends.
        const state = (await client.topicOffsets(topics.graphState)).find((p) => p.partition === partition);
        if (state === undefined) throw this.#tooFewPartitions(partition);
        await this.#graphState!.reach(partition, state.high);
        acquired = { offset: await this.#startOf(partition, committed), isNew: committed === undefined };
      } catch (error) {
        if (error instanceof OddlinkError && !error.retriable) throw error;
        onTrouble(`partition ${partition} can't be taken on yet: ${(error as Error).message}`);
        await time.sleep(waitMs);
      }
    }
    if (slot.isTaken || signal.aborted) return this.#release(slot, signal);
    const membership = await this.#joined!;
    queue.open(acquired.offset);
    membership.seek(partition, acquired.offset);
    this.#emit({
      partition,
      topic: topics.logins,
      position: { offset: acquired.offset, bytes: 0 },
      isNew: acquired.isNew,
      batches: this.#batches(queue),
      release: () => void this.#release(slot, signal),
    });
  }

  /** Where to read from: what was committed, or the beginning of the topic. */
  async #startOf(partition: number, committed: number | undefined): Promise<number> {
    const { client, topics, onLostInput, onTrouble } = this.#options;
    const offsets = (await client.topicOffsets(topics.logins)).find((p) => p.partition === partition);
    if (offsets === undefined) throw new Error(`${topics.logins} has no partition ${partition}`);
    if (committed === undefined) return offsets.low;
    if (committed < offsets.low) {
      const message = `records ${committed} to ${offsets.low} of partition ${partition} of ${topics.logins} were deleted before they were read`;
      if (onLostInput === "fail") {
        throw new OddlinkError(
          "INPUT_LOST",
          `${message}; set kafka.onLostInput to skip to go on without them, and a longer retention`,
        );
      }
      onTrouble(`${message}; going on without them`);
    }
    return committed;
  }

  async *#batches(queue: PartitionQueue): AsyncGenerator<RecordBatch> {
    for (;;) {
      const records = await queue.take(BATCH_RECORDS_MAX);
      if (records === undefined) return;
      yield new KafkaBatch(records, this.#options.recordBytesMax);
    }
  }

  async #release(slot: Slot, signal: AbortSignal): Promise<void> {
    slot.queue.end();
    await slot.writer.close();
    if (this.#slots.get(slot.partition) !== slot) return;
    this.#slots.delete(slot.partition);
    if (!signal.aborted && this.#assigned.has(slot.partition)) this.#take(slot.partition, signal);
  }

  #tooFewPartitions(partition: number): OddlinkError {
    const { topics } = this.#options;
    return new OddlinkError(
      "KAFKA_TOPIC_UNFIT",
      `${topics.graphState} has no partition ${partition}: it needs as many as ${topics.logins}. ` +
        "oddlink topics creates and checks them",
    );
  }
}

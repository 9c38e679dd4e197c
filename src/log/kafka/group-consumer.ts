import assert from "node:assert/strict";
import { OddlinkError } from "../../errors.ts";
import type { Time } from "../../time.ts";
import type { CommitResult } from "../port.ts";
import type { ConsumedRecord, KafkaClient, Membership, ProducedRecord } from "./client.ts";
import type { ConsumerMeter, ConsumerStanding, PartitionStanding } from "./consumer-meter.ts";
import { PartitionQueue } from "./partition-queue.ts";
import { PartitionWriter } from "./partition-writer.ts";
import { rangesText } from "./ranges-text.ts";

/** What the commits of all partitions together may take of a core, and what one costs of it, ms: see bench/commit-cost.ts. */
const COMMIT_SHARE = 0.2;
const COMMIT_CPU_MS = 2;
/** Times longer between commits while records wait: with what that saves they wait less. */
const BEHIND_FACTOR = 4;
/** Waits between attempts to take a partition on grow from the first to the last of these, milliseconds. */
const ACQUIRE_RETRY_MS_MIN = 50;
const ACQUIRE_RETRY_MS_MAX = 2000;
/** Pause before the coordinator is asked again who owns a partition that it does not give to this process now. */
const OWNER_ASK_MS = 200;

/** How a topic is consumed; the settings of `kafka` have these names too. */
export type ConsumingSettings = {
  /** Fetched records of one partition that wait to be processed, bytes. */
  readonly queueBytesMax: number;
  /** Shortest time between commits of a partition, milliseconds. */
  readonly commitIntervalMs: number;
  /** How long a stop waits for outcomes that are not known, milliseconds. */
  readonly drainMs: number;
  /** What to do where committed offsets were deleted from the topic before they were read. */
  readonly onLostInput: "fail" | "skip";
};

export type GroupConsumerOptions = ConsumingSettings & {
  readonly client: KafkaClient;
  readonly time: Time;
  readonly group: string;
  readonly topic: string;
  /** Topics that most commits write to. */
  readonly outputs?: readonly string[];
  /**
   * Waits for what has to be there before the first record of a partition is handed out. Called when nobody else can write
   * for the partition any more; if it throws what may pass, the partition is taken on anew.
   */
  readonly prepare?: (partition: number) => Promise<void>;
  /** Something went wrong that is being dealt with. */
  readonly onTrouble: (message: string) => void;
  /** Partitions come, go and are ready: what is good to know while all is well. */
  readonly onNews?: ((message: string) => void) | undefined;
  readonly meter?: ConsumerMeter | undefined;
};

/** A partition that was given to this process: nobody else writes for it until it is taken away. */
export type ConsumedPartition = {
  readonly partition: number;
  /** Of the first record that `take` gives. */
  readonly offset: number;
  /** True if the group has never committed anything of the partition. */
  readonly isNew: boolean;
  /**
   * The next records, at most so many; waits for the first, and lets them gather until `gathered` resolves unless so many are
   * there before. Undefined once the partition is taken away, or at a stop.
   */
  take(countMax: number, gathered?: Promise<void>): Promise<readonly ConsumedRecord[] | undefined>;
  /** To be called when whoever processes the partition is done with it, its last commit included. */
  release(): void;
};

/** A partition while this process has it, and until whoever processes it is done with it. */
type Slot = {
  readonly partition: number;
  readonly queue: PartitionQueue;
  readonly writer: PartitionWriter;
  /** Everything below it that was handed out is committed. */
  committed: number;
  /** Another process has it, or is to get it. */
  isTaken: boolean;
  /** True once it is read. */
  isReady: boolean;
  /** How far it was fetched, and where it ended by then. */
  fetched: { readonly position: number; readonly highWatermark: number } | undefined;
  /** Since when reading is paused, milliseconds of the monotonic clock. */
  pausedAtMs: number | undefined;
};

/**
 * Consumes a topic in a consumer group, and writes what comes of a partition in transactions of the partition's own, each
 * with the position after it: exactly once.
 *
 * A partition that is given is taken on in this order: ask whether it still is this process's, shut out whoever had it, read
 * the group's position, `prepare`, read on from there.
 *
 * When the group gives partitions out anew, no more records are handed out, and what was handed out is committed before this
 * process joins again: whoever gets a partition next has nothing to shut out, and nothing is done in vain.
 */
export class GroupConsumer {
  readonly #options: GroupConsumerOptions;
  readonly #slots = new Map<number, Slot>();
  #assigned: ReadonlySet<number> = new Set();
  #isRebalancing = false;
  #rebalancingSinceMs: number | undefined;
  #isMember = false;
  #isStopped = false;
  #joined: Promise<Membership> | undefined;
  #membership: Membership | undefined;
  #giveUpAtMs = Number.POSITIVE_INFINITY;
  #given: ConsumedPartition[] = [];
  #wake: () => void = () => {};
  /** Resolved, and made anew, when more of what was handed out is done with. */
  #progress = Promise.withResolvers<void>();
  #failure: unknown;

  constructor(options: GroupConsumerOptions) {
    this.#options = options;
  }

  /** Longest time for which results wait for their commit, milliseconds: longer the more partitions commit. */
  get commitIntervalMs(): number {
    const slots = [...this.#slots.values()];
    const affordedMs = (slots.length * COMMIT_CPU_MS) / COMMIT_SHARE;
    const factor = slots.some(({ queue }) => queue.isBehind) ? BEHIND_FACTOR : 1;
    return Math.max(this.#options.commitIntervalMs * factor, affordedMs);
  }

  /** How this member and its partitions stand. */
  get standing(): ConsumerStanding {
    return {
      isMember: this.#isMember,
      isRebalancing: this.#isRebalancing,
      partitions: [...this.#assigned].map((partition) => standingOf(partition, this.#slots.get(partition))),
    };
  }

  /**
   * Joins the group and gives partitions as they come, until the signal stops it: then no more records are handed out. To be
   * called once.
   *
   * @throws {OddlinkError} INPUT_LOST, KAFKA_FAILED, and what `fail` was told
   */
  async *partitions(signal: AbortSignal): AsyncGenerator<ConsumedPartition> {
    const { client, group, topic } = this.#options;
    const stop = (): void => this.#stop();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      this.#joined = client.join({
        group,
        topic,
        onAssigned: (partitions) => this.#onAssigned(partitions),
        onRebalancing: () => {
          if (!this.#isRebalancing) this.#options.onNews?.("the group gives its partitions out anew");
          this.#isRebalancing = true;
          this.#rebalancingSinceMs ??= this.#options.time.monotonicMs();
          for (const { queue } of this.#slots.values()) queue.hold(true);
          return this.#handedOutIsDone();
        },
        onRecords: (partition, records) => this.#slots.get(partition)?.queue.push(records),
        onPosition: (partition, position, highWatermark) => {
          const slot = this.#slots.get(partition);
          if (slot !== undefined) slot.fetched = { position, highWatermark };
        },
        onCrash: (error) =>
          this.fail(
            new OddlinkError("KAFKA_FAILED", `reading ${topic} ended: ${error.message}`, { cause: error }),
          ),
      });
      this.#membership = await this.#joined;
      while (!this.#isStopped) {
        if (this.#failure !== undefined) throw this.#failure;
        const next = this.#given.shift();
        if (next !== undefined) {
          yield next;
          continue;
        }
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.#stop();
      for (const partition of this.#given.splice(0)) partition.release();
    }
  }

  /**
   * Writes records and the group's position in one transaction, the same records until the outcome is known. One at a time
   * for each partition.
   *
   * @param offset of the next record to be read
   */
  async commit(partition: number, records: readonly ProducedRecord[], offset: number): Promise<CommitResult> {
    const slot = this.#slots.get(partition);
    assert(slot !== undefined, "a commit for a partition that was released");
    const result = await slot.writer.commit(records, offset);
    if (result === "committed") {
      slot.committed = offset;
      slot.queue.settled();
    } else slot.isTaken = true;
    this.#progressed();
    return result;
  }

  /** Ends `partitions` with an error. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake();
  }

  /** Leaves the group. */
  async close(): Promise<void> {
    await this.#membership?.leave().catch(() => {});
    await Promise.all([...this.#slots.values()].map(({ writer }) => writer.close()));
    this.#slots.clear();
  }

  #stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#giveUpAtMs = this.#options.time.monotonicMs() + this.#options.drainMs;
    for (const { queue } of this.#slots.values()) queue.end();
    this.#wake();
  }

  /** Resolves once everything that was handed out is committed, or lost, or the rebalance is over. */
  async #handedOutIsDone(): Promise<void> {
    const isUnderWay = ({ isTaken, queue, committed }: Slot): boolean => !isTaken && queue.next > committed;
    while (this.#isRebalancing && [...this.#slots.values()].some(isUnderWay)) await this.#progress.promise;
  }

  #progressed(): void {
    this.#progress.resolve();
    this.#progress = Promise.withResolvers();
  }

  #onAssigned(partitions: readonly number[]): void {
    if (!this.#isStopped) this.#options.onNews?.(assignedText([...this.#assigned], partitions));
    this.#assigned = new Set(partitions);
    this.#isMember = true;
    this.#isRebalancing = false;
    if (this.#rebalancingSinceMs !== undefined)
      this.#options.meter?.rebalance((this.#options.time.monotonicMs() - this.#rebalancingSinceMs) / 1000);
    this.#rebalancingSinceMs = undefined;
    this.#progressed();
    for (const slot of this.#slots.values()) {
      if (this.#assigned.has(slot.partition)) {
        if (!slot.isTaken) slot.queue.hold(false);
        continue;
      }
      slot.isTaken = true;
      slot.queue.end();
    }
    if (this.#isStopped) return;
    // A partition that was taken and given back before its processing was done follows when that is released.
    for (const partition of partitions) if (!this.#slots.has(partition)) this.#take(partition);
  }

  #take(partition: number): void {
    const { client, time, group, topic, queueBytesMax, outputs, onTrouble, meter } = this.#options;
    const slot: Slot = {
      partition,
      committed: 0,
      isTaken: false,
      isReady: false,
      fetched: undefined,
      pausedAtMs: undefined,
      queue: new PartitionQueue({
        bytesMax: queueBytesMax,
        onFull: () => {
          slot.pausedAtMs = time.monotonicMs();
          this.#membership?.pause(partition);
        },
        onDrained: () => {
          if (slot.pausedAtMs !== undefined) meter?.paused((time.monotonicMs() - slot.pausedAtMs) / 1000);
          slot.pausedAtMs = undefined;
          this.#membership?.resume(partition);
        },
      }),
      writer: new PartitionWriter({
        client,
        time,
        transactionalId: `${group}-${topic}-${partition}`,
        group,
        topic,
        partition,
        outputs,
        owns: () => this.#membership!.owns(partition),
        isGivenUp: () => slot.isTaken || time.monotonicMs() >= this.#giveUpAtMs,
        onTrouble,
        meter,
      }),
    };
    slot.queue.hold(this.#isRebalancing);
    this.#membership?.pause(partition);
    this.#slots.set(partition, slot);
    this.#acquire(slot).catch((error: unknown) => this.fail(error));
  }

  async #acquire(slot: Slot): Promise<void> {
    const { partition, queue, writer } = slot;
    const { time, prepare, onTrouble } = this.#options;
    const membership = await this.#joined!;
    let acquired: { readonly offset: number; readonly isNew: boolean } | undefined;
    for (
      let waitMs = ACQUIRE_RETRY_MS_MIN;
      acquired === undefined;
      waitMs = Math.min(2 * waitMs, ACQUIRE_RETRY_MS_MAX)
    ) {
      if (slot.isTaken || this.#isStopped) return this.#release(slot);
      try {
        // What the group once said may be over: a process that slept would shut the rightful owner out.
        if (!(await membership.owns(partition))) {
          await time.sleep(OWNER_ASK_MS);
          continue;
        }
        const committed = await writer.acquire();
        const [offset] = await Promise.all([this.#startOf(partition, committed), prepare?.(partition)]);
        acquired = { offset, isNew: committed === undefined };
      } catch (error) {
        // Nobody wants it any more: what was under way for it was ended by this side.
        if (slot.isTaken || this.#isStopped) return this.#release(slot);
        if (error instanceof OddlinkError && !error.retriable) throw error;
        onTrouble(`partition ${partition} can't be taken on yet: ${(error as Error).message}`);
        await time.sleep(waitMs);
      }
    }
    if (slot.isTaken || this.#isStopped) return this.#release(slot);
    slot.committed = acquired.offset;
    queue.open(acquired.offset);
    membership.seek(partition, acquired.offset);
    slot.isReady = true;
    this.#sayWhenReady();
    this.#given.push({
      partition,
      ...acquired,
      take: (countMax, gathered) => queue.take(countMax, gathered),
      release: () => void this.#release(slot),
    });
    this.#wake();
  }

  #sayWhenReady(): void {
    const partitions = [...this.#assigned];
    if (partitions.every((partition) => this.#slots.get(partition)?.isReady === true))
      this.#options.onNews?.(`ready: reading partitions ${rangesText(partitions)}`);
  }

  /** Where to read from: what was committed, or the beginning of the topic. */
  async #startOf(partition: number, committed: number | undefined): Promise<number> {
    const { client, topic, onLostInput, onTrouble } = this.#options;
    const offsets = (await client.topicOffsets(topic)).find((found) => found.partition === partition);
    if (offsets === undefined) throw new Error(`${topic} has no partition ${partition}`);
    if (committed === undefined) return offsets.low;
    if (committed < offsets.low) {
      const message = `records ${committed} to ${offsets.low} of partition ${partition} of ${topic} were deleted before they were read`;
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

  async #release(slot: Slot): Promise<void> {
    slot.queue.end();
    await slot.writer.close();
    if (this.#slots.get(slot.partition) !== slot) return;
    this.#slots.delete(slot.partition);
    this.#progressed();
    if (!this.#isStopped && this.#assigned.has(slot.partition)) this.#take(slot.partition);
  }
}

function standingOf(partition: number, slot: Slot | undefined): PartitionStanding {
  if (slot?.isReady !== true)
    return {
      partition,
      isReady: false,
      isPaused: false,
      committed: undefined,
      done: undefined,
      oldestMs: undefined,
      highWatermark: undefined,
    };
  const { queue, committed, fetched } = slot;
  const isAllDone = queue.isEmpty && committed >= queue.next;
  return {
    partition,
    isReady: true,
    isPaused: queue.isFull,
    committed,
    done: isAllDone ? Math.max(committed, fetched?.position ?? 0) : committed,
    oldestMs: isAllDone ? undefined : queue.oldestMs,
    highWatermark: fetched?.highWatermark,
  };
}

function assignedText(before: readonly number[], now: readonly number[]): string {
  const added = now.filter((partition) => !before.includes(partition));
  const gone = before.filter((partition) => !now.includes(partition));
  const changes = [
    ...(added.length > 0 && before.length > 0 ? [`taken on ${rangesText(added)}`] : []),
    ...(gone.length > 0 ? [`given up ${rangesText(gone)}`] : []),
  ];
  const has = now.length === 0 ? "none, others have them all" : rangesText(now);
  if (before.length > 0 && changes.length === 0) changes.push("as before");
  return `partitions of this worker: ${has}${changes.length > 0 ? ` (${changes.join(", ")})` : ""}`;
}

import { setImmediate } from "node:timers";
import type { Consumer, EachBatchPayload } from "kafkajs";
import { handOverMsMax, type JoinOptions, type Membership } from "../client.ts";
import { withTrouble } from "./asking.ts";
import type { KafkaClusters } from "./clusters.ts";
import { endWithin, type KafkaClientOptions, type OpenKafka, RETRY, requireWithin } from "./connection.ts";
import { asKafkaError } from "./kafka-errors.ts";
import { joinAfter } from "./patches.ts";
import type { LoggedRecord } from "./record-batch.ts";

const SESSION_TIMEOUT_MS = 6000;
/** By its next heartbeat a worker hears that there are partitions of another to be taken over. */
const HEARTBEAT_MS = 100;
const REBALANCE_TIMEOUT_MS = 10_000;
/** kafkajs leaves a group only between two fetches, so this bounds how long that takes. */
const FETCH_WAIT_MS = 50;
const FETCH_BYTES_MAX = 4 * 1024 * 1024;
/** Some five thousand logins: a partition that is paused may get as much once more. */
const FETCH_PARTITION_BYTES_MAX = 256 * 1024;
const PARTITIONS_AT_ONCE = 16;
const JOIN_MS_MAX = 15_000;
const LEAVE_MS_MAX = 5000;

/** Which partitions the coordinator has given to each member id, for one topic of one group. */
export type GroupAssignment = (
  group: string,
  topic: string,
) => Promise<ReadonlyMap<string, readonly number[]>>;

/**
 * Membership in a consumer group on kafkajs, which goes on by itself when brokers come and go: it joins again, and
 * `onAssigned` tells.
 */
export class KafkajsMembership implements Membership {
  readonly #consumer: Consumer;
  readonly #clusters: KafkaClusters;
  readonly #options: JoinOptions;
  readonly #groupAssignment: GroupAssignment;
  readonly #handOverMsMax: number;
  /** Those of kafkajs are lost when it starts over after an error. */
  readonly #paused = new Set<number>();
  #memberId: string | undefined;
  /** Joining is the time before the first assignment and while kafkajs starts over: it takes no orders then. */
  #state: "joining" | "member" | "rebalancing" = "joining";
  #joined = Promise.withResolvers<void>();
  #leaving: Promise<void> | undefined;
  #hasLeft = false;

  private constructor(
    consumer: Consumer,
    clusters: KafkaClusters,
    options: JoinOptions,
    groupAssignment: GroupAssignment,
    sessionTimeoutMs: number,
  ) {
    this.#consumer = consumer;
    this.#clusters = clusters;
    this.#options = options;
    this.#groupAssignment = groupAssignment;
    this.#handOverMsMax = handOverMsMax(sessionTimeoutMs);
  }

  /** @throws {OddlinkError} KAFKA_UNREACHABLE, KAFKA_DENIED, KAFKA_TOPIC_MISSING */
  static async join(
    { kafka, clusters }: OpenKafka,
    client: KafkaClientOptions,
    options: JoinOptions,
    groupAssignment: GroupAssignment,
  ): Promise<KafkajsMembership> {
    const { group, topic } = options;
    const sessionTimeout = client.sessionTimeoutMs ?? SESSION_TIMEOUT_MS;
    const consumer = kafka.consumer({
      groupId: group,
      sessionTimeout,
      heartbeatInterval: client.heartbeatMs ?? HEARTBEAT_MS,
      rebalanceTimeout: client.rebalanceTimeoutMs ?? REBALANCE_TIMEOUT_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytes: FETCH_BYTES_MAX,
      maxBytesPerPartition: FETCH_PARTITION_BYTES_MAX,
      allowAutoTopicCreation: false,
      readUncommitted: false,
      retry: RETRY,
    });
    const membership = new KafkajsMembership(consumer, clusters, options, groupAssignment, sessionTimeout);
    const doing = `joining the group ${group} on the topic ${topic}`;
    try {
      const subscribed = consumer.connect().then(() => consumer.subscribe({ topic, fromBeginning: true }));
      await requireWithin(JOIN_MS_MAX, doing, subscribed);
    } catch (error) {
      const { trouble } = clusters;
      clusters.seal();
      throw withTrouble(asKafkaError(error, doing), doing, trouble);
    }
    membership.#run();
    return membership;
  }

  pause(partition: number): void {
    this.#paused.add(partition);
    if (this.#state !== "joining") this.#consumer.pause([this.#only(partition)]);
  }

  resume(partition: number): void {
    this.#paused.delete(partition);
    if (this.#state !== "joining") this.#consumer.resume([this.#only(partition)]);
  }

  seek(partition: number, offset: number): void {
    // Otherwise kafkajs is about to join again and goes on where the group committed; this would outlive that.
    if (this.#state !== "member") return;
    this.#consumer.seek({ topic: this.#options.topic, partition, offset: String(offset) });
  }

  async owns(partition: number): Promise<boolean> {
    const members = await this.#groupAssignment(this.#options.group, this.#options.topic);
    return members.get(this.#memberId ?? "")?.includes(partition) ?? false;
  }

  leave(): Promise<void> {
    // A kafkajs consumer that is just joining does not hear that it is to stop.
    const leave = () => this.#joined.promise.then(() => this.#consumer.disconnect());
    this.#leaving ??= endWithin(LEAVE_MS_MAX, leave()).then(() => {
      this.#clusters.seal();
      this.#hasLeft = true;
    });
    return this.#leaving;
  }

  get isClosed(): boolean {
    return this.#hasLeft;
  }

  close(): Promise<void> {
    return this.leave();
  }

  #run(): void {
    const { GROUP_JOIN, REBALANCING, START_BATCH_PROCESS, STOP, CRASH } = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#memberId = payload.memberId;
      this.#onJoined(payload.memberAssignment[this.#options.topic] ?? []);
    });
    this.#consumer.on(REBALANCING, ({ payload }) => {
      joinAfter(payload.memberId, endWithin(this.#handOverMsMax, this.#onRebalancing()));
    });
    // What is handed over tells of itself; here come those too that hold no record for anybody.
    this.#consumer.on(START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0 && this.#state === "member") this.#onPosition(payload.partition, payload);
    });
    this.#consumer.on(STOP, () => {
      // Not asked for, this is an error after which kafkajs may start over: others may own the partitions meanwhile.
      void this.#onRebalancing();
      this.#state = "joining";
      this.#joined = Promise.withResolvers();
    });
    this.#consumer.on(CRASH, ({ payload }) => {
      if (!payload.restart) this.#crash(payload.error);
    });
    this.#consumer
      .run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
        eachBatch: async (payload) => this.#onBatch(payload),
      })
      .catch((error: unknown) => this.#crash(error));
  }

  async #onRebalancing(): Promise<void> {
    this.#state = "rebalancing";
    if (this.#leaving === undefined) await this.#options.onRebalancing();
  }

  #onJoined(partitions: readonly number[]): void {
    // A member that the coordinator has dropped joins again without a word before.
    if (this.#state === "member") void this.#onRebalancing();
    this.#state = "member";
    // Only when this call has returned does kafkajs itself know that it has joined.
    setImmediate(this.#joined.resolve);
    if (this.#leaving !== undefined) return;
    if (this.#paused.size > 0) {
      this.#consumer.pause([{ topic: this.#options.topic, partitions: [...this.#paused] }]);
    }
    // kafkajs sorts numbers as text.
    this.#options.onAssigned(partitions.toSorted((a, b) => a - b));
  }

  #onBatch({ batch, resolveOffset, isStale }: EachBatchPayload): void {
    // Between the fetch and now somebody may have asked for another place, or to leave.
    if (this.#leaving !== undefined || isStale() || this.#paused.has(batch.partition)) return;
    try {
      // Not what kafkajs says they are, but what `decodeFetchResponse` made of them.
      this.#options.onRecords(batch.partition, batch.messages as unknown as readonly LoggedRecord[]);
    } catch (error) {
      // kafkajs would try the same records for ever.
      this.#crash(error);
      return;
    }
    resolveOffset(batch.messages.at(-1)!.offset);
    this.#onPosition(batch.partition, { lastOffset: batch.lastOffset(), highWatermark: batch.highWatermark });
  }

  #onPosition(
    partition: number,
    { lastOffset, highWatermark }: { readonly lastOffset: string; readonly highWatermark: string },
  ): void {
    this.#options.onPosition?.(partition, Number(lastOffset) + 1, Number(highWatermark));
  }

  #crash(error: unknown): void {
    if (this.#leaving !== undefined) return;
    // It will not join any more.
    this.#joined.resolve();
    void this.leave();
    this.#options.onCrash(
      asKafkaError(error, `reading ${this.#options.topic} in group ${this.#options.group}`),
    );
  }

  #only(partition: number): { topic: string; partitions: number[] } {
    return { topic: this.#options.topic, partitions: [partition] };
  }
}

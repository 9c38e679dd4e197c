import { setTimeout as sleep } from "node:timers/promises";
import { OddlinkError } from "../../../errors.ts";
import type { ConsumedRecord, Tail, TailOptions } from "../client.ts";
import type { KafkaClusters } from "./clusters.ts";
import { endWithin } from "./connection.ts";
import { backoffMs, forgetBroker } from "./coordinator.ts";
import {
  type FetchedPartition,
  type InternalBroker,
  type InternalCluster,
  READ_COMMITTED,
} from "./internals.ts";
import { asKafkaError, brokerErrorType, causesOf, mayHeal } from "./kafka-errors.ts";

/** The broker answers at once if there is something. */
const FETCH_WAIT_MS = 50;
const FETCH_BYTES_MAX = 8 * 1024 * 1024;
const FETCH_PARTITION_BYTES_MAX = 1024 * 1024;
/** How long a new partition of the topic may go unnoticed. */
const METADATA_MS_MAX = 60_000;
const BACKOFF_MS_MIN = 20;
const BACKOFF_MS_MAX = 1000;
/** What is refused for this long without a break is refused for good: a topic that is gone, for one. */
const REFUSED_MS_MAX = 30_000;
/** A connection that is being made can't be stopped; everything else ends at once. */
const CLOSE_MS_MAX = 1000;
/** What asks a broker for the log start in place of a time. */
const LOG_START = -2;

type Failures = { count: number; sinceMs: number };

/**
 * Reads a whole topic, or some of its partitions, outside any group, by fetches of its own: a consumer of kafkajs needs a group, and says nothing of
 * how far it is where there are only markers.
 *
 * One loop for each broker that leads partitions of the topic, so that a dead broker does not hold up what others lead.
 */
export class KafkajsTail implements Tail {
  readonly #clusters: KafkaClusters;
  readonly #cluster: InternalCluster;
  readonly #options: TailOptions;
  readonly #clock: () => number;
  readonly #abort = new AbortController();
  /** Both by partition. */
  readonly #leaders = new Map<number, number>();
  readonly #positions = new Map<number, number>();
  /** The brokers that a loop is running for. */
  readonly #followed = new Set<number>();
  readonly #loops = new Set<Promise<void>>();
  #refreshedMs = 0;
  #refresh: Promise<void> | undefined;

  constructor(clusters: KafkaClusters, options: TailOptions, clock: () => number) {
    this.#clusters = clusters;
    this.#cluster = clusters.create();
    this.#options = options;
    this.#clock = clock;
    this.#track(this.#begin());
  }

  async close(): Promise<void> {
    this.#abort.abort();
    // There is nobody to say goodbye to.
    this.#clusters.seal();
    await endWithin(CLOSE_MS_MAX, Promise.allSettled(this.#loops));
  }

  get isClosed(): boolean {
    return this.#abort.signal.aborted;
  }

  #track(loop: Promise<void>): void {
    this.#loops.add(loop);
    void loop.finally(() => this.#loops.delete(loop));
  }

  async #begin(): Promise<void> {
    await this.#repeat(async () => {
      await this.#findLeaders();
      return false;
    });
  }

  async #follow(leader: number): Promise<void> {
    await this.#repeat(async (hasFailed) => {
      // Whatever went wrong, another broker may lead the partitions now.
      if (hasFailed || this.#clock() - this.#refreshedMs > METADATA_MS_MAX) await this.#findLeaders();
      const partitions = [...this.#leaders].filter(([, id]) => id === leader).map(([partition]) => partition);
      if (partitions.length > 0) await this.#fetch(leader, partitions);
      // Without a pause after the check, so that no partition is given to a loop that is about to end.
      else this.#followed.delete(leader);
      return partitions.length > 0;
    });
  }

  /** Repeats `step` until it returns false, the tail is closed, or an error shows that it has no hope. */
  async #repeat(step: (hasFailed: boolean) => Promise<boolean>): Promise<void> {
    const failures: Failures = { count: 0, sinceMs: 0 };
    while (!this.isClosed) {
      try {
        if (!(await step(failures.count > 0))) return;
        failures.count = 0;
      } catch (error) {
        if (this.isClosed) return;
        if (failures.count++ === 0) failures.sinceMs = this.#clock();
        if (this.#isHopeless(error, failures)) {
          this.#crash(error);
          return;
        }
        forgetBroker(this.#cluster, error);
        await sleep(backoffMs(failures.count, BACKOFF_MS_MIN, BACKOFF_MS_MAX), undefined, {
          signal: this.#abort.signal,
        }).catch(() => {});
      }
    }
  }

  #isHopeless(error: unknown, failures: Failures): boolean {
    if (mayHeal(error)) return false;
    const isKafka = causesOf(error).some(({ name }) => name.startsWith("KafkaJS"));
    const known = asKafkaError(error, "");
    const isMissing = known instanceof OddlinkError && known.code === "KAFKA_TOPIC_MISSING";
    if (!isKafka || (known instanceof OddlinkError && !isMissing)) return true;
    return this.#clock() - failures.sinceMs > REFUSED_MS_MAX;
  }

  #crash(error: unknown): void {
    void this.close();
    this.#options.onCrash(asKafkaError(error, `reading the topic ${this.#options.topic}`));
  }

  /** Asks who leads which partition, once for all loops that want to know, and starts the loops that are missing. */
  #findLeaders(): Promise<void> {
    this.#refresh ??= this.#askForLeaders().finally(() => {
      this.#refresh = undefined;
    });
    return this.#refresh;
  }

  async #askForLeaders(): Promise<void> {
    const { topic, partitions: wanted, startAt } = this.#options;
    await this.#cluster.connect();
    await this.#cluster.addTargetTopic(topic);
    await this.#cluster.refreshMetadata();
    this.#refreshedMs = this.#clock();
    for (const { partitionId, leader } of this.#cluster.findTopicPartitionMetadata(topic)) {
      if (wanted?.includes(partitionId) === false) continue;
      this.#leaders.set(partitionId, leader);
      if (!this.#positions.has(partitionId)) this.#positions.set(partitionId, startAt?.(partitionId) ?? 0);
    }
    for (const leader of new Set(this.#leaders.values())) {
      if (this.#followed.has(leader) || this.isClosed) continue;
      this.#followed.add(leader);
      this.#track(this.#follow(leader));
    }
  }

  async #fetch(leader: number, partitions: readonly number[]): Promise<void> {
    const broker = await this.#cluster.findBroker({ nodeId: leader });
    const positions = new Map(partitions.map((partition) => [partition, this.#positions.get(partition)!]));
    const asked = [...positions].map(([partition, position]) => ({
      partition,
      fetchOffset: String(position),
      maxBytes: FETCH_PARTITION_BYTES_MAX,
    }));
    try {
      const { responses } = await broker.fetch({
        maxWaitTime: FETCH_WAIT_MS,
        minBytes: 1,
        maxBytes: FETCH_BYTES_MAX,
        isolationLevel: READ_COMMITTED,
        topics: [{ topic: this.#options.topic, partitions: asked }],
      });
      for (const fetched of responses.flatMap((response) => response.partitions)) {
        // The partition may have gone to another loop meanwhile.
        const isCurrent = this.#positions.get(fetched.partition) === positions.get(fetched.partition);
        if (isCurrent && !this.isClosed) this.#handOver(fetched);
      }
    } catch (error) {
      const { partition } = causesOf(error)[0] ?? {};
      if (brokerErrorType(error) !== "OFFSET_OUT_OF_RANGE" || partition === undefined) throw error;
      await this.#goToLogStart(broker, partition);
    }
  }

  #handOver({ partition, messages }: FetchedPartition): void {
    const position = this.#positions.get(partition)!;
    const records: ConsumedRecord[] = [];
    let next = position;
    for (const message of messages) {
      // A broker sends whole batches, the part before the position included.
      if (message.offset < position) continue;
      next = message.offset + 1;
      if (!message.isControlRecord) records.push(message);
    }
    if (next === position) return;
    this.#positions.set(partition, next);
    this.#options.onRecords(partition, records, next);
  }

  /** What lay between the position and the log start was compacted away or is past its retention. */
  async #goToLogStart(broker: InternalBroker, partition: number): Promise<void> {
    const { topic } = this.#options;
    const { responses } = await broker.listOffsets({
      isolationLevel: READ_COMMITTED,
      topics: [{ topic, partitions: [{ partition, timestamp: LOG_START }] }],
    });
    const start = Number(responses[0]!.partitions[0]!.offset);
    const position = this.#positions.get(partition)!;
    if (position >= start) {
      throw new OddlinkError(
        "SOURCE_CHANGED",
        `${topic}, partition ${partition} ends before offset ${position}, up to which it was read: it was made anew`,
      );
    }
    this.#positions.set(partition, start);
    if (!this.isClosed) this.#options.onRecords(partition, [], start);
  }
}

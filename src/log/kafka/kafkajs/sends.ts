import { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, { type Message } from "kafkajs";
import type { ProducedRecord } from "../client.ts";
import type { CompressionName } from "./connection.ts";
import { backoffMs, forgetBroker } from "./coordinator.ts";
import { errorOfCode, type InternalCluster, produceTo } from "./internals.ts";
import { brokerErrorType, causesOf, mayHeal } from "./kafka-errors.ts";
import { COMPRESSION_TYPES } from "./patches.ts";

/** One request holds one batch a partition, and brokers take batches of 1 MiB unless told otherwise. */
const BATCH_BYTES_MAX = 512 * 1024;
const BATCH_RECORDS_MAX = 5000;
/** Generous: offsets, lengths and attributes take less. */
const RECORD_OVERHEAD_BYTES = 64;
const BACKOFF_MS_MIN = 5;
const BACKOFF_MS_MAX = 200;
/** How long a new partition of a topic may go unused. */
const METADATA_MS_MAX = 60_000;
/** Sequence numbers are 31 bits and begin again at 0. */
const SEQUENCES = 2 ** 31;

/** After these the batch may be in the log all the same. */
const MAY_BE_WRITTEN: ReadonlySet<string> = new Set([
  "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
  "REQUEST_TIMED_OUT",
]);
/** Those that say that the batch itself can't be taken: it was not written, and the next one gets its number. */
const NOT_WRITTEN: ReadonlySet<string> = new Set([
  "MESSAGE_TOO_LARGE",
  "RECORD_LIST_TOO_LARGE",
  "INVALID_RECORD",
  "INVALID_TIMESTAMP",
  "POLICY_VIOLATION",
  "UNSUPPORTED_COMPRESSION_TYPE",
  "TOPIC_AUTHORIZATION_FAILED",
]);

export type ProducerIdentity = { readonly producerId: string; readonly producerEpoch: number };

/** Consecutive records of one partition, which are written together. */
export type Batch = {
  readonly topic: string;
  readonly partition: number;
  readonly messages: Message[];
  /** True once it was sent without a clear answer. */
  mayBeWritten: boolean;
};

/** What a topic refuses, in words that say what to do; the cause is the broker's answer. */
export class TopicRefused extends Error {
  constructor(topic: string, cause: Error) {
    super(refusalText(topic, cause), { cause });
  }
}

/** Some batches were not written. */
export class SendFailed extends Error {
  /** Whether it is known of every batch if it was written. If not, the sequence numbers of this producer are of no use. */
  readonly isCertain: boolean;

  constructor(isCertain: boolean, cause: Error) {
    super(cause.message, { cause });
    this.isCertain = isCertain;
  }
}

/**
 * Writes the records of transactions, each exactly once: a batch has a sequence number in its partition and keeps it until
 * it is acknowledged, and the next one is sent only then.
 *
 * This is not left to the producer of kafkajs. That one tries again while requests to other brokers are still under way,
 * with new numbers, so that their records are written twice (164 batches in 375 transactions over three brokers); takes
 * numbers back that the broker has used, so that later records are dropped as repetitions; and leaves out records whose
 * leader has moved to a broker that has answered already.
 */
export class TransactionalSends {
  readonly #cluster: InternalCluster;
  readonly #compression: CompressionName;
  readonly #timeoutMs: number;
  readonly #clock: () => number;
  readonly #choosePartition = kafkajs.Partitioners.DefaultPartitioner();
  /** Number of the next record of each partition, by place. */
  readonly #sequences = new Map<string, number>();
  #refreshedMs = Number.NEGATIVE_INFINITY;

  /** @param timeoutMs how long the broker may wait for its replicas before it answers */
  constructor(
    cluster: InternalCluster,
    compression: CompressionName,
    timeoutMs: number,
    clock: () => number,
  ) {
    this.#cluster = cluster;
    this.#compression = compression;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  /** Learns who leads the partitions of topics, if that can be had now: `plan` asks again for what is not known. */
  async lookUp(topics: readonly string[]): Promise<void> {
    try {
      await this.#cluster.connect();
      for (const topic of topics) await this.#addTopic(topic);
      this.#refreshedMs = this.#clock();
    } catch {
      // Whether that matters is seen when something is written.
    }
  }

  /**
   * Gives each record its partition.
   *
   * @returns batches in order, a list for each partition
   * @throws what the broker says of a topic, UNKNOWN_TOPIC_OR_PARTITION for one
   */
  async plan(records: readonly ProducedRecord[]): Promise<Batch[][]> {
    const topics = new Set(records.map((record) => record.topic));
    for (let attempt = 0; ; attempt++) {
      try {
        for (const topic of topics) await this.#addTopic(topic);
        if (this.#clock() - this.#refreshedMs > METADATA_MS_MAX) await this.#refresh(topics);
        break;
      } catch (error) {
        if (!mayHeal(error)) throw error;
        forgetBroker(this.#cluster, error);
        await sleep(backoffMs(attempt, BACKOFF_MS_MIN, BACKOFF_MS_MAX));
      }
    }
    const queues = new Map<string, { readonly batches: Batch[]; bytes: number }>();
    for (const record of records) {
      const { topic, key, value, headers } = record;
      const message: Message = { key, value, headers: { ...headers } };
      const partition = record.partition ?? this.#partitionOf(topic, message);
      const bytes = bytesOf(record);
      const place = placeOf({ topic, partition });
      const queue = queues.get(place) ?? { batches: [], bytes: 0 };
      const last = queue.batches.at(-1);
      const isFull =
        queue.bytes + bytes > BATCH_BYTES_MAX || (last?.messages.length ?? 0) === BATCH_RECORDS_MAX;
      if (last === undefined || isFull) {
        queue.batches.push({ topic, partition, messages: [message], mayBeWritten: false });
        queue.bytes = bytes;
      } else {
        last.messages.push(message);
        queue.bytes += bytes;
      }
      queues.set(place, queue);
    }
    return [...queues.values()].map(({ batches }) => batches);
  }

  /** What is known of topics may be wrong: it is asked for anew before the next transaction. */
  distrust(): void {
    this.#refreshedMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * Writes batches of partitions that were added to the transaction. Tries again as long as that may help: the caller sets
   * the limit, after which this must not go on.
   *
   * @throws {SendFailed}
   */
  async send(
    plan: readonly (readonly Batch[])[],
    transactionalId: string,
    producer: ProducerIdentity,
  ): Promise<void> {
    const queues = plan.map((batches) => [...batches]);
    const topics = new Set(plan.map(([batch]) => batch!.topic));
    for (let attempt = 0; queues.some((queue) => queue.length > 0); ) {
      const open = queues.filter((queue) => queue.length > 0);
      const errors = await this.#sendFirst(open, transactionalId, producer);
      const final = [...errors].find(([, error]) => !mayBeRepeated(error));
      if (final !== undefined) {
        const [{ topic }, error] = final;
        const isUnclear = open.some(([batch]) => batch?.mayBeWritten === true);
        const isCertain = !isUnclear && NOT_WRITTEN.has(brokerErrorType(error) ?? "");
        throw new SendFailed(isCertain, new TopicRefused(topic, error));
      }
      if (errors.size === 0) {
        attempt = 0;
        continue;
      }
      await sleep(backoffMs(attempt++, BACKOFF_MS_MIN, BACKOFF_MS_MAX));
      // Somebody else may lead the partition now. If nobody answers that either, the next attempt fails and is repeated.
      await this.#refresh(topics).catch(() => {});
    }
  }

  /** Sends the first batch of each queue, takes those from the queues that were written, and waits for all answers. */
  async #sendFirst(
    queues: readonly Batch[][],
    transactionalId: string,
    producer: ProducerIdentity,
  ): Promise<Map<Batch, Error>> {
    const leaders = new Map<number, Batch[]>();
    for (const [batch] of queues) {
      const leader = this.#leaderOf(batch!);
      leaders.set(leader, [...(leaders.get(leader) ?? []), batch!]);
    }
    const errors = new Map<Batch, Error>();
    await Promise.all(
      [...leaders].map(async ([leader, batches]) => {
        for (const [batch, error] of await this.#sendTo(leader, batches, transactionalId, producer)) {
          errors.set(batch, error);
        }
      }),
    );
    for (const queue of queues) {
      const batch = queue[0]!;
      if (errors.has(batch)) continue;
      queue.shift();
      const place = placeOf(batch);
      this.#sequences.set(place, ((this.#sequences.get(place) ?? 0) + batch.messages.length) % SEQUENCES);
    }
    return errors;
  }

  /** @returns the batches that were not written, or not surely, and why */
  async #sendTo(
    leader: number,
    batches: readonly Batch[],
    transactionalId: string,
    producer: ProducerIdentity,
  ): Promise<Map<Batch, Error>> {
    const errors = new Map<Batch, Error>();
    let isSent = false;
    try {
      const broker = await this.#cluster.findBroker({ nodeId: leader });
      isSent = true;
      const answers = await produceTo(broker, {
        ...producer,
        transactionalId,
        acks: -1,
        timeout: this.#timeoutMs,
        compression: COMPRESSION_TYPES[this.#compression],
        topicData: byTopic(batches).map(([topic, ofTopic]) => ({
          topic,
          partitions: ofTopic.map((batch) => ({
            partition: batch.partition,
            firstSequence: this.#sequences.get(placeOf(batch)) ?? 0,
            messages: batch.messages,
          })),
        })),
      });
      const codes = new Map(answers.map((answer) => [placeOf(answer), answer.errorCode]));
      for (const batch of batches) {
        const code = codes.get(placeOf(batch));
        if (code === 0) continue;
        const error = code === undefined ? new Error("the broker did not answer for it") : errorOfCode(code);
        // It has this batch: the answer to an earlier attempt was lost.
        if (brokerErrorType(error) === "DUPLICATE_SEQUENCE_NUMBER") continue;
        if (MAY_BE_WRITTEN.has(brokerErrorType(error) ?? "")) batch.mayBeWritten = true;
        errors.set(batch, error);
      }
    } catch (error) {
      forgetBroker(this.#cluster, error);
      for (const batch of batches) {
        if (isSent) batch.mayBeWritten = true;
        errors.set(batch, error as Error);
      }
    }
    return errors;
  }

  async #addTopic(topic: string): Promise<void> {
    try {
      await this.#cluster.addTargetTopic(topic);
    } catch (error) {
      throw mayHeal(error) ? error : new TopicRefused(topic, error as Error);
    }
  }

  /** @param topics that are needed now: one that was written to before and is gone must not hold them up */
  async #refresh(topics: ReadonlySet<string>): Promise<void> {
    await this.#cluster.connect();
    try {
      await this.#cluster.refreshMetadata();
    } catch (error) {
      if (brokerErrorType(error) !== "UNKNOWN_TOPIC_OR_PARTITION") throw error;
      // One by one, to tell which it is.
      this.#cluster.targetTopics = new Set();
      for (const topic of topics) await this.#addTopic(topic);
    }
    this.#refreshedMs = this.#clock();
  }

  #partitionOf(topic: string, message: Message): number {
    const partitionMetadata = this.#cluster
      .findTopicPartitionMetadata(topic)
      .map((partition) => ({ ...partition, partitionErrorCode: 0, replicas: [], isr: [] }));
    return this.#choosePartition({ topic, partitionMetadata, message });
  }

  /** -1, which no broker has, while there is none. */
  #leaderOf({ topic, partition }: Batch): number {
    const partitions = this.#cluster.findTopicPartitionMetadata(topic);
    return partitions.find(({ partitionId }) => partitionId === partition)?.leader ?? -1;
  }
}

/** A broker that has just lost a partition, or is about to get it, may not know it at all. */
function mayBeRepeated(error: Error): boolean {
  return mayHeal(error) || brokerErrorType(error) === "UNKNOWN_TOPIC_OR_PARTITION";
}

function refusalText(topic: string, cause: Error): string {
  switch (brokerErrorType(cause)) {
    case "UNKNOWN_TOPIC_OR_PARTITION":
      return `the topic ${topic} is missing and is waited for; oddlink topics --create makes those that oddlink itself needs`;
    case "MESSAGE_TOO_LARGE":
    case "RECORD_LIST_TOO_LARGE":
      return `the topic ${topic} does not take a record as large as one that is to be written; oddlink topics says which max.message.bytes it needs`;
    default:
      return `the topic ${topic} refuses what is written: ${causesOf(cause).at(-1)!.message}`;
  }
}

function byTopic(batches: readonly Batch[]): [string, Batch[]][] {
  const topics = new Map<string, Batch[]>();
  for (const batch of batches) topics.set(batch.topic, [...(topics.get(batch.topic) ?? []), batch]);
  return [...topics];
}

function placeOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic} ${partition}`;
}

function bytesOf({ key, value, headers = {} }: ProducedRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES;
  for (const part of [key, value]) if (part !== null) bytes += Buffer.byteLength(part);
  for (const [name, header] of Object.entries(headers)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(header);
  }
  return bytes;
}

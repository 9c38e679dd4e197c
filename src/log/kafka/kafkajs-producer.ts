import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, {
  type ICustomPartitioner,
  type Message,
  type Producer,
  type RecordMetadata,
  type Transaction,
} from "kafkajs";
import {
  type GroupPosition,
  type ProducedRecord,
  type TransactionalProducer,
  TransactionError,
  type TransactionOutcome,
} from "./client.ts";
import { asKafkaError, brokerErrorType, causesOf, isFenced, mayHeal } from "./kafka-errors.ts";
import { endWithin, type KafkaClientOptions, type OpenKafka, requireWithin } from "./kafkajs-connection.ts";
import type { KafkaClusters } from "./kafkajs-internals.ts";
import { COMPRESSION_TYPES } from "./kafkajs-patches.ts";

const TRANSACTION_TIMEOUT_MS = 10_000;
/** One request holds one batch a partition, and brokers take batches of 1 MiB; kafkajs sorts records in quadratic time. */
const SEND_BYTES_MAX = 512 * 1024;
const SEND_RECORDS_MAX = 1000;
/** Generous: offsets, lengths and attributes take less. */
const RECORD_OVERHEAD_BYTES = 64;
/** While the markers of the last transaction are written the broker asks for patience, for a few milliseconds. */
const BUSY_MS = 2;
const ABORT_MS_MAX = 2000;
const FENCE_MS_MAX = 30_000;
const FENCE_BACKOFF_MS = 100;
const CLOSE_MS_MAX = 2000;

/** Refusals of a batch that hold however often it is sent: no earlier attempt of it can have been written. */
const NOT_WRITTEN: ReadonlySet<string> = new Set([
  "MESSAGE_TOO_LARGE",
  "RECORD_LIST_TOO_LARGE",
  "INVALID_RECORD",
  "INVALID_TIMESTAMP",
  "POLICY_VIOLATION",
  "TOPIC_AUTHORIZATION_FAILED",
  "UNKNOWN_TOPIC_OR_PARTITION",
]);

/** Records that did not all arrive although kafkajs reports no error. */
class SendIncomplete extends Error {}

/** A send failed, and what of it was written is not known. */
class SendUncertain extends Error {}

/**
 * Transactions on kafkajs, whose own account of them is not to be trusted in three places:
 *
 * - Connecting fences nobody; only the first transaction does.
 * - After a send that failed in part it takes back the sequence numbers of all of it. The broker then takes the next
 *   records for a repetition of those that it has, answers that all is well and writes nothing. So the producer is given up
 *   unless it is certain that nothing of the send was written.
 * - When the leader of one partition moves to a broker that has already answered for another one, the records of the first
 *   are left out without an error. So what was acknowledged is compared with what was sent.
 */
export class KafkajsProducer implements TransactionalProducer {
  readonly #openKafka: () => OpenKafka;
  readonly #transactionalId: string;
  readonly #options: KafkaClientOptions;
  readonly #clock: () => number;
  /** Of the running send: where its records go, as "topic partition". */
  readonly #places = new Set<string>();
  /** The same by record, kept over attempts. */
  readonly #partitions = new Map<Message, number>();
  #producer: Producer | undefined;
  #clusters: KafkaClusters | undefined;
  /** What made this producer useless. */
  #end: TransactionOutcome | undefined;
  #isBusy = false;
  #isClosed = false;

  constructor(
    openKafka: () => OpenKafka,
    transactionalId: string,
    options: KafkaClientOptions,
    clock: () => number,
  ) {
    this.#openKafka = openKafka;
    this.#transactionalId = transactionalId;
    this.#options = options;
    this.#clock = clock;
  }

  /** @throws {OddlinkError} KAFKA_UNREACHABLE, KAFKA_DENIED */
  async fence(): Promise<void> {
    assert.ok(!this.#isClosed && !this.#isBusy, "the producer is closed, or in a transaction");
    assert.ok(this.#end === undefined, `the producer is ${this.#end}: of no use any more`);
    const doing = `taking over as ${this.#transactionalId}`;
    const deadlineMs = this.#clock() + FENCE_MS_MAX;
    for (;;) {
      await this.#giveUp();
      const producer = this.#open();
      try {
        const limitMs = Math.max(0, deadlineMs - this.#clock());
        await requireWithin(limitMs, doing, fenceWith(producer));
        this.#producer = producer;
        return;
      } catch (error) {
        this.#clusters?.seal();
        if (this.#isClosed || !mayHeal(error) || this.#clock() >= deadlineMs)
          throw asKafkaError(error, doing);
        await sleep(FENCE_BACKOFF_MS);
      }
    }
  }

  async transact(records: readonly ProducedRecord[], position?: GroupPosition): Promise<void> {
    assert.ok(!this.#isBusy, "one transaction at a time");
    if (this.#end !== undefined) {
      const message = `the producer of ${this.#transactionalId} is ${this.#end}: of no use any more`;
      throw new TransactionError(this.#end, message);
    }
    assert.ok(this.#producer !== undefined, "fence comes before the first transaction");
    this.#isBusy = true;
    try {
      await this.#transact(this.#producer, records, position);
    } finally {
      this.#isBusy = false;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#giveUp();
  }

  async #giveUp(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    if (producer !== undefined) await endWithin(CLOSE_MS_MAX, producer.disconnect());
    this.#clusters?.seal();
  }

  async #transact(
    producer: Producer,
    records: readonly ProducedRecord[],
    position: GroupPosition | undefined,
  ): Promise<void> {
    // After that the broker gives the transaction up in any case.
    const limitMs = this.#options.transactionTimeoutMs ?? TRANSACTION_TIMEOUT_MS;
    const doing = `a transaction of ${this.#transactionalId}`;
    let transaction: Transaction | undefined;
    try {
      transaction = await producer.transaction();
      await requireWithin(limitMs, doing, this.#write(transaction, records, position));
    } catch (error) {
      throw this.#failure(await this.#abort(transaction, error), "before its commit", error);
    }
    try {
      await requireWithin(limitMs, doing, transaction.commit());
    } catch (error) {
      throw this.#failure(isFenced(error) ? "fenced" : "unknown", "at its commit", error);
    }
  }

  async #write(
    transaction: Transaction,
    records: readonly ProducedRecord[],
    position: GroupPosition | undefined,
  ): Promise<void> {
    for (const send of inSends(records)) await this.#send(transaction, send);
    if (position !== undefined) await this.#sendPosition(transaction, position);
  }

  async #send(transaction: Transaction, records: readonly ProducedRecord[]): Promise<void> {
    this.#places.clear();
    this.#partitions.clear();
    let answers: RecordMetadata[];
    try {
      answers = await transaction.sendBatch({
        acks: -1,
        compression: COMPRESSION_TYPES[this.#options.compression ?? "none"],
        topicMessages: byTopic(records),
      });
    } catch (error) {
      const isWritten = this.#places.size > 1 || !NOT_WRITTEN.has(brokerErrorType(error) ?? "");
      throw isWritten ? new SendUncertain((error as Error).message, { cause: error }) : error;
    }
    const acknowledged = answers.map(({ topicName, partition }) => `${topicName} ${partition}`);
    const places = this.#places;
    if (acknowledged.length !== places.size || !acknowledged.every((place) => places.has(place))) {
      throw new SendIncomplete(`sent to ${[...places].join(", ")}; taken: ${acknowledged.join(", ")}`);
    }
  }

  async #sendPosition(transaction: Transaction, position: GroupPosition): Promise<void> {
    const { group, topic, partition, offset } = position;
    for (;;) {
      try {
        // May be repeated: it says where the group is, not by how much it moved.
        await transaction.sendOffsets({
          consumerGroupId: group,
          topics: [{ topic, partitions: [{ partition, offset: String(offset) }] }],
        });
        return;
      } catch (error) {
        // Bounded by the time that the transaction has, after which it is active no more.
        if (!mayHeal(error) || !transaction.isActive() || this.#end !== undefined) throw error;
        await sleep(BUSY_MS);
      }
    }
  }

  /**
   * Ends a transaction that failed before its commit was sent, if kafkajs and the broker agree on what was written. If not,
   * it is left to the next producer: a record that is still on its way would begin a transaction that nobody ends.
   */
  async #abort(transaction: Transaction | undefined, error: unknown): Promise<TransactionOutcome> {
    if (isFenced(error)) return "fenced";
    const isRefused = brokerErrorType(error) !== undefined && !(error instanceof SendUncertain);
    if (transaction === undefined || !(isRefused || error instanceof SendIncomplete)) return "unknown";
    try {
      await requireWithin(ABORT_MS_MAX, "", transaction.abort());
      return "aborted";
    } catch (abortError) {
      return isFenced(abortError) ? "fenced" : "unknown";
    }
  }

  #failure(outcome: TransactionOutcome, when: string, error: unknown): TransactionError {
    if (outcome !== "aborted") {
      this.#end = outcome;
      // At once, and not in good order: what kafkajs may still try for this producer must not be sent.
      this.#clusters?.seal();
      this.#producer = undefined;
    }
    const id = this.#transactionalId;
    const cause = asKafkaError(error, `a transaction of ${id}`);
    const reason = causesOf(error).at(-1)?.message ?? String(error);
    return new TransactionError(outcome, `a transaction of ${id} failed ${when}, ${outcome}: ${reason}`, {
      cause,
    });
  }

  #open(): Producer {
    const { kafka, clusters } = this.#openKafka();
    this.#clusters = clusters;
    return kafka.producer({
      transactionalId: this.#transactionalId,
      transactionTimeout: this.#options.transactionTimeoutMs ?? TRANSACTION_TIMEOUT_MS,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: () => this.#rememberingPartitioner(kafkajs.Partitioners.DefaultPartitioner()),
    });
  }

  /** A record without a key goes to another partition at each call, and so at each attempt, unless it is remembered. */
  #rememberingPartitioner(choose: ReturnType<ICustomPartitioner>): ReturnType<ICustomPartitioner> {
    return (options) => {
      const partition = this.#partitions.get(options.message) ?? choose(options);
      this.#partitions.set(options.message, partition);
      this.#places.add(`${options.topic} ${partition}`);
      return partition;
    };
  }
}

/** An empty transaction is what makes the broker shut earlier producers out. */
async function fenceWith(producer: Producer): Promise<void> {
  await producer.connect();
  await (await producer.transaction()).abort();
}

/** In order, in parts that a broker takes. */
function* inSends(records: readonly ProducedRecord[]): Generator<ProducedRecord[]> {
  let send: ProducedRecord[] = [];
  let sendBytes = 0;
  for (const record of records) {
    const bytes = bytesOf(record);
    if (send.length > 0 && (sendBytes + bytes > SEND_BYTES_MAX || send.length === SEND_RECORDS_MAX)) {
      yield send;
      send = [];
      sendBytes = 0;
    }
    send.push(record);
    sendBytes += bytes;
  }
  if (send.length > 0) yield send;
}

function bytesOf({ key, value, headers = {} }: ProducedRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES;
  for (const part of [key, value]) if (part !== null) bytes += Buffer.byteLength(part);
  for (const [name, header] of Object.entries(headers)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(header);
  }
  return bytes;
}

function byTopic(records: readonly ProducedRecord[]): { topic: string; messages: Message[] }[] {
  const topics = new Map<string, Message[]>();
  for (const { topic, partition, key, value, headers } of records) {
    const message: Message = { key, value, headers: { ...headers } };
    if (partition !== undefined) message.partition = partition;
    const messages = topics.get(topic);
    if (messages === undefined) topics.set(topic, [message]);
    else messages.push(message);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

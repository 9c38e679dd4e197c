import assert from "node:assert/strict";
import { OddlinkError } from "../../../errors.ts";
import {
  type GroupPosition,
  type ProducedRecord,
  type TransactionalProducer,
  TransactionError,
  type TransactionOutcome,
} from "../client.ts";
import type { KafkaClusters } from "./clusters.ts";
import { type KafkaClientOptions, REQUEST_TIMEOUT_MS, requireWithin } from "./connection.ts";
import { Coordinator } from "./coordinator.ts";
import type { InternalCluster } from "./internals.ts";
import { asKafkaError, brokerErrorType, causesOf, isFenced } from "./kafka-errors.ts";
import { type Batch, type ProducerIdentity, SendFailed, TopicRefused, TransactionalSends } from "./sends.ts";

const TRANSACTION_TIMEOUT_MS = 10_000;
const FENCE_MS_MAX = 30_000;
const ABORT_MS_MAX = 2000;

/** How far a transaction has come that is not ended. */
type Progress = {
  /** Something may have been added to it at the broker, so that it must be ended there. */
  isBegun: boolean;
  /** A request to end it was sent and not answered. */
  isEndUnanswered: boolean;
};

/**
 * Transactions as Kafka's protocol has them, request by request, over connections of kafkajs; see `TransactionalSends` for
 * why not with its producer. That one moreover fences with its first transaction only, looks for the coordinator before
 * each of its requests, and never repeats the request to commit.
 *
 * Round trips: partitions, records, and if there is a position two more, and the commit.
 */
export class KafkajsProducer implements TransactionalProducer {
  readonly #clusters: KafkaClusters;
  readonly #cluster: InternalCluster;
  readonly #transactionalId: string;
  readonly #topics: readonly string[];
  readonly #transactionTimeoutMs: number;
  readonly #coordinator: Coordinator;
  readonly #groups = new Map<string, Coordinator>();
  readonly #sends: TransactionalSends;
  #identity: ProducerIdentity | undefined;
  /** What made this producer useless. */
  #end: TransactionOutcome | undefined;
  #isBusy = false;
  #isClosed = false;

  constructor(
    clusters: KafkaClusters,
    transactionalId: string,
    topics: readonly string[],
    options: KafkaClientOptions,
    clock: () => number,
  ) {
    this.#clusters = clusters;
    this.#cluster = clusters.create();
    this.#transactionalId = transactionalId;
    this.#topics = topics;
    this.#transactionTimeoutMs = options.transactionTimeoutMs ?? TRANSACTION_TIMEOUT_MS;
    this.#coordinator = new Coordinator(this.#cluster, "transaction", transactionalId);
    const requestTimeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
    this.#sends = new TransactionalSends(
      this.#cluster,
      options.compression ?? "none",
      requestTimeoutMs,
      clock,
    );
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws {OddlinkError} KAFKA_UNREACHABLE, KAFKA_DENIED, CONFIG_INVALID; the producer is closed then */
  async fence(): Promise<void> {
    assert.ok(this.#identity === undefined && !this.#isBusy, "a producer fences once, before anything else");
    const doing = `taking over as ${this.#transactionalId}`;
    const request = {
      transactionalId: this.#transactionalId,
      transactionTimeout: this.#transactionTimeoutMs,
    };
    try {
      const initialised = this.#coordinator.ask((broker) => broker.initProducerId(request));
      const { producerId, producerEpoch } = await requireWithin(FENCE_MS_MAX, doing, initialised);
      this.#identity = { producerId, producerEpoch };
      // While others are asked where to go on.
      if (this.#topics.length > 0) void this.#sends.lookUp(this.#topics);
    } catch (error) {
      await this.close();
      throw asKafkaError(error, doing);
    }
  }

  async transact(records: readonly ProducedRecord[], position?: GroupPosition): Promise<void> {
    assert.ok(!this.#isBusy, "one transaction at a time");
    if (this.#end !== undefined) {
      const message = `the producer of ${this.#transactionalId} is ${this.#end}: of no use any more`;
      throw new TransactionError(this.#end, message);
    }
    assert.ok(this.#identity !== undefined, "fence comes before the first transaction");
    if (records.length === 0 && position === undefined) return;
    this.#isBusy = true;
    try {
      await this.#transact(this.#identity, records, position);
    } finally {
      this.#isBusy = false;
    }
  }

  /** What is open is left to the next producer of the id. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#clusters.seal();
  }

  async #transact(
    identity: ProducerIdentity,
    records: readonly ProducedRecord[],
    position: GroupPosition | undefined,
  ): Promise<void> {
    const doing = `a transaction of ${this.#transactionalId}`;
    const progress: Progress = { isBegun: false, isEndUnanswered: false };
    try {
      // After that the broker gives the transaction up in any case.
      const written = this.#write(identity, records, position, progress);
      await requireWithin(this.#transactionTimeoutMs, doing, written);
    } catch (error) {
      // If a topic is gone, the broker refuses all partitions of the transaction and does not say which one it was for.
      this.#sends.distrust();
      throw this.#failure(await this.#abort(identity, progress, error), "before its commit", error);
    }
    try {
      await requireWithin(this.#transactionTimeoutMs, doing, this.#endTransaction(identity, progress, true));
    } catch (error) {
      // Refused as that of a producer that was shut out: unless an earlier request has committed it before.
      const isRefused = isFenced(error) && !progress.isEndUnanswered;
      throw this.#failure(isRefused ? "fenced" : "unknown", "at its commit", error);
    }
  }

  async #write(
    identity: ProducerIdentity,
    records: readonly ProducedRecord[],
    position: GroupPosition | undefined,
    progress: Progress,
  ): Promise<void> {
    const plan = await this.#sends.plan(records);
    if (plan.length > 0) {
      await this.#add(
        (onUnanswered) =>
          this.#coordinator.ask(
            (broker) => broker.addPartitionsToTxn({ ...this.#name(identity), topics: partitionsOf(plan) }),
            onUnanswered,
          ),
        progress,
      );
      await this.#sends.send(plan, this.#transactionalId, identity);
    }
    if (position === undefined) return;
    const { group, topic, partition, offset } = position;
    await this.#add(
      (onUnanswered) =>
        this.#coordinator.ask(
          (broker) => broker.addOffsetsToTxn({ ...this.#name(identity), groupId: group }),
          onUnanswered,
        ),
      progress,
    );
    const topics = [{ topic, partitions: [{ partition, offset: String(offset) }] }];
    // May be repeated: it says where the group is, not by how much it has moved.
    await this.#groupCoordinator(group).ask((broker) =>
      broker.txnOffsetCommit({ ...this.#name(identity), groupId: group, topics }),
    );
  }

  /** Adds something to the transaction; may be repeated too. */
  async #add(add: (onUnanswered: () => void) => Promise<unknown>, progress: Progress): Promise<void> {
    await add(() => {
      progress.isBegun = true;
    });
    progress.isBegun = true;
  }

  async #endTransaction(identity: ProducerIdentity, progress: Progress, isCommit: boolean): Promise<void> {
    // May be repeated: a transaction that is committed already is committed once more with success.
    await this.#coordinator.ask(
      (broker) => broker.endTxn({ ...this.#name(identity), transactionResult: isCommit }),
      () => {
        progress.isEndUnanswered = true;
      },
    );
  }

  /**
   * Ends a transaction that failed before its commit was sent, if it is known what was written. If not, it is left to the
   * next producer of the id: a record that is still on its way would begin a transaction that nobody ends.
   */
  async #abort(identity: ProducerIdentity, progress: Progress, error: unknown): Promise<TransactionOutcome> {
    if (isFenced(error)) return "fenced";
    const isCertain = error instanceof SendFailed ? error.isCertain : brokerErrorType(error) !== undefined;
    // An error of ours is the limit of time, at which a request may be under way.
    if (!progress.isBegun && !(error instanceof OddlinkError)) return "aborted";
    if (!isCertain) return "unknown";
    try {
      await requireWithin(ABORT_MS_MAX, "", this.#endTransaction(identity, progress, false));
      return "aborted";
    } catch (abortError) {
      return isFenced(abortError) ? "fenced" : "unknown";
    }
  }

  #failure(outcome: TransactionOutcome, when: string, error: unknown): TransactionError {
    if (outcome !== "aborted") {
      this.#end = outcome;
      // At once: what may still be tried for this producer must not be sent.
      this.#clusters.seal();
    }
    const id = this.#transactionalId;
    const cause = asKafkaError(error, `a transaction of ${id}`);
    const causes = causesOf(error);
    const refused = causes.find((known) => known instanceof TopicRefused);
    const reason = (refused ?? causes.at(-1))?.message ?? String(error);
    return new TransactionError(outcome, `a transaction of ${id} failed ${when}, ${outcome}: ${reason}`, {
      cause,
    });
  }

  #groupCoordinator(group: string): Coordinator {
    const coordinator = this.#groups.get(group) ?? new Coordinator(this.#cluster, "group", group);
    this.#groups.set(group, coordinator);
    return coordinator;
  }

  #name({ producerId, producerEpoch }: ProducerIdentity) {
    return { transactionalId: this.#transactionalId, producerId, producerEpoch };
  }
}

function partitionsOf(plan: readonly (readonly Batch[])[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>();
  for (const [batch] of plan)
    topics.set(batch!.topic, [...(topics.get(batch!.topic) ?? []), batch!.partition]);
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}

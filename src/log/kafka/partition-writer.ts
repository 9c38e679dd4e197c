import type { Time } from "../../time.ts";
import type { CommitResult } from "../port.ts";
import {
  type GroupPosition,
  type KafkaClient,
  type ProducedRecord,
  type TransactionalProducer,
  TransactionError,
} from "./client.ts";
import type { ConsumerMeter } from "./consumer-meter.ts";

/** Waits between attempts grow from the first to the last of these, milliseconds. */
const RETRY_MS_MIN = 20;
const RETRY_MS_MAX = 2000;
/** "Nothing committed" may be passing while a transaction is completed: it is asked so many times before it is believed. */
const NOTHING_COMMITTED_ASKS = 3;
/** And so is less than was committed, of a coordinator that has just been started again. */
const LESS_COMMITTED_ASKS = 30;

export type PartitionWriterOptions = {
  readonly client: KafkaClient;
  readonly time: Time;
  readonly transactionalId: string;
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  /** Topics that most commits write to. */
  readonly outputs?: readonly string[] | undefined;
  /** Asks the group coordinator whether this process owns the partition. */
  readonly owns: () => Promise<boolean>;
  /** True once the partition is known to be taken, or there is no more time to wait for an outcome. */
  readonly isGivenUp: () => boolean;
  readonly onTrouble: (message: string) => void;
  readonly meter?: ConsumerMeter | undefined;
};

/**
 * Writes for one partition, exactly once: with a transactional id of the partition, so that a new owner shuts the old one
 * out, and by asking what became of a transaction before anything is written again.
 */
export class PartitionWriter {
  readonly #options: PartitionWriterOptions;
  #producer: TransactionalProducer | undefined;
  /** Position of the group as last known; undefined if it has none. */
  #committed: number | undefined;

  constructor(options: PartitionWriterOptions) {
    this.#options = options;
  }

  /**
   * Shuts every earlier owner out. Nothing of theirs can become visible after this.
   *
   * @returns the group's position, or undefined if it never committed one
   */
  async acquire(): Promise<number | undefined> {
    await this.#renewProducer();
    this.#committed = await this.#readCommitted(undefined);
    return this.#committed;
  }

  /** Tries until the outcome is known; the same records each time. */
  async commit(records: readonly ProducedRecord[], offset: number): Promise<CommitResult> {
    const { group, topic, partition, time, isGivenUp, onTrouble, meter } = this.#options;
    const position: GroupPosition = { group, topic, partition, offset };
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      const startedMs = time.monotonicMs();
      const seconds = (): number => (time.monotonicMs() - startedMs) / 1000;
      try {
        await this.#producer!.transact(records, position);
        this.#committed = offset;
        meter?.transaction("committed", seconds());
        return "committed";
      } catch (error) {
        const outcome = error instanceof TransactionError ? error.outcome : "unknown";
        meter?.transaction(outcome, seconds());
        onTrouble(`a commit of partition ${partition} is ${outcome}: ${(error as Error).message}`);
        if (isGivenUp()) return "lost";
        await time.sleep(waitMs);
        if (outcome !== "aborted") {
          const result = await this.#resolve(offset);
          if (result !== "not-committed") return result;
        }
      }
    }
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.close().catch(() => {});
  }

  /** What became of a commit that may have happened or not: nobody can tell before its producer is shut out. */
  async #resolve(offset: number): Promise<CommitResult | "not-committed"> {
    const { time, owns, isGivenUp, onTrouble, partition } = this.#options;
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        // Without asking, a process that slept through a rebalance would shut the rightful owner out.
        if (isGivenUp() || !(await owns())) return "lost";
        await this.#renewProducer();
        const committed = await this.#readCommitted(this.#committed);
        if (committed === offset) {
          this.#committed = offset;
          return "committed";
        }
        if (committed === this.#committed) return "not-committed";
        onTrouble(
          `the group is at ${committed} in partition ${partition}, neither at ${this.#committed} nor at ${offset}: ` +
            "another process has it",
        );
        return "lost";
      } catch (error) {
        onTrouble(
          `what became of a commit of partition ${partition} is not known yet: ${(error as Error).message}`,
        );
        if (isGivenUp()) return "lost";
        await time.sleep(waitMs);
      }
    }
  }

  async #renewProducer(): Promise<void> {
    await this.close();
    const { client, transactionalId, outputs } = this.#options;
    this.#producer = client.producer(transactionalId, outputs);
    await this.#producer.fence();
  }

  /** @param before the position known before: it never goes back */
  async #readCommitted(before: number | undefined): Promise<number | undefined> {
    const { client, group, topic, partition, time } = this.#options;
    for (let ask = 1; ; ask++) {
      const [committed] = await client.committedOffsets(group, topic, [partition]);
      if (committed !== undefined && committed >= (before ?? 0)) return committed;
      if (before === undefined && ask >= NOTHING_COMMITTED_ASKS) return undefined;
      if (before !== undefined && ask >= LESS_COMMITTED_ASKS)
        throw new Error(
          `the group ${group} was at ${before} in partition ${partition} of ${topic} and is at ${committed}`,
        );
      await time.sleep(RETRY_MS_MIN * ask);
    }
  }
}

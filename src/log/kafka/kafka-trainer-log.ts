import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { unlessAborted } from "../../aborting.ts";
import { OddlinkError } from "../../errors.ts";
import type { Time } from "../../time.ts";
import type { Follower, KeyedRecord, KeyedTopic, TrainerLog } from "../port.ts";
import type { KafkaClient } from "./client.ts";
import { KeyedFollower } from "./keyed-follower.ts";
import { OptionalFollower } from "./optional-follower.ts";
import { keyedRecord, type TopicNames } from "./produced-records.ts";

/** Waits between attempts grow from the first to the last of these, milliseconds. */
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 10_000;
/** Key of the record in `epochs` that names the trainer in charge. Readers of epochs pass it over. */
const IN_CHARGE = "trainer";

export type KafkaTrainerLogOptions = {
  readonly client: KafkaClient;
  readonly time: Time;
  readonly group: string;
  readonly topics: Pick<TopicNames, "graphState" | "epochs" | "verdicts">;
  /** Names this trainer; no other process, and no earlier one, has the same. */
  readonly id: string;
  /** How long a stop waits for a transaction that is under way, milliseconds. */
  readonly drainMs: number;
  /** Something went wrong that is being dealt with. */
  readonly onTrouble: (message: string) => void;
};

/** All trainers of a group write under one transactional id, so that each shuts out those before it. */
export function trainerTransactionalId(group: string): string {
  return `${group}-trainer`;
}

/**
 * What a trainer needs of a Kafka cluster.
 *
 * Two things keep epochs apart: each attempt to write begins by shutting out every producer of the trainers' transactional
 * id, which makes final what it had under way, and by reading `epochs` to its end. A record in there names the trainer in
 * charge. So a trainer that wakes up after another one has taken over finds that out before it can write, and whatever
 * became of its last attempt, it knows before the next.
 */
export class KafkaTrainerLog implements TrainerLog {
  readonly isShared = true;
  readonly #options: KafkaTrainerLogOptions;
  readonly #failed = new AbortController();
  #epochs: KeyedFollower | undefined;
  /** True once the topic said that this trainer is in charge: from then on nobody else may be. */
  #hasTakenOver = false;

  constructor(options: KafkaTrainerLogOptions) {
    this.#options = options;
  }

  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  follow(topic: KeyedTopic, onRecord: (record: KeyedRecord) => void): Follower {
    const { client, time, topics, onTrouble } = this.#options;
    const onFailed = (error: Error): void => this.#failed.abort(error);
    if (topic === "verdicts")
      return new OptionalFollower({ client, time, topic: topics.verdicts, onRecord, onTrouble });
    if (topic === "graph-state")
      return new KeyedFollower(client, topics.graphState, undefined, onRecord, onFailed);
    const onEpochRecord = (record: KeyedRecord): void => {
      if (record.key === IN_CHARGE) this.#onInCharge(record);
      else onRecord(record);
    };
    this.#epochs = new KeyedFollower(client, topics.epochs, undefined, onEpochRecord, onFailed);
    return this.#epochs;
  }

  takeOver(signal: AbortSignal): Promise<void> {
    const { id } = this.#options;
    const claim = { key: IN_CHARGE, value: Buffer.from(id) };
    return this.publish(() => (this.#hasTakenOver ? [] : [claim]), signal);
  }

  async publish(next: () => readonly KeyedRecord[], signal: AbortSignal): Promise<void> {
    const { time, onTrouble } = this.#options;
    for (let waitMs = RETRY_MS_MIN; !signal.aborted; waitMs = Math.min(2 * waitMs, RETRY_MS_MAX)) {
      this.#failed.signal.throwIfAborted();
      try {
        await this.#attempt(next, signal);
        return;
      } catch (error) {
        this.#failed.signal.throwIfAborted();
        if (signal.aborted) return;
        const final = [error, (error as Error).cause].find(
          (cause) => cause instanceof OddlinkError && !cause.retriable,
        );
        if (final !== undefined) throw final;
        onTrouble(
          `writing to ${this.#options.topics.epochs} is tried again until it is done: ${(error as Error).message}`,
        );
        await time.sleep(waitMs, signal);
      }
    }
  }

  async close(): Promise<void> {
    await this.#options.client.close();
  }

  async #attempt(next: () => readonly KeyedRecord[], signal: AbortSignal): Promise<void> {
    const { client, time, group, topics, drainMs } = this.#options;
    const producer = client.producer(trainerTransactionalId(group));
    const done = new AbortController();
    // What is under way may come to its end, if that does not take too long.
    const onAbort = (): void => {
      void time.sleep(drainMs, done.signal).then(() => producer.close());
    };
    signal.addEventListener("abort", onAbort);
    try {
      await producer.fence();
      await this.#readToEnd(signal);
      if (signal.aborted) return;
      this.#failed.signal.throwIfAborted();
      const records = next();
      if (records.length === 0) return;
      await producer.transact(records.map((record) => keyedRecord(topics.epochs, 0, record)));
      // Only what is read back is in force: another epoch of the same number may have come first.
      await this.#readToEnd(signal);
    } finally {
      signal.removeEventListener("abort", onAbort);
      done.abort();
      await producer.close().catch(() => {});
    }
  }

  /** Everything that is in `epochs` now, what is not decided yet included; returns early once the signal fires. */
  async #readToEnd(signal: AbortSignal): Promise<void> {
    const { client, topics } = this.#options;
    const epochs = this.#epochs;
    assert(epochs !== undefined, "epochs must be followed before something is written");
    const offsets = await client.topicOffsets(topics.epochs);
    await unlessAborted(
      Promise.all(offsets.map(({ partition, high }) => epochs.reach(partition, high))),
      signal,
    );
  }

  #onInCharge({ value }: KeyedRecord): void {
    const { id, topics } = this.#options;
    if (value !== null && Buffer.from(value).toString() === id) this.#hasTakenOver = true;
    else if (this.#hasTakenOver) {
      this.#failed.abort(
        new OddlinkError(
          "TRAINER_REPLACED",
          `another trainer has taken ${topics.epochs} over, and this one ends: the one that was started last is in charge. Run only one with --follow for a group`,
        ),
      );
    }
  }
}

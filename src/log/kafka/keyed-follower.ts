import { OddlinkError } from "../../errors.ts";
import type { Follower, KeyedRecord } from "../port.ts";
import type { ConsumedRecord, KafkaClient, Tail } from "./client.ts";

/** Follows a compacted topic outside any group, and knows how far each partition was read. */
export class KeyedFollower implements Follower {
  readonly #client: KafkaClient;
  readonly #topic: string;
  readonly #partitions: readonly number[] | undefined;
  readonly #onRecord: (record: KeyedRecord) => void;
  readonly #tail: Tail;
  readonly #positions = new Map<number, number>();
  #waiters: {
    readonly isReached: () => boolean;
    readonly resolve: () => void;
    readonly reject: (e: Error) => void;
  }[] = [];
  #failure: Error | undefined;

  /** @param partitions all if undefined */
  constructor(
    client: KafkaClient,
    topic: string,
    partitions: readonly number[] | undefined,
    onRecord: (record: KeyedRecord) => void,
    onFailed: (error: Error) => void = () => {},
  ) {
    this.#client = client;
    this.#topic = topic;
    this.#partitions = partitions;
    this.#onRecord = onRecord;
    this.#tail = client.tail({
      topic,
      ...(partitions === undefined ? {} : { partitions }),
      onRecords: (partition, records, position) => this.#read(partition, records, position),
      onCrash: (error) => {
        const failure = new OddlinkError("KAFKA_FAILED", `reading ${topic} ended: ${error.message}`, {
          cause: error,
        });
        this.#fail(failure);
        onFailed(failure);
      },
    });
  }

  /**
   * Everything committed by now: to the last stable offset. What a dead process left open is not waited for, its partition's
   * next owner does that: see `reach`.
   */
  async caughtUp(): Promise<void> {
    const offsets = (await this.#client.topicOffsets(this.#topic)).filter(
      ({ partition }) => this.#partitions?.includes(partition) ?? true,
    );
    await this.#until(() => offsets.every(({ partition, stable }) => this.#position(partition) >= stable));
  }

  /** Resolves once a partition was read up to an offset, markers and aborted records included. */
  reach(partition: number, offset: number): Promise<void> {
    return this.#until(() => this.#position(partition) >= offset);
  }

  async close(): Promise<void> {
    this.#fail(new OddlinkError("KAFKA_FAILED", `${this.#topic} is not followed any more`));
    await this.#tail.close();
  }

  #position(partition: number): number {
    return this.#positions.get(partition) ?? 0;
  }

  #read(partition: number, records: readonly ConsumedRecord[], position: number): void {
    if (this.#failure !== undefined) return;
    for (const { key, value, timestampMs } of records) {
      if (key !== null) this.#onRecord({ key: key.toString(), value, writtenAtMs: timestampMs });
    }
    this.#positions.set(partition, position);
    this.#waiters = this.#waiters.filter((waiter) => {
      if (!waiter.isReached()) return true;
      waiter.resolve();
      return false;
    });
  }

  #until(isReached: () => boolean): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (isReached()) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ isReached, resolve, reject }));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiters) reject(this.#failure);
    this.#waiters = [];
  }
}

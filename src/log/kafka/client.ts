import type { Buffer } from "node:buffer";

/**
 * What the Kafka log needs of a Kafka client, and no more: a consumer group, transactions, a reader of whole topics.
 *
 * Two keep these promises: the real one on kafkajs, and the simulated cluster. One contract test runs on both.
 */
export type KafkaClient = {
  /** Joins a consumer group and reads one topic in it. Resolves once asked to join; assignments follow as calls. */
  join(options: JoinOptions): Promise<Membership>;
  /**
   * A producer of transactions. Nothing is sent before `fence`.
   *
   * @param topics to be looked up once it has fenced, so that its first transaction need not wait for that
   */
  producer(transactionalId: string, topics?: readonly string[]): TransactionalProducer;
  /** Reads whole topics outside any group, read-committed, from the beginning or a given place, and goes on as they grow. */
  tail(options: TailOptions): Tail;
  /** Committed offset of each partition, the next one to be read; undefined where the group has committed none. */
  committedOffsets(
    group: string,
    topic: string,
    partitions: readonly number[],
  ): Promise<(number | undefined)[]>;
  /** Log start and high watermark (not the last stable offset) of every partition, in order. */
  topicOffsets(topic: string): Promise<PartitionOffsets[]>;
  /** Closes everything that was opened through this client. */
  close(): Promise<void>;
};

export type KafkaHeaders = Readonly<Record<string, string | Buffer>>;

/** A record as it was consumed. */
export type ConsumedRecord = {
  readonly offset: number;
  /** Milliseconds since the epoch, as the broker has it. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: KafkaHeaders;
};

export type ProducedRecord = {
  readonly topic: string;
  /** Undefined lets the key decide. */
  readonly partition?: number;
  readonly key: string | Buffer | null;
  readonly value: Buffer | string | null;
  readonly headers?: KafkaHeaders;
};

export type PartitionOffsets = {
  readonly partition: number;
  /** Offset of the first record that is still there. */
  readonly low: number;
  /** Offset of the next record to be written, those of open transactions counted: the high watermark. */
  readonly high: number;
  /** The last stable offset: where the first open transaction begins, else `high`. Read-committed readers get no further. */
  readonly stable: number;
};

export type JoinOptions = {
  readonly group: string;
  readonly topic: string;
  /** The whole assignment after each rebalance, partitions kept included. Reading goes on where the group committed. */
  readonly onAssigned: (partitions: readonly number[]) => void;
  /**
   * The group is about to give partitions out anew: what is held may be taken. Until the promise resolves the member does not
   * join again, and so nobody else gets what it has; but `handOverMsMax` at most, for meanwhile it is silent.
   */
  readonly onRebalancing: () => Promise<void>;
  /**
   * Records of one partition in order of offset. After a rebalance some may come a second time. Returns at once: who can
   * take no more pauses the partition.
   */
  readonly onRecords: (partition: number, records: readonly ConsumedRecord[]) => void;
  /**
   * How far a partition was read, what is no record counted (markers of transactions, what was aborted), and its high watermark by then. Comes
   * after the records, and where there was nothing but what is no record.
   */
  readonly onPosition?: (partition: number, position: number, highWatermark: number) => void;
  /** The membership has ended for good; nothing will be read any more. */
  readonly onCrash: (error: Error) => void;
};

/** Longest time for which others wait at a rebalance for what a member has under way. */
const HAND_OVER_MS_MAX = 2000;
/** A member is silent while it finishes what it has under way, and that must not be for as long as a session lasts. */
const HAND_OVER_SESSION_SHARE = 1 / 3;

/** How long a member waits for `onRebalancing` before it joins again, milliseconds. */
export function handOverMsMax(sessionTimeoutMs: number): number {
  return Math.min(HAND_OVER_MS_MAX, sessionTimeoutMs * HAND_OVER_SESSION_SHARE);
}

export type Membership = {
  /** Stops reading a partition; up to one fetch of it may still arrive. Kept across rebalances until `resume`. */
  pause(partition: number): void;
  resume(partition: number): void;
  /** Reads a partition from this offset on; what was fetched before does not arrive any more. */
  seek(partition: number, offset: number): void;
  /** Asks the group coordinator whether this member owns the partition now. */
  owns(partition: number): Promise<boolean>;
  /** Leaves the group, so that others need not wait for the session to end. */
  leave(): Promise<void>;
};

/** Where the transaction of one batch puts the group. */
export type GroupPosition = {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  /** The next offset to be read. */
  readonly offset: number;
};

export type TransactionalProducer = {
  /**
   * Shuts every earlier producer of the same id out and aborts what it left open. Writes nothing.
   *
   * To be called, and awaited, before offsets or state are read: connecting alone fences nobody.
   */
  fence(): Promise<void>;
  /**
   * Writes records and the group's position in one transaction. One at a time.
   *
   * @throws {TransactionError} saying what is known of the outcome
   */
  transact(records: readonly ProducedRecord[], position?: GroupPosition): Promise<void>;
  close(): Promise<void>;
};

/**
 * What is known of a transaction that did not go well:
 *
 * - `aborted`: nothing of it will ever be seen; the same records may be sent again through the same producer.
 * - `fenced`: another producer has the id now, or the broker gave this one up. It was not committed by this producer, but
 *   the producer is of no use any more.
 * - `unknown`: no answer to the commit. It may or may not be committed, now or later, until a new producer of the same id
 *   has fenced this one.
 */
export type TransactionOutcome = "aborted" | "fenced" | "unknown";

export class TransactionError extends Error {
  override readonly name = "TransactionError";
  readonly outcome: TransactionOutcome;

  constructor(outcome: TransactionOutcome, message: string, options?: ErrorOptions) {
    super(message, options);
    this.outcome = outcome;
  }
}

export type TailOptions = {
  readonly topic: string;
  /** Partitions to read; all if not given. */
  readonly partitions?: readonly number[];
  /** Offset to begin with in each partition; the beginning if not given. */
  readonly startAt?: (partition: number) => number;
  /**
   * Committed records of one partition in order of offset, deletions (null values) included, and how far the reader is:
   * everything committed below `position` has been handed over. May come with no records, when markers or aborted
   * records were passed.
   */
  readonly onRecords: (partition: number, records: readonly ConsumedRecord[], position: number) => void;
  /** Reading failed in a way that trying again did not heal; the tail has ended. */
  readonly onCrash: (error: Error) => void;
};

export type Tail = {
  close(): Promise<void>;
};

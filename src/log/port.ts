import type { Buffer } from "node:buffer";

/** One input partition: of a Kafka topic, or one file, or standard input. */
export type InputPartition = {
  readonly partition: number;
  /** Topic, or the name of the file. */
  readonly topic: string;
};

/** Consecutive records of one input partition, as byte ranges of shared buffers. */
export type RecordBatch = {
  readonly length: number;
  /** True if all records are known to be UTF-8, so that none must be checked by itself. */
  readonly isUtf8: boolean;
  /** Offset of record `i` in its partition. */
  offsetOf(i: number): number;
  bufferOf(i: number): Buffer;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Where reading continues once record `i` is committed; opaque to all but the log. */
  positionAfter(i: number): Position;
  /** Length of a record in bytes before it was cut to the maximum, or 0 if it was not. */
  cutFrom(i: number): number;
};

export type Position = { readonly offset: number; readonly bytes: number };

/** A keyed record of a compacted topic; a null value deletes the key. */
export type KeyedRecord = { readonly key: string; readonly value: Uint8Array | null };

export type KeyedTopic = "graph-state" | "epochs";

export type AlertRecord = {
  readonly uid: string;
  readonly incidentUid: string;
  readonly timeMs: number;
  readonly signal: string;
  readonly score: number;
  readonly partition: number;
  readonly offset: number;
  /** The OCSF finding as one line of JSON. */
  readonly finding: string;
};

export type DeadLetter = {
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
  readonly detail: string;
  readonly bytes: Uint8Array;
};

/** What becomes visible together, or not at all. */
export type Commit = {
  readonly partition: number;
  readonly position: Position;
  readonly alerts: readonly AlertRecord[];
  /** Lines of JSON, in input order. */
  readonly scoredLogins: readonly string[];
  readonly deadLetters: readonly DeadLetter[];
  /** Read once, in order, while the commit is written. */
  readonly graphState: Iterable<KeyedRecord>;
  readonly epochs: readonly KeyedRecord[];
  /** Totals since the beginning of the state, as JSON; replaces the ones before. */
  readonly totals: string;
};

export type ReadProgress = {
  readonly bytesRead: number;
  /** Undefined where the end is not known, as for standard input. */
  readonly bytesTotal: number | undefined;
};

/**
 * What the engine needs of a log, whichever it is: Kafka, the embedded store, or the simulator.
 *
 * One process reads a partition at a time; a commit is atomic over everything in it.
 */
export type Log = {
  /** The partitions given to this process, in the order in which they are to be read. */
  partitions(): readonly InputPartition[];
  /** Batches of a partition from its committed position on, until its end or until the reader stops. */
  read(partition: number): AsyncIterable<RecordBatch>;
  commit(commit: Commit): Promise<void>;
  /** Every live key of a topic in the order in which the keys were last written. */
  restore(topic: KeyedTopic): AsyncIterable<{ readonly key: string; readonly value: Uint8Array }>;
  /** The totals of the last commit, or undefined before the first. */
  totals(): string | undefined;
  progress(): ReadProgress;
  close(): Promise<void>;
};

import type { Buffer } from "node:buffer";

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
  /** True for a last record that is perhaps not written to its end yet: if it can't be read, it is left for later. */
  mayGrow(i: number): boolean;
  /** Length in bytes of a record that is longer than the maximum, and was cut to it where that was possible; else 0. */
  cutFrom(i: number): number;
  /** When the log got a record, milliseconds since the epoch; undefined where it does not say. */
  timestampMsOf(i: number): number | undefined;
  /** Id of a record that a canary sent, which is no login of anybody's; undefined of any other. */
  canaryOf(i: number): string | undefined;
  /** What else the log knows of a record. */
  metadataOf(i: number): RecordMetadata;
};

/** The distributed trace that a record belongs to, as the headers `traceparent` and `tracestate` of W3C Trace Context say it. */
export type TraceContext = { readonly traceparent: string; readonly tracestate?: string };

export type RecordMetadata = {
  readonly key: Buffer | null;
  /** When the log got the record, milliseconds since the epoch; undefined where it does not say. */
  readonly timestampMs: number | undefined;
  /** The dead letter that was sent again as this record, partition/offset; undefined if it is none. */
  readonly replayedFrom?: string | undefined;
  readonly trace?: TraceContext | undefined;
};

export type Position = { readonly offset: number; readonly bytes: number };

/** A keyed record of a compacted topic; a null value deletes the key. */
export type KeyedRecord = {
  readonly key: string;
  readonly value: Uint8Array | null;
  /** When it was written, milliseconds since the epoch; undefined where the log does not say. */
  readonly writtenAtMs?: number | undefined;
};

/** A partition of the input that was given to this process: of a Kafka topic, or one file, or standard input. */
export type Assignment = {
  readonly partition: number;
  /** Topic, or the name of the file. */
  readonly topic: string;
  /** What was committed: nobody else reads or writes from here on until the partition is taken. */
  readonly position: Position;
  /** True if nothing of the partition was ever committed. */
  readonly isNew: boolean;
  /** Batches from the position on, until the input ends, the partition is taken, or the process is stopped. */
  readonly batches: AsyncIterable<RecordBatch>;
  /** To be called when the engine is done with the partition, its last commit included. */
  release(): void;
};

export type KeyedTopic = "graph-state" | "epochs" | "verdicts";

export type AlertRecord = {
  readonly uid: string;
  readonly incidentUid: string;
  readonly timeMs: number;
  readonly signal: string;
  /** As OCSF calls it; undefined of what is no alert. */
  readonly severity?: string | undefined;
  readonly score: number;
  readonly partition: number;
  readonly offset: number;
  /** The OCSF finding as one line of JSON. */
  readonly finding: string;
  /** Id of the rule by which nobody is to be told of it. */
  readonly suppressedBy?: string;
  /** True of what is no alert, but says that an incident is closed. */
  readonly isClosing?: true;
  /** Id of the canary's record that it is about: a test, of which nobody is to be told. */
  readonly canary?: string;
  /** That of the login. */
  readonly trace?: TraceContext | undefined;
};

export type DeadLetter = {
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
  readonly detail: string;
  readonly bytes: Uint8Array;
  readonly metadata: RecordMetadata;
};

export type ScoredRecord = {
  readonly offset: number;
  readonly user: string;
  /** The scored login as one line of JSON. */
  readonly line: string;
  readonly trace?: TraceContext | undefined;
};

/** What a record is written as, for those who read it. */
export type RecordEncoding = {
  readonly contentType: string;
  /** @param text one line of JSON: an OCSF finding, a scored login */
  readonly encode: (text: string) => Uint8Array | string;
};

/** How alerts and scored logins are written. */
export type OutputEncodings = {
  /** `eventType`: what kind of event it is, as CloudEvents has it. */
  readonly alert: RecordEncoding & { readonly eventType: string };
  readonly scoredLogin: RecordEncoding;
};

const AS_JSON: RecordEncoding = { contentType: "application/json", encode: (text) => text };

/** OCSF findings and scored logins in JSON, as they come. */
export const JSON_ENCODINGS: OutputEncodings = {
  alert: { ...AS_JSON, eventType: "oddlink.detection-finding" },
  scoredLogin: AS_JSON,
};

/** What becomes visible together, or not at all. */
export type Commit = {
  readonly partition: number;
  /** Where reading continues. */
  readonly position: Position;
  readonly alerts: readonly AlertRecord[];
  /** What an epoch in the shadow would have raised; none if left out. */
  readonly alertsShadow?: readonly AlertRecord[];
  /** In input order. */
  readonly scoredLogins: readonly ScoredRecord[];
  readonly deadLetters: readonly DeadLetter[];
  /** Risk of accounts and hosts, by `user/NAME` and `host/NAME`; replaces what was there. None if left out. */
  readonly entityRisks?: readonly KeyedRecord[];
  /** Read once, in order, while the commit is written. */
  readonly graphState: Iterable<KeyedRecord>;
  readonly epochs: readonly KeyedRecord[];
  /** Totals since the beginning of the state, as JSON; replaces the ones before. */
  readonly totals: string;
};

/**
 * What became of a commit. `lost`: the partition is no longer this process's; whoever has it now decides what became of the
 * commit, and the graph has to be built anew from the log.
 */
export type CommitResult = "committed" | "lost";

export type ReadProgress = {
  readonly bytesRead: number;
  /** Undefined where the end is not known, as for standard input. */
  readonly bytesTotal: number | undefined;
};

export type Follower = {
  /**
   * Resolves once everything that readers could see at the time of the call was handed over. What was committed just before
   * may come a moment later.
   */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
};

/**
 * What the engine needs of a log, whichever it is: Kafka, real or simulated, or the embedded store.
 *
 * A commit is atomic over everything in it. At most one of a partition is under way.
 */
export type Log = {
  /** True if the input has no end: the engine then waits for more, and no share of bad records stops it. */
  readonly isEndless: boolean;
  /** True if other processes may have other partitions of the same input. */
  readonly isShared: boolean;
  /** Longest time for which results wait for their commit while records keep coming, milliseconds; may change. */
  readonly commitIntervalMs: number;
  /**
   * Hands over every live key of a topic, in the order in which the keys of each partition were last written, and then
   * what is written from now on, deletions included.
   */
  follow(topic: KeyedTopic, onRecord: (record: KeyedRecord) => void): Follower;
  /**
   * Writes a record that comes from a person and not from the input, outside any commit. It is handed to whoever follows, here too; perhaps a moment
   * after this resolves.
   *
   * @throws {OddlinkError} KAFKA_TOPIC_MISSING, KAFKA_DENIED, KAFKA_FAILED, or what the store ends with
   */
  append(topic: "verdicts", record: KeyedRecord): Promise<void>;
  /** The newest value of every live key of one partition of a topic, as far as readers can see by now. */
  readBack(topic: KeyedTopic, partition: number): Promise<ReadonlyMap<string, Uint8Array>>;
  /** Partitions as they are given to this process; ends when no more will be, or the signal stops it. */
  assignments(signal: AbortSignal): AsyncIterable<Assignment>;
  /** Tries until the outcome is known. */
  commit(commit: Commit): Promise<CommitResult>;
  /** The totals of the last commit, or undefined before the first or where none are kept. */
  totals(): string | undefined;
  progress(): ReadProgress;
  close(): Promise<void>;
};

/**
 * What a trainer of its own needs of a log: it reads no input, and writes nothing but epochs.
 *
 * Of the trainers of a group one is in charge: the one that took over last.
 */
export type TrainerLog = Pick<Log, "isShared" | "follow" | "close"> & {
  /**
   * Takes over from every trainer before. To be called once `epochs` is followed.
   *
   * @throws {OddlinkError} TRAINER_REPLACED if yet another one has taken over meanwhile
   */
  takeOver(signal: AbortSignal): Promise<void>;
  /**
   * Writes epochs, all of what is given or nothing, and tries until that is done or the signal fires.
   *
   * @param next what is to be written, asked before each attempt, when all that was written before it was handed over: the
   *   attempts that went before included, for their outcome need not be known otherwise. None: there is nothing to do any more
   * @throws {OddlinkError} TRAINER_REPLACED if another trainer has taken over from this one
   */
  publish(next: () => readonly KeyedRecord[], signal: AbortSignal): Promise<void>;
  /** Fires with its reason when this trainer is of no use any more: it was replaced, or can't follow a topic. */
  readonly failed: AbortSignal;
};

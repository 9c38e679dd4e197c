import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import type { ConsumedRecord, KafkaHeaders } from "../kafka/client.ts";
import type { TransactionParticipant } from "./transaction-coordinator.ts";

/** Somebody forgot to end a simulation. */
const ENTRIES_MAX = 5_000_000;

/** A record on its way to the log. */
export type NewRecord = {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: KafkaHeaders;
};

/** The part of one transaction that lies in one partition. */
type PartitionTransaction = { readonly firstOffset: number; state: "open" | "committed" | "aborted" };

type Entry = {
  readonly offset: number;
  /** Undefined for the marker that ends a transaction. */
  readonly record: ConsumedRecord | undefined;
  readonly transaction: PartitionTransaction | undefined;
  /** When a compaction first met this tombstone or marker, in milliseconds since the epoch. */
  metMs: number | undefined;
};

/** What a fetch brings: committed records, and the offset below which there are no others. */
export type Fetched = { readonly records: readonly ConsumedRecord[]; readonly position: number };

/**
 * The log of one partition, as its leader keeps it, with one replica: the high watermark is the end of the log.
 *
 *   offset   0   1   2   3   4   5   6   7        transaction of A: 1, 3, marker 5; of B: 4, still open
 *   entry    r   a   r   a   b   A*  r   b        last stable offset 4, high watermark 8
 */
export class LogPartition implements TransactionParticipant {
  readonly topic: string;
  readonly partition: number;
  /** "topic/partition", for the trace. */
  readonly name: string;
  readonly isCompacted: boolean;
  /** Offset of the first record that is still there. */
  low = 0;
  /** Offset of the next record to be written. */
  high = 0;
  #entries: Entry[] = [];
  /** By producer id, in the order of their first offsets, so that the first one holds the last stable offset. */
  readonly #open = new Map<number, PartitionTransaction>();
  readonly #epochs = new Map<number, number>();
  /** Fetches that found nothing. */
  #waiters: (() => void)[] = [];

  constructor(topic: string, partition: number, isCompacted: boolean) {
    this.topic = topic;
    this.partition = partition;
    this.name = `${topic}/${partition}`;
    this.isCompacted = isCompacted;
  }

  /** Everything below it is decided; committed readers get no further. */
  get lastStableOffset(): number {
    for (const transaction of this.#open.values()) return transaction.firstOffset;
    return this.high;
  }

  /** Entries that are there, markers and aborted records included. */
  get length(): number {
    return this.#entries.length;
  }

  /** Appends records outside any transaction. */
  append(records: readonly NewRecord[], nowMs: number): void {
    for (const record of records) this.#push(record, undefined, nowMs);
    this.#wake();
  }

  /** Appends records of an open transaction, or says that their producer is of the past. */
  appendTransactional(
    records: readonly NewRecord[],
    producerId: number,
    epoch: number,
    nowMs: number,
  ): "ok" | "fenced" {
    if (epoch < (this.#epochs.get(producerId) ?? 0)) return "fenced";
    this.#epochs.set(producerId, epoch);
    let transaction = this.#open.get(producerId);
    if (transaction === undefined) {
      transaction = { firstOffset: this.high, state: "open" };
      this.#open.set(producerId, transaction);
    }
    for (const record of records) this.#push(record, transaction, nowMs);
    return "ok";
  }

  endTransaction(producerId: number, epoch: number, isCommitted: boolean, nowMs: number): void {
    this.#epochs.set(producerId, epoch);
    const transaction = this.#open.get(producerId);
    this.#open.delete(producerId);
    if (transaction !== undefined) transaction.state = isCommitted ? "committed" : "aborted";
    this.#push(undefined, transaction, nowMs);
    this.#wake();
  }

  /** Committed records from `position` on; looks at `countMax` entries at most. */
  read(position: number, countMax: number): Fetched {
    const stable = this.lastStableOffset;
    const entries = this.#entries;
    const records: ConsumedRecord[] = [];
    let i = this.#indexOf(position);
    for (const end = i + countMax; i < entries.length; i++) {
      const { offset, record, transaction } = entries[i]!;
      if (offset >= stable) break;
      if (i === end) return { records, position: entries[i - 1]!.offset + 1 };
      if (record !== undefined && transaction?.state !== "aborted") records.push(record);
    }
    return { records, position: Math.max(position, stable) };
  }

  /** Calls `wake` once when a committed reader can get further. */
  wait(wake: () => void): void {
    this.#waiters.push(wake);
  }

  /**
   * Keeps of every key the newest committed record below `boundOffset`. Tombstones and markers go only when they were
   * met long enough ago; offsets stay what they are.
   */
  compact(boundOffset: number, nowMs: number, retentionMs: number): void {
    assert(this.isCompacted, `${this.name} is not a compacted topic`);
    assert(boundOffset <= this.lastStableOffset, "compaction stops at the last stable offset");
    const newest = new Map<string, number>();
    for (const { offset, record, transaction } of this.#entries) {
      if (offset >= boundOffset) break;
      if (record !== undefined && transaction?.state !== "aborted") newest.set(keyOf(record), offset);
    }
    this.#entries = this.#entries.filter((entry) => {
      const { offset, record, transaction } = entry;
      if (offset >= boundOffset) return true;
      if (record !== undefined && transaction?.state === "aborted") return false;
      if (record !== undefined && newest.get(keyOf(record)) !== offset) return false;
      if (record !== undefined && record.value !== null) return true;
      entry.metMs ??= nowMs;
      return nowMs - entry.metMs < retentionMs;
    });
  }

  /** Deletes the records below an offset, as retention does. */
  trim(lowOffset: number): void {
    assert(lowOffset >= this.low && lowOffset <= this.lastStableOffset, `cannot trim to ${lowOffset}`);
    this.#entries = this.#entries.slice(this.#indexOf(lowOffset));
    this.low = lowOffset;
  }

  #push(record: NewRecord | undefined, transaction: PartitionTransaction | undefined, nowMs: number): void {
    assert(this.#entries.length < ENTRIES_MAX, `${this.name} has more than ${ENTRIES_MAX} entries`);
    const offset = this.high++;
    const consumed = record === undefined ? undefined : { offset, timestampMs: Math.floor(nowMs), ...record };
    this.#entries.push({ offset, record: consumed, transaction, metMs: undefined });
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /** Index of the first entry at or above an offset. */
  #indexOf(offset: number): number {
    const entries = this.#entries;
    let from = 0;
    let to = entries.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (entries[middle]!.offset < offset) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

function keyOf(record: ConsumedRecord): string {
  assert(record.key !== null, "a record of a compacted topic has a key");
  return record.key.toString("latin1");
}

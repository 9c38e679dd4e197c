import type { Buffer } from "node:buffer";
import { OddlinkError } from "../../../errors.ts";
import { Decoder, type ProtocolDecoder } from "./internals.ts";
import { decodeRecordBatch, type LoggedRecord, type RecordBatch } from "./record-batch.ts";

type AbortedTransaction = { readonly producerId: bigint; readonly firstOffset: number };

/** Version 0, type 0; a commit marker has type 1. */
const ABORT_MARKER_KEY = "00000000";

/**
 * Decodes a fetch response of version 11 in place of kafkajs, which gets three things wrong, and makes a dozen objects a record:
 *
 * - It takes the list of aborted transactions to be sorted by first offset and drops one entry a record. Brokers send it in
 *   the order of the abort markers, so that of two transactions that overlap, aborted records were handed over.
 * - It takes a data record with the key 00000000 for an abort marker.
 * - A batch whose last records were compacted away ends early for it, and one that is empty does not count at all: a
 *   reader asks for the same batch again, in the second case for ever if nothing follows.
 *
 * Here aborted records are marked like control records, which kafkajs never hands over, and where a batch lost its last
 * records a marker stands for its end, so that readers move past it.
 *
 * @throws {OddlinkError} SOURCE_UNREADABLE for a batch that can't be decompressed or decoded; trying again won't help
 */
export async function decodeFetchResponse(bytes: Buffer): Promise<unknown> {
  const decoder = new Decoder(bytes);
  const clientSideThrottleTime = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const sessionId = decoder.readInt32();
  const responses = [];
  for (let topics = decoder.readInt32(); topics > 0; topics--) {
    const topicName = decoder.readString();
    const partitions = [];
    for (let count = decoder.readInt32(); count > 0; count--) {
      partitions.push(await decodePartition(decoder, topicName));
    }
    responses.push({ topicName, partitions });
  }
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
}

async function decodePartition(decoder: ProtocolDecoder, topic: string) {
  const partition = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const highWatermark = decoder.readInt64().toString();
  const lastStableOffset = decoder.readInt64().toString();
  const lastStartOffset = decoder.readInt64().toString();
  const aborted = decoder.readArray((entry) => ({
    producerId: entry.readInt64(),
    firstOffset: Number(entry.readInt64()),
  }));
  const preferredReadReplica = decoder.readInt32();
  const recordsBytes = decoder.readInt32();
  const records = recordsBytes > 0 ? decoder.readBytes(recordsBytes) : undefined;
  const messages =
    records === undefined ? [] : await decodeRecords(records, aborted, `${topic}, partition ${partition}`);
  return {
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    lastStartOffset,
    preferredReadReplica,
    messages,
    // Nothing is left to filter.
    abortedTransactions: [],
  };
}

async function decodeRecords(
  bytes: Buffer,
  abortedTransactions: readonly AbortedTransaction[],
  place: string,
): Promise<LoggedRecord[]> {
  const aborted = new AbortedTransactions(abortedTransactions);
  const messages: LoggedRecord[] = [];
  for (let start = 0; start < bytes.length; ) {
    let batch: RecordBatch | undefined;
    try {
      batch = await decodeRecordBatch(bytes, start);
    } catch (error) {
      throw unreadable(place, bytes, start, (error as Error).message);
    }
    // The broker cuts a response at its size, in the middle of a batch if need be.
    if (batch === undefined) break;
    start = batch.end;
    const isAborted = aborted.includes(batch);
    for (const record of batch.records) {
      if (isAborted) record.isControlRecord = true;
      messages.push(record);
    }
    if (batch.records.at(-1)?.offset !== batch.lastOffset) messages.push(endOfBatch(batch));
  }
  return messages;
}

/** Which producers' transactions are aborted at the place in the log that was reached. */
class AbortedTransactions {
  /** By first offset, the next one last. */
  readonly #upcoming: AbortedTransaction[];
  readonly #current = new Set<bigint>();

  constructor(transactions: readonly AbortedTransaction[]) {
    this.#upcoming = transactions.toSorted((a, b) => (a.firstOffset > b.firstOffset ? -1 : 1));
  }

  /** Whether this batch, the next one in the log, belongs to a transaction that was aborted. */
  includes(batch: RecordBatch): boolean {
    while (this.#upcoming.length > 0 && this.#upcoming.at(-1)!.firstOffset <= batch.lastOffset) {
      this.#current.add(this.#upcoming.pop()!.producerId);
    }
    if (batch.isControl) {
      if (batch.records[0]?.key?.toString("hex") === ABORT_MARKER_KEY) this.#current.delete(batch.producerId);
      return false;
    }
    return batch.inTransaction && this.#current.has(batch.producerId);
  }
}

function endOfBatch({ lastOffset, lastTimeMs }: RecordBatch): LoggedRecord {
  return {
    offset: lastOffset,
    timestampMs: lastTimeMs,
    key: null,
    value: null,
    headers: {},
    isControlRecord: true,
  };
}

/** Without a cause: kafkajs would keep only that when it wraps the error. */
function unreadable(place: string, bytes: Buffer, start: number, reason: string): OddlinkError {
  const offset = bytes.readBigInt64BE(start);
  return new OddlinkError(
    "SOURCE_UNREADABLE",
    `${place}: the batch at offset ${offset} can't be read: ${reason}`,
  );
}

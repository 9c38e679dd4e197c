import type { Buffer } from "node:buffer";
import type { ConsumedRecord, KafkaHeaders } from "../client.ts";
import { type CodecName, createCodecs } from "./codecs.ts";

/**
 * Records as they are in the log, and in answers to a fetch, in their format 2:
 *
 *   first offset:i64 | length:i32 | leader epoch:i32 | magic:i8 | checksum:u32 | attributes:i16 | last delta:i32 |
 *   first time:i64 | last time:i64 | producer:i64 | producer epoch:i16 | first sequence:i32 | count:i32 | record*
 *
 * The records are compressed together. One record, its numbers in zigzag form, seven bits a byte, the lowest first:
 *
 *   length | attributes:i8 | time delta | offset delta | key length | key | value length | value |
 *   headers | (name length | name | value length | value)*
 */
const LENGTH_AT = 8;
const MAGIC_AT = 16;
const ATTRIBUTES_AT = 21;
const LAST_DELTA_AT = 23;
const FIRST_TIME_AT = 27;
const LAST_TIME_AT = 35;
const PRODUCER_AT = 43;
const COUNT_AT = 57;
const RECORDS_AT = 61;
/** What comes before that which `length` counts. */
const PREFIX_BYTES = 12;
const MAGIC = 2;

const CODEC_MASK = 0x07;
const APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const CODECS: readonly (CodecName | undefined)[] = [undefined, "gzip", "snappy", "lz4", "zstd"];
const codecs = createCodecs();

/** Headers of one record that are kept. Those that mean something to oddlink are a dozen; who writes the record may add any number. */
export const HEADERS_MAX = 1000;
const NO_HEADERS: KafkaHeaders = Object.freeze({});

/** A record, and whether nobody is to see it: kafkajs goes by that name. */
export type LoggedRecord = ConsumedRecord & { isControlRecord: boolean };

export type RecordBatch = {
  readonly firstOffset: number;
  /** That of a record which may have been compacted away. */
  readonly lastOffset: number;
  readonly lastTimeMs: number;
  readonly producerId: bigint;
  readonly inTransaction: boolean;
  /** Holds the marker of a transaction's end and nothing else. */
  readonly isControl: boolean;
  readonly records: LoggedRecord[];
  /** Where the next batch begins. */
  readonly end: number;
};

/**
 * Decodes the batch at `start`. Keys and values are ranges of the bytes, or of what they decompress to.
 *
 * @returns undefined if the bytes end before the batch does
 * @throws {Error} if it is no batch of this format, or can't be decompressed
 */
export async function decodeRecordBatch(bytes: Buffer, start: number): Promise<RecordBatch | undefined> {
  if (start + RECORDS_AT > bytes.length) return undefined;
  const magic = bytes[start + MAGIC_AT];
  if (magic !== MAGIC) throw new Error(`record format ${magic}`);
  const end = start + PREFIX_BYTES + bytes.readInt32BE(start + LENGTH_AT);
  if (end < start + RECORDS_AT) throw new Error("the batch is shorter than its header");
  if (end > bytes.length) return undefined;
  const attributes = bytes.readInt16BE(start + ATTRIBUTES_AT);
  const firstOffset = Number(bytes.readBigInt64BE(start));
  const lastTimeMs = Number(bytes.readBigInt64BE(start + LAST_TIME_AT));
  const codec = CODECS[attributes & CODEC_MASK];
  if (codec === undefined && (attributes & CODEC_MASK) !== 0) throw new Error("an unknown compression");
  const body = bytes.subarray(start + RECORDS_AT, end);
  const count = bytes.readInt32BE(start + COUNT_AT);
  const isControl = (attributes & CONTROL) !== 0;
  const reader = new RecordReader(
    codec === undefined || count <= 0 ? body : await codecs[codec].decompress(body),
    {
      firstOffset,
      firstTimeMs: Number(bytes.readBigInt64BE(start + FIRST_TIME_AT)),
      appendTimeMs: (attributes & APPEND_TIME) === 0 ? undefined : lastTimeMs,
      isControl,
    },
  );
  const records: LoggedRecord[] = [];
  for (let i = 0; i < count; i++) records.push(reader.next());
  return {
    firstOffset,
    lastOffset: firstOffset + bytes.readInt32BE(start + LAST_DELTA_AT),
    lastTimeMs,
    producerId: bytes.readBigInt64BE(start + PRODUCER_AT),
    inTransaction: (attributes & TRANSACTIONAL) !== 0,
    isControl,
    records,
    end,
  };
}

/** What all records of a batch share. */
type Shared = {
  readonly firstOffset: number;
  readonly firstTimeMs: number;
  /** When the broker had them, where that is their time. */
  readonly appendTimeMs: number | undefined;
  readonly isControl: boolean;
};

class RecordReader {
  readonly #bytes: Buffer;
  readonly #shared: Shared;
  #at = 0;

  constructor(bytes: Buffer, shared: Shared) {
    this.#bytes = bytes;
    this.#shared = shared;
  }

  next(): LoggedRecord {
    const { firstOffset, firstTimeMs, appendTimeMs, isControl } = this.#shared;
    const length = this.#number();
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw new Error("a record is cut off");
    // Attributes, of which there are none yet.
    this.#at++;
    const createTimeMs = firstTimeMs + this.#number();
    const offset = firstOffset + this.#number();
    const key = this.#part();
    const value = this.#part();
    const headers = this.#headers(this.#number());
    this.#at = end;
    const timestampMs = appendTimeMs ?? createTimeMs;
    return { offset, timestampMs, key, value, headers, isControlRecord: isControl };
  }

  /** Of headers with the same name the last one counts, as for most readers of Kafka; one without a value is left out, and so is what comes after `HEADERS_MAX`. */
  #headers(count: number): KafkaHeaders {
    if (count <= 0) return NO_HEADERS;
    const headers = new Map<string, Buffer>();
    for (let i = 0; i < count && headers.size < HEADERS_MAX; i++) {
      const name = this.#part()?.toString() ?? "";
      const value = this.#part();
      if (value === null) headers.delete(name);
      else headers.set(name, value);
    }
    return Object.fromEntries(headers);
  }

  #part(): Buffer | null {
    const length = this.#number();
    if (length < 0) return null;
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new Error("a record is cut off");
    return this.#bytes.subarray(start, this.#at);
  }

  /** Up to 53 bits: of offsets, lengths and differences of times no more is ever used. */
  #number(): number {
    let unsigned = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new Error("a record is cut off");
      unsigned += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    const half = Math.floor(unsigned / 2);
    return unsigned % 2 === 0 ? half : -half - 1;
  }
}

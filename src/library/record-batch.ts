import { Buffer } from "node:buffer";
import type { Position, RecordBatch, RecordMetadata } from "../log/port.ts";

const NOTHING_KNOWN: RecordMetadata = { key: null, timestampMs: undefined };

export type RecordBatchOptions = {
  /** Longest record in bytes; longer ones are rejected as `record-too-long`. As `input.recordBytesMax` if left out: 1 MiB. */
  readonly recordBytesMax?: number | undefined;
};

/** Longest record where nothing is said, bytes; the default of `input.recordBytesMax`. */
export const RECORD_BYTES_MAX = 1 << 20;

/**
 * Records that follow each other in an input as the engine reads them from a log, for adapters whose records lie in memory.
 *
 * Nothing is copied: the bytes must stay as they are until what came of them is committed.
 *
 * @param records each one record without its line end, in the format of `input.format`
 * @param offset of the first one in its partition; each further one has the next
 *
 * @example
 * ```ts
 * import { recordBatch } from "oddlink";
 *
 * const batch = recordBatch([Buffer.from("1,U1@D,U1@D,C1,C2,NTLM,Network,LogOn,Success")], 41);
 * console.log(batch.length, batch.offsetOf(0), batch.positionAfter(0).offset); // 1 41 42
 * ```
 */
export function recordBatch(
  records: readonly Uint8Array[],
  offset: number,
  { recordBytesMax = RECORD_BYTES_MAX }: RecordBatchOptions = {},
): RecordBatch {
  return new MemoryBatch(records, offset, recordBytesMax);
}

class MemoryBatch implements RecordBatch {
  readonly length: number;
  /** Not known: each record is checked by itself. */
  readonly isUtf8 = false;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly #buffers: readonly Buffer[];
  readonly #first: number;
  readonly #recordBytesMax: number;

  constructor(records: readonly Uint8Array[], first: number, recordBytesMax: number) {
    this.#buffers = records.map(asBuffer);
    this.#first = first;
    this.#recordBytesMax = recordBytesMax;
    this.length = records.length;
    this.starts = new Int32Array(records.length);
    this.ends = Int32Array.from(records, ({ length }) => length);
  }

  offsetOf(i: number): number {
    return this.#first + i;
  }

  bufferOf(i: number): Buffer {
    return this.#buffers[i]!;
  }

  positionAfter(i: number): Position {
    return { offset: this.#first + i + 1, bytes: 0 };
  }

  timestampMsOf(_i: number): undefined {
    return undefined;
  }

  canaryOf(_i: number): undefined {
    return undefined;
  }

  metadataOf(_i: number): RecordMetadata {
    return NOTHING_KNOWN;
  }

  mayGrow(_i: number): boolean {
    return false;
  }

  /** Nothing is cut: the record is in memory already. */
  cutFrom(i: number): number {
    const length = this.ends[i]!;
    return length > this.#recordBytesMax ? length : 0;
  }
}

/** The same bytes. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

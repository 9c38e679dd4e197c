import { type Buffer, isUtf8 } from "node:buffer";
import type { Lines } from "../../ingest/line-splitter.ts";
import type { Position, RecordBatch, RecordMetadata } from "../port.ts";

const NOTHING_KNOWN: RecordMetadata = { key: null, timestampMs: undefined };

/** Lines of a file as records: the offset of a record is its line number from 0. */
export class FileBatch implements RecordBatch {
  readonly length: number;
  readonly isUtf8: boolean;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly #buffer: Buffer;
  readonly #consumed: Float64Array;
  readonly #cutFrom: Int32Array;
  readonly #first: Position;
  readonly #mayGrow: boolean;

  /**
   * @param first where the first line of `lines` begins, and where splitting began
   * @param mayGrow whether more may be written to the file
   */
  constructor(lines: Lines, first: Position, mayGrow: boolean) {
    this.#buffer = lines.buffer;
    this.#mayGrow = mayGrow && lines.isUnterminated;
    this.#first = first;
    this.length = lines.count;
    // Copies: a batch is kept until its records are committed, the lines only until the next ones are asked for.
    this.starts = lines.starts.slice(0, lines.count);
    this.ends = lines.ends.slice(0, lines.count);
    this.#consumed = lines.consumed.slice(0, lines.count);
    this.#cutFrom = lines.cutFrom.slice(0, lines.count);
    this.isUtf8 = isUtf8(lines.buffer.subarray(lines.starts[0], lines.ends[lines.count - 1]));
  }

  offsetOf(i: number): number {
    return this.#first.offset + i;
  }

  bufferOf(_i: number): Buffer {
    return this.#buffer;
  }

  positionAfter(i: number): Position {
    return { offset: this.#first.offset + i + 1, bytes: this.#first.bytes + this.#consumed[i]! };
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

  mayGrow(i: number): boolean {
    return this.#mayGrow && i === this.length - 1;
  }

  cutFrom(i: number): number {
    return this.#cutFrom[i]!;
  }
}

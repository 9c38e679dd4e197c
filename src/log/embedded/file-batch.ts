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
  readonly #lines: Lines;
  readonly #first: Position;
  readonly #mayGrow: boolean;

  /**
   * @param first where the first line of `lines` begins, and where splitting began
   * @param mayGrow whether more may be written to the file
   */
  constructor(lines: Lines, first: Position, mayGrow: boolean) {
    this.#lines = lines;
    this.#mayGrow = mayGrow && lines.isUnterminated;
    this.#first = first;
    this.length = lines.count;
    this.starts = lines.starts;
    this.ends = lines.ends;
    this.isUtf8 = isUtf8(lines.buffer.subarray(lines.starts[0], lines.ends[lines.count - 1]));
  }

  offsetOf(i: number): number {
    return this.#first.offset + i;
  }

  bufferOf(_i: number): Buffer {
    return this.#lines.buffer;
  }

  positionAfter(i: number): Position {
    return { offset: this.#first.offset + i + 1, bytes: this.#first.bytes + this.#lines.consumed[i]! };
  }

  metadataOf(_i: number): RecordMetadata {
    return NOTHING_KNOWN;
  }

  mayGrow(i: number): boolean {
    return this.#mayGrow && i === this.length - 1;
  }

  cutFrom(i: number): number {
    return this.#lines.cutFrom[i]!;
  }
}

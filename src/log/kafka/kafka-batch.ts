import { Buffer } from "node:buffer";
import type { Position, RecordBatch, RecordMetadata } from "../port.ts";
import type { ConsumedRecord } from "./client.ts";
import { CANARY, REPLAYED_FROM } from "./produced-records.ts";
import { traceOf } from "./trace-context.ts";

const EMPTY = Buffer.alloc(0);
/** Forms of headers that come back in what is written: another one is none, and does not make a record larger than its topic takes. */
const CANARY_FORM = /^[\x21-\x7e]{1,100}$/;
const REPLAYED_FROM_FORM = /^\d{1,10}\/\d{1,16}$/;

/** Records of one partition of a topic. A record without a value is an empty one. */
export class KafkaBatch implements RecordBatch {
  readonly length: number;
  /** Not known: each record is checked by itself. */
  readonly isUtf8 = false;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly #records: readonly ConsumedRecord[];
  readonly #recordBytesMax: number;

  constructor(records: readonly ConsumedRecord[], recordBytesMax: number) {
    this.#records = records;
    this.#recordBytesMax = recordBytesMax;
    this.length = records.length;
    this.starts = new Int32Array(records.length);
    this.ends = Int32Array.from(records, ({ value }) => value?.length ?? 0);
  }

  offsetOf(i: number): number {
    return this.#records[i]!.offset;
  }

  bufferOf(i: number): Buffer {
    return this.#records[i]!.value ?? EMPTY;
  }

  /** Offsets may have gaps, where transactions ended or a topic was compacted; the next one to read follows the record. */
  positionAfter(i: number): Position {
    return { offset: this.#records[i]!.offset + 1, bytes: 0 };
  }

  mayGrow(): boolean {
    return false;
  }

  /** Nothing is cut: the record is in memory already, and its dead letter is to hold all of it. */
  cutFrom(i: number): number {
    const length = this.ends[i]!;
    return length > this.#recordBytesMax ? length : 0;
  }

  timestampMsOf(i: number): number {
    return this.#records[i]!.timestampMs;
  }

  canaryOf(i: number): string | undefined {
    return headerOf(this.#records[i]!, CANARY, CANARY_FORM);
  }

  metadataOf(i: number): RecordMetadata {
    const record = this.#records[i]!;
    const { key, timestampMs, headers } = record;
    const replayedFrom = headerOf(record, REPLAYED_FROM, REPLAYED_FROM_FORM);
    return { key, timestampMs, replayedFrom, trace: traceOf(headers) };
  }
}

function headerOf({ headers }: ConsumedRecord, name: string, form: RegExp): string | undefined {
  const text = headers[name]?.toString();
  return text !== undefined && form.test(text) ? text : undefined;
}

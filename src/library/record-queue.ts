import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { RecordBatch } from "../log/port.ts";
import { Bell } from "./bell.ts";
import { recordBatch } from "./record-batch.ts";

/** So much waits to be scored, about, and no more is taken from a source before: as much as one commit holds. */
const WAITING_RECORDS_MAX = 4096;
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** A batch is scored in one go, some milliseconds: the program around it has other things to do too. */
const BATCH_RECORDS_MAX = 256;

/** Records that a program has handed over, on their way to the engine. */
export class RecordQueue {
  readonly #recordBytesMax: number;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Of all records that were pushed. */
  bytesPushed = 0;
  /** Of the first record that waits. */
  #offset: number;
  #isEnded = false;
  readonly #came = new Bell();
  readonly #taken = new Bell();

  /** @param offset of the first record that will be pushed */
  constructor(offset: number, recordBytesMax: number) {
    this.#offset = offset;
    this.#recordBytesMax = recordBytesMax;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** @returns offset of the record */
  push(record: Buffer): number {
    assert(!this.#isEnded, "nothing comes after the end");
    if (this.#waiting.length === 0) this.#came.ring();
    this.#waitingBytes += record.length;
    this.bytesPushed += record.length;
    return this.#offset + this.#waiting.push(record) - 1;
  }

  /** Resolves once there is room for another record, or it is ended. */
  async room(): Promise<void> {
    while (!this.#isEnded && this.#isFull) await this.#taken.rung;
  }

  /** No record comes any more; those that wait are handed out still. */
  end(): void {
    this.#isEnded = true;
    this.#came.ring();
    this.#taken.ring();
  }

  /** Ends when it is ended, and all that was pushed is handed out. */
  async *batches(): AsyncGenerator<RecordBatch, void, undefined> {
    for (;;) {
      while (this.#waiting.length === 0) {
        if (this.#isEnded) return;
        await this.#came.rung;
      }
      // Others have a turn; and sources that have more at hand are asked for it first, so that it comes in one batch.
      await nextTurn();
      const records = this.#waiting.splice(0, BATCH_RECORDS_MAX);
      const batch = recordBatch(records, this.#offset, { recordBytesMax: this.#recordBytesMax });
      this.#offset += records.length;
      for (const { length } of records) this.#waitingBytes -= length;
      this.#taken.ring();
      yield batch;
    }
  }

  get #isFull(): boolean {
    return this.#waiting.length >= WAITING_RECORDS_MAX || this.#waitingBytes >= WAITING_BYTES_MAX;
  }
}

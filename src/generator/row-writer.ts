import { Buffer } from "node:buffer";
import type { Names } from "./names.ts";
import { TAIL_BYTES, TAIL_STARTS } from "./row-kinds.ts";

/** Rows of LANL's auth.txt, written name by name into one buffer: no string and no object a row. */
export class RowWriter {
  readonly #names: Names;
  readonly #buffer: Buffer;
  readonly #time = Buffer.alloc(16);
  #timeBytes = 0;
  #second = -1;
  #length = 0;

  constructor(names: Names, capacity: number) {
    this.#names = names;
    this.#buffer = Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written since the last `clear`; valid until then. */
  written(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  write(
    second: number,
    account: number,
    targetAccount: number,
    source: number,
    target: number,
    kind: number,
  ): void {
    if (second !== this.#second) {
      this.#second = second;
      this.#timeBytes = this.#time.write(`${second},`, "latin1");
    }
    const { bytes, starts, firstHost } = this.#names;
    const buffer = this.#buffer;
    let length = this.#length;
    const time = this.#time;
    for (let i = 0; i < this.#timeBytes; i++) buffer[length++] = time[i];
    for (let i = starts[account], end = starts[account + 1]; i < end; i++) buffer[length++] = bytes[i];
    for (let i = starts[targetAccount], end = starts[targetAccount + 1]; i < end; i++)
      buffer[length++] = bytes[i];
    const from = firstHost + source;
    for (let i = starts[from], end = starts[from + 1]; i < end; i++) buffer[length++] = bytes[i];
    const to = firstHost + target;
    for (let i = starts[to], end = starts[to + 1]; i < end; i++) buffer[length++] = bytes[i];
    for (let i = TAIL_STARTS[kind], end = TAIL_STARTS[kind + 1]; i < end; i++)
      buffer[length++] = TAIL_BYTES[i];
    this.#length = length;
  }
}

/** No row is longer: time, four names of at most 30 bytes, and the longest of the tails. */
export const ROW_BYTES_MAX = 256;

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";

const BYTES_AT_FIRST = 64 * 1024;
/** A long of seven bits a byte. */
const LONG_BYTES_MAX = 10;
/** Twice this is the largest number up to which doubles hold every whole one. */
const LONG_MAX = 2 ** 52;
/** What doubles to less than this takes 32-bit steps only. */
const SMALL = 2 ** 30;

/**
 * Writes values as Avro's binary encoding has them, one after the other, into one buffer that grows and is used again: a
 * segment is some thousand numbers, each a few nanoseconds.
 */
export class AvroWriter {
  #buffer = Buffer.allocUnsafeSlow(BYTES_AT_FIRST);
  #view = viewOf(this.#buffer);
  #length = 0;

  /** Begins anew, `offset` bytes from the start. */
  reset(offset: number): void {
    this.#length = offset;
  }

  /** All that was written, with what lies before it: a view, valid until the next `reset`. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  boolean(value: boolean): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value ? 1 : 0;
  }

  /** An int or a long: whole, and below `LONG_MAX` either way. */
  long(value: number): void {
    this.#reserve(LONG_BYTES_MAX);
    const buffer = this.#buffer;
    if ((value | 0) === value && value >= 0 && value < SMALL) {
      let rest = value << 1;
      for (; rest > 0x7f; rest >>>= 7) buffer[this.#length++] = rest | 0x80;
      buffer[this.#length++] = rest;
      return;
    }
    assert(Number.isInteger(value) && Math.abs(value) < LONG_MAX, `no whole number below 2 ** 52: ${value}`);
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) buffer[this.#length++] = (rest % 0x80) | 0x80;
    buffer[this.#length++] = rest;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  fixed(bytes: Buffer): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  sized(bytes: Buffer): void {
    this.long(bytes.length);
    this.fixed(bytes);
  }

  string(text: string): void {
    this.sized(Buffer.from(text));
  }

  /** An array as one block; none if it is empty. */
  array<T>(items: readonly T[], write: (item: T) => void): void {
    if (items.length > 0) {
      this.long(items.length);
      for (const item of items) write(item);
    }
    this.long(0);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const buffer = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(buffer, 0, 0, this.#length);
    this.#buffer = buffer;
    this.#view = viewOf(buffer);
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

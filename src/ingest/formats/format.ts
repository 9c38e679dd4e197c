import type { Buffer } from "node:buffer";
import type { Decoded } from "../decoded.ts";

/** Turns the bytes of one record into a login. One instance serves one input; it may keep scratch memory. */
export type Decoder = {
  /** Decodes `bytes[start..end)`, one record without its line end. */
  decode(bytes: Buffer, start: number, end: number): Decoded;
};

/** One input format: how to recognise its records, decode them, and read a time in its own unit. */
export type Format = {
  readonly name: string;
  /** True if the record looks like this format; cheap, used by `auto` for each record it has not placed yet. */
  recognises(bytes: Buffer, start: number, end: number): boolean;
  createDecoder(options: FormatOptions): Decoder;
  /** A time as the source writes it (label files use it too) in milliseconds since the epoch; NaN if unreadable. */
  timeMs(text: string, options: FormatOptions): number;
};

export type FormatOptions = {
  /** What LANL's second 0 means, milliseconds since the epoch. */
  readonly lanlStartMs: number;
};

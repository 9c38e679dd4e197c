import type { Buffer } from "node:buffer";
import type { Decoded } from "../decoded.ts";
import type { SchemaSource } from "../schema-registry.ts";
import type { Mapping } from "./mapping.ts";

/** Turns the bytes of one record into a login. One instance serves one input; it may keep scratch memory. */
export type Decoder = {
  /**
   * Fetches what decoding this record needs first; undefined if it is there, which is nearly always. If a promise is
   * given, `decode` of this very record must wait for it, and be the next call.
   *
   * @throws {OddlinkError} rejects with SCHEMA_REGISTRY_UNREACHABLE if it can't be had now: keep the record, try later
   */
  prepare?(bytes: Buffer, start: number, end: number): Promise<void> | undefined;
  /** True for a record that need not be UTF-8 as a whole; without the method all must be. */
  isBinary?(bytes: Buffer, start: number, end: number): boolean;
  /** Decodes `bytes[start..end)`, one record without its line end. */
  decode(bytes: Buffer, start: number, end: number): Decoded;
};

/** A decoder whose records are changed once they are decoded; all else is that decoder's. */
export function changing(decoder: Decoder, change: (decoded: Decoded) => Decoded): Decoder {
  const changed: Decoder = { decode: (bytes, start, end) => change(decoder.decode(bytes, start, end)) };
  if (decoder.prepare !== undefined) changed.prepare = (...record) => decoder.prepare!(...record);
  if (decoder.isBinary !== undefined) changed.isBinary = (...record) => decoder.isBinary!(...record);
  return changed;
}

/** What a format reads from where, for `docs/formats.md`. */
export type FormatPage = {
  readonly title: string;
  readonly about: string;
  readonly recognisedBy: string;
  /** Fields of a login, and how names are normalised, each with where it comes from. */
  readonly fields: Readonly<Record<string, string>>;
  /** Kinds of records, each with what becomes of it. */
  readonly records: readonly (readonly [record: string, becomes: string])[];
};

/** One input format: how to recognise its records, decode them, and read a time in its own unit. */
export type Format = {
  readonly name: string;
  readonly page: FormatPage;
  /** True if the record looks like this format; cheap, used by `auto` for each record it has not placed yet. */
  recognises(bytes: Buffer, start: number, end: number): boolean;
  createDecoder(options: FormatOptions): Decoder;
  /** A time as the source writes it (label files use it too) in milliseconds since the epoch; NaN if unreadable. */
  timeMs(text: string, options: FormatOptions): number;
};

export type FormatOptions = {
  /** What LANL's second 0 means, milliseconds since the epoch. */
  readonly lanlStartMs: number;
  /** Formats that the configuration describes; `auto` tries them first. */
  readonly mappings?: readonly Mapping[] | undefined;
  /** The year of the first syslog line; undefined: the one that lies nearest before now. */
  readonly syslogYear?: number | undefined;
  /** Writer schemas by id; formats that need them can't do without. */
  readonly schemas?: SchemaSource | undefined;
};

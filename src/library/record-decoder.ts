import { OddlinkError } from "../errors.ts";
import type { IgnoreReason, RejectReason } from "../ingest/decoded.ts";
import { createDecoder as decoderOf, FORMAT_NAMES } from "../ingest/formats/index.ts";
import type { Login } from "../ingest/login.ts";
import { unreadable } from "../ingest/unreadable.ts";
import { bytesOf } from "./login-input.ts";
import { configOf, type Settings } from "./settings.ts";

/** What a record is: a data problem is a value here, and never thrown. */
export type DecodedRecord =
  | { readonly kind: "login" | "evidence"; readonly login: Login }
  | { readonly kind: "ignored"; readonly reason: IgnoreReason }
  | { readonly kind: "rejected"; readonly reason: RejectReason; readonly detail: string };

export type RecordDecoder = {
  /** @param record one record without its line end */
  decode(record: Uint8Array | string): DecodedRecord;
};

/** How records are read: the settings below `input` that say so. */
export type DecoderSettings = Pick<
  NonNullable<Settings["input"]>,
  "format" | "lanlStartMs" | "syslogYear" | "mappings" | "recordBytesMax"
>;

/** Formats of which single records can be decoded. Avro is not among them: it needs a schema registry, so an engine reads it. */
export const FORMATS: readonly string[] = FORMAT_NAMES.filter((name) => name !== "avro");

/**
 * A decoder of one format, or, by default, one that recognises each record by itself: `docs/formats.md` says what is read from where.
 *
 * One decoder reads one input, in its order: formats with a header, and syslog's years, go by what came before. A record takes some
 * microseconds.
 *
 * @param settings those of `input` in the configuration
 * @throws {OddlinkError} CONFIG_INVALID
 *
 * @example
 * ```ts
 * import { createDecoder } from "oddlink";
 *
 * const decoder = createDecoder({ format: "lanl" });
 * const decoded = decoder.decode("1,U1@DOM1,U1@DOM1,C1,C2,NTLM,Network,LogOn,Success");
 * if ("login" in decoded) console.log(decoded.kind, decoded.login.user, decoded.login.evidence); // login U1@DOM1 weak
 * else console.log(decoded.kind, decoded.reason);
 * ```
 */
export function createDecoder(settings: DecoderSettings = {}): RecordDecoder {
  if (settings.format === "avro")
    throw new OddlinkError(
      "CONFIG_INVALID",
      "input.format: avro needs a schema registry: let an engine read it",
    );
  const { format, lanlStartMs, syslogYear, mappings, recordBytesMax } = configOf({ input: settings }).input;
  const decoder = decoderOf(format, { lanlStartMs, syslogYear, mappings });
  return {
    decode: (record) => {
      const bytes = bytesOf(record);
      if (bytes.length === 0) return { kind: "ignored", reason: "blank-line" };
      const cutFrom = bytes.length > recordBytesMax ? bytes.length : 0;
      const decoded =
        unreadable(bytes, 0, bytes.length, { cutFrom, isSound: false }) ??
        decoder.decode(bytes, 0, bytes.length);
      return "login" in decoded ? { kind: decoded.kind, login: decoded.login.toLogin() } : { ...decoded };
    },
  };
}

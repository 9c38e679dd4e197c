import { Buffer } from "node:buffer";
import type { z } from "zod";
import type { recordSchema } from "../ingest/formats/oddlink.ts";
import { asBuffer } from "./record-batch.ts";

/**
 * A login in oddlink's own fields. Only `timeMs` (milliseconds since 1970, UTC), `user` and a host must be said; what else is left out, or empty, is
 * unknown. With `activity: "evidence"` it is no login, but shows the account at work on `sourceHost`.
 */
export type LoginInput = Readonly<z.input<typeof recordSchema>>;

/** One record: a login as an object, or one record (a line without its end) in the format of `input.format`. */
export type RecordInput = LoginInput | string | Uint8Array;

/** A login as an object is one in oddlink's JSON: `input.format` is `auto`, the default, or `oddlink`. */
export function bytesOf(record: RecordInput): Buffer {
  if (record instanceof Uint8Array) return asBuffer(record);
  return Buffer.from(typeof record === "string" ? record : JSON.stringify(record));
}

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import avsc from "avsc";
import type { Decoded } from "../../src/ingest/decoded.ts";
import { LOGIN_SCHEMA } from "../../src/ingest/formats/avro-login.ts";
import type { Decoder } from "../../src/ingest/formats/format.ts";
import { createDecoder, type FormatName } from "../../src/ingest/formats/index.ts";
import type { Login } from "../../src/ingest/login.ts";
import type { RegisteredSchema, SchemaSource } from "../../src/ingest/schema-registry.ts";

export type Schema = Parameters<typeof avsc.Type.forSchema>[0];
export type Fields = { name: string; type: unknown; default?: unknown }[];

export const PUBLISHED = avsc.Type.forSchema(LOGIN_SCHEMA as Schema);
export const LOGIN = { timeMs: 1_700_000_000_000, user: "ann", targetHost: "db" };

/** Schemas by id, all known without asking. */
export class KnownSchemas implements SchemaSource {
  readonly #texts: readonly string[];

  constructor(...schemas: readonly unknown[]) {
    this.#texts = schemas.map((schema) => (typeof schema === "string" ? schema : JSON.stringify(schema)));
  }

  peek(id: number): RegisteredSchema {
    const text = this.#texts[id - 1];
    return text === undefined ? { kind: "unknown" } : { kind: "avro", text };
  }

  find(id: number): Promise<RegisteredSchema> {
    return Promise.resolve(this.peek(id));
  }
}

export const record = (fields: Fields, name = "com.example.Event") => ({ type: "record", name, fields });
export const decoderOf = (schemas: SchemaSource, format: FormatName = "avro") =>
  createDecoder(format, { lanlStartMs: 0, schemas });

export function message(id: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, body]);
}

export function decodeNow(decoder: Decoder, bytes: Buffer, start = 0, end = bytes.length): Decoded {
  assert.equal(decoder.prepare?.(bytes, start, end), undefined);
  return decoder.decode(bytes, start, end);
}

/** Decodes a body by its writer schema. */
export function decode(schema: unknown, body: Uint8Array): Decoded {
  return decodeNow(decoderOf(new KnownSchemas(schema)), message(1, body));
}

/** Writes a value with avsc, decodes it with ours. */
export function through(schema: unknown, value: unknown): Decoded {
  return decode(schema, avsc.Type.forSchema(schema as Schema).toBuffer(value));
}

/** What a decoder said, in values that can be compared. */
export function said(decoded: Decoded): unknown {
  return decoded.kind === "login" || decoded.kind === "evidence"
    ? { kind: decoded.kind, login: decoded.login.toLogin() }
    : decoded;
}

export function loginOf(decoded: Decoded): Login {
  assert.ok(decoded.kind === "login", JSON.stringify(said(decoded)));
  return decoded.login.toLogin();
}

export function reasonOf(decoded: Decoded): string {
  assert.ok(decoded.kind === "rejected", JSON.stringify(said(decoded)));
  return decoded.reason;
}

/** Fields of a writer schema that have what a login must have. */
export const time = { name: "timeMs", type: "long" };
export const user = { name: "user", type: "string" };

/** A zigzag varint of up to 64 bits. */
export function varint(value: bigint): number[] {
  let rest = value >= 0n ? value * 2n : -value * 2n - 1n;
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

/** What a body begins with whose schema begins with `time` and `user`: 7, "a". */
export const head = [...varint(7n), ...varint(1n), 0x61];

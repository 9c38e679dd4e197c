import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { OddlinkError } from "../../src/errors.ts";
import { LOGIN_SCHEMA } from "../../src/ingest/formats/avro-login.ts";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import type { RegisteredSchema, SchemaSource } from "../../src/ingest/schema-registry.ts";
import {
  decode,
  decodeNow,
  decoderOf,
  KnownSchemas,
  LOGIN,
  message,
  PUBLISHED,
  reasonOf,
  record,
  time,
  user,
} from "./avro-messages.ts";

for (const [what, schema] of Object.entries({
  "no JSON": "{",
  "no Avro": { type: "recrod" },
  "no record": ["null", "string"],
  "a record without a time": record([user]),
  "a record without a user": record([time]),
  "time as text": record([{ ...time, type: "string" }, user]),
  "time as a double": record([{ ...time, type: ["null", "double"] }, user]),
  "user as a number": record([time, { ...user, type: "long" }]),
  "an unknown type": record([time, user, { name: "x", type: "Missing" }]),
  "names that are code": record([time, user, { name: "x;process.exit(1)//", type: "int" }]),
  "ten thousand levels": `${'{"type":"array","items":'.repeat(10_000)}"int"${"}".repeat(10_000)}`,
})) {
  test(`a writer schema that is ${what} is unreadable`, () => {
    const decoded = decode(schema, Buffer.alloc(10));
    assert.equal(reasonOf(decoded), "unreadable-schema");
    assert.match((decoded as { detail: string }).detail, /^schema id 1: ./);
  });
}

test("a schema that the registry can't give as Avro is unreadable, and it is said why", () => {
  const answer: RegisteredSchema = { kind: "unusable", detail: "it is JSON, not Avro" };
  const decoder = decoderOf({ peek: () => answer, find: () => Promise.resolve(answer) });
  assert.deepEqual(decodeNow(decoder, message(9, Buffer.alloc(3))), {
    kind: "rejected",
    reason: "unreadable-schema",
    detail: "schema id 9: it is JSON, not Avro",
  });
});

/** A registry whose answers come later, or not at all. */
class SlowSchemas implements SchemaSource {
  known = new Map<number, RegisteredSchema>();
  asked = 0;
  answer: RegisteredSchema | OddlinkError = { kind: "unknown" };

  peek(id: number): RegisteredSchema | undefined {
    return this.known.get(id);
  }

  async find(id: number): Promise<RegisteredSchema> {
    this.asked++;
    await new Promise((resolve) => setImmediate(resolve));
    if (this.answer instanceof OddlinkError) throw this.answer;
    this.known.set(id, this.answer);
    return this.answer;
  }
}

const AVRO: RegisteredSchema = { kind: "avro", text: JSON.stringify(LOGIN_SCHEMA) };

test("the first record of a schema waits for it, the others do not", async () => {
  const schemas = new SlowSchemas();
  schemas.answer = AVRO;
  const decoder = decoderOf(schemas);
  const bytes = message(5, PUBLISHED.toBuffer(LOGIN));
  const ready = decoder.prepare!(bytes, 0, bytes.length);
  assert.throws(() => decoder.decode(bytes, 0, bytes.length), /not prepared/);
  await ready;
  assert.equal(decoder.decode(bytes, 0, bytes.length).kind, "login");
  for (let i = 0; i < 10; i++) assert.equal(decodeNow(decoder, bytes).kind, "login");
  assert.equal(schemas.asked, 1);
});

test("a record of an unknown schema is a dead letter, until its source says to ask again", async () => {
  const schemas = new SlowSchemas();
  const decoder = decoderOf(schemas);
  const bytes = message(5, PUBLISHED.toBuffer(LOGIN));
  await decoder.prepare!(bytes, 0, bytes.length);
  assert.equal(reasonOf(decoder.decode(bytes, 0, bytes.length)), "unknown-schema");
  assert.equal(reasonOf(decodeNow(decoder, bytes)), "unknown-schema");
  schemas.known.clear();
  schemas.answer = AVRO;
  await decoder.prepare!(bytes, 0, bytes.length);
  assert.equal(decoder.decode(bytes, 0, bytes.length).kind, "login");
});

test("while the registry is unreachable records wait; those of known schemas are read", async () => {
  const schemas = new SlowSchemas();
  schemas.known.set(1, AVRO);
  schemas.answer = new OddlinkError("SCHEMA_REGISTRY_UNREACHABLE", "down");
  const decoder = decoderOf(schemas);
  const known = message(1, PUBLISHED.toBuffer(LOGIN));
  const waiting = message(2, PUBLISHED.toBuffer(LOGIN));
  for (let i = 0; i < 3; i++) {
    assert.equal(decodeNow(decoder, known).kind, "login");
    await assert.rejects(decoder.prepare!(waiting, 0, waiting.length)!, {
      code: "SCHEMA_REGISTRY_UNREACHABLE",
      retriable: true,
    });
    assert.throws(() => decoder.decode(waiting, 0, waiting.length), /not prepared/);
  }
  schemas.answer = AVRO;
  await decoder.prepare!(waiting, 0, waiting.length);
  assert.equal(decoder.decode(waiting, 0, waiting.length).kind, "login");
});

test("more schemas than a decoder keeps are read all the same", () => {
  const decoder = decoderOf(new KnownSchemas(...new Array(300).fill(LOGIN_SCHEMA)));
  const body = PUBLISHED.toBuffer(LOGIN);
  for (let i = 0; i < 900; i++) assert.equal(decodeNow(decoder, message(1 + (i % 300), body)).kind, "login");
});

test("format avro without a registry is a mistake in the configuration", () => {
  assert.throws(() => createDecoder("avro", { lanlStartMs: 0 }), { code: "CONFIG_INVALID" });
});

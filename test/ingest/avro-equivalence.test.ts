import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import avsc from "avsc";
import fc from "fast-check";
import { LOGIN_SCHEMA } from "../../src/ingest/formats/avro-login.ts";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import {
  decode,
  decodeNow,
  decoderOf,
  type Fields,
  KnownSchemas,
  message,
  PUBLISHED,
  record,
  type Schema,
  said,
  through,
} from "./avro-messages.ts";

const name = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
  .filter((s) => Buffer.byteLength(s) <= 256);
const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: null });
const someAuthType = fc.oneof(
  name,
  fc.constantFrom("NTLM", "Kerberos", "microsoft_authentication_package_v1_0", "Basic"),
);
const someLogin = fc.record({
  timeMs: fc.integer({ min: 0, max: 4e12 }),
  user: name,
  targetUser: maybe(name),
  sourceHost: maybe(fc.oneof(name, fc.constant("pc"))),
  targetHost: maybe(fc.oneof(name, fc.constant("pc"))),
  authType: maybe(someAuthType),
  logonType: maybe(fc.oneof(name, fc.constantFrom("Interactive", "unlock", "Network"))),
  outcome: maybe(fc.constantFrom("success", "failure", "unknown")),
  evidence: maybe(fc.constantFrom("strong", "weak", "none")),
  activity: maybe(fc.constantFrom("login", "evidence")),
  uid: maybe(name),
});

/** An Avro type for a field that no login has, with values of it. */
const someExtra: fc.Arbitrary<{ type: unknown; value: unknown }> = fc.letrec<{
  extra: { type: unknown; value: unknown };
}>((tie) => ({
  extra: fc.oneof(
    { maxDepth: 3 },
    fc.constant({ type: "null", value: null }),
    fc.boolean().map((value) => ({ type: "boolean", value })),
    fc.integer().map((value) => ({ type: "int", value })),
    fc
      .maxSafeInteger()
      .filter((n) => Math.abs(n) < 2 ** 53 - 1)
      .map((value) => ({ type: "long", value })),
    fc.double().map((value) => ({ type: "double", value })),
    fc.float().map((value) => ({ type: "float", value })),
    fc.string().map((value) => ({ type: "string", value })),
    fc.uint8Array().map((value) => ({ type: "bytes", value: Buffer.from(value) })),
    fc
      .uint8Array({ minLength: 3, maxLength: 3 })
      .map((value) => ({ type: { type: "fixed", size: 3 }, value: Buffer.from(value) })),
    fc
      .array(tie("extra"), { maxLength: 3 })
      .chain((items) => fc.array(fc.constant(items[0] ?? { type: "null", value: null }), { maxLength: 5 }))
      .map((items) => ({
        type: { type: "array", items: items[0]?.type ?? "int" },
        value: items.map(({ value }) => value),
      })),
    fc
      .tuple(
        tie("extra"),
        fc.dictionary(
          fc.string().filter((key) => key !== "__proto__"),
          fc.nat(),
          { noNullPrototype: true },
        ),
      )
      .map(([{ type, value }, keys]) => ({
        type: { type: "map", values: type },
        value: Object.fromEntries(Object.keys(keys).map((key) => [key, value])),
      })),
    fc.array(tie("extra"), { maxLength: 3 }).map((parts) => ({
      type: { type: "record", fields: parts.map(({ type }, i) => ({ name: `f${i}`, type })) },
      value: Object.fromEntries(parts.map(({ value }, i) => [`f${i}`, value])),
    })),
  ),
})).extra;

test("a record in Avro says the same as one in JSON", () => {
  const json = createDecoder("oddlink", { lanlStartMs: 0 });
  const decoder = decoderOf(new KnownSchemas(LOGIN_SCHEMA));
  const seen = new Set<string>();
  fc.assert(
    fc.property(someLogin, (value) => {
      const text = Buffer.from(JSON.stringify(value, (_key, field) => field ?? undefined));
      const expected = said(json.decode(text, 0, text.length));
      const decoded = decodeNow(decoder, message(1, PUBLISHED.toBuffer(value)));
      assert.deepEqual(said(decoded), expected);
      seen.add(decoded.kind);
    }),
    { numRuns: 1000 },
  );
  assert.deepEqual([...seen].sort(), ["evidence", "ignored", "login", "rejected"]);
});

test("writers may order fields as they like, leave optional ones out, and add any others", () => {
  fc.assert(
    fc.property(
      someLogin,
      fc.subarray([
        "targetUser",
        "sourceHost",
        "authType",
        "logonType",
        "outcome",
        "evidence",
        "uid",
      ] as const),
      fc.array(someExtra, { maxLength: 4 }),
      fc.infiniteStream(fc.nat({ max: 1000 })),
      (login, left, extras, order) => {
        const fields = [
          ...LOGIN_SCHEMA.fields.filter((field) => !left.includes(field.name as "uid")),
          ...extras.map(({ type }, i) => ({ name: `extra${i}`, type })),
        ]
          .map((field) => ({ field, at: order.next().value! }))
          .sort((a, b) => a.at - b.at)
          .map(({ field }) => field);
        const schema = record(fields as Fields);
        const value = {
          ...login,
          ...Object.fromEntries(extras.map((extra, i) => [`extra${i}`, extra.value])),
        };
        const without = Object.fromEntries(
          Object.entries(login).filter(([key]) => !left.includes(key as "uid")),
        );
        // avsc checks values of maps and floats; what it can't write is not the subject here.
        const writer = avsc.Type.forSchema(schema as Schema, { wrapUnions: false });
        const body = writer.toBuffer(value);
        assert.deepEqual(said(decode(schema, body)), said(through(LOGIN_SCHEMA, without)));
        // avsc agrees on what the record says.
        const reader = avsc.Type.forSchema({
          ...LOGIN_SCHEMA,
          name: "Event",
          namespace: "com.example",
        } as Schema);
        const byAvsc = reader.fromBuffer(body, reader.createResolver(writer)) as Record<string, unknown>;
        for (const field of LOGIN_SCHEMA.fields) {
          assert.equal(byAvsc[field.name], (without as Record<string, unknown>)[field.name] ?? null);
        }
      },
    ),
    { numRuns: 500 },
  );
});

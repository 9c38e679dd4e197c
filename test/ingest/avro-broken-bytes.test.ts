import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import avsc from "avsc";
import fc from "fast-check";
import { LOGIN_SCHEMA } from "../../src/ingest/formats/avro-login.ts";
import {
  decode,
  decodeNow,
  decoderOf,
  type Fields,
  head,
  KnownSchemas,
  LOGIN,
  message,
  PUBLISHED,
  reasonOf,
  record,
  type Schema,
  time,
  user,
  varint,
} from "./avro-messages.ts";

test("every cut of a record, and every byte too many, is rejected, also among other records", () => {
  const decoder = decoderOf(new KnownSchemas(LOGIN_SCHEMA));
  const whole = message(1, PUBLISHED.toBuffer({ ...LOGIN, sourceHost: "pc", uid: "x" }));
  const bytes = Buffer.concat([whole, whole, whole]);
  const start = whole.length;
  for (let end = start + 5; end < 2 * start; end++) {
    assert.equal(reasonOf(decodeNow(decoder, bytes, start, end)), "invalid-avro");
  }
  assert.equal(decodeNow(decoder, bytes, start, 2 * start).kind, "login");
  assert.equal(reasonOf(decodeNow(decoder, bytes, start, 2 * start + 1)), "invalid-avro");
});

const withExtra = (type: unknown) => record([time, user, { name: "extra", type }]);
const list = { type: "record", name: "List", fields: [{ name: "next", type: ["null", "List"] }] };
for (const [what, schema, tail] of [
  ["a text of 2^40 bytes", withExtra("string"), varint(2n ** 40n)],
  ["a text of negative length", withExtra("string"), varint(-1n)],
  ["a text of 2^63 - 1 bytes", withExtra("string"), varint(2n ** 63n - 1n)],
  ["bytes of 2^31 length", withExtra("bytes"), varint(2n ** 31n)],
  ["a fixed of 2^30 bytes", withExtra({ type: "fixed", name: "F", size: 2 ** 30 }), []],
  ["an array of 2^53 nulls", withExtra({ type: "array", items: "null" }), [...varint(2n ** 53n), 0]],
  [
    "an array of 2^63 - 1 empty records",
    withExtra({ type: "array", items: record([], "E") }),
    varint(2n ** 63n - 1n),
  ],
  [
    "arrays of 100,000 nulls again and again",
    withExtra({ type: "array", items: "null" }),
    [...Array.from({ length: 1000 }, () => varint(100_000n)).flat(), 0],
  ],
  ["a block that goes back", withExtra({ type: "array", items: "int" }), [...varint(-1n), ...varint(-3n), 0]],
  ["a block beyond the end", withExtra({ type: "map", values: "int" }), [...varint(-1n), ...varint(99n), 0]],
  ["a number without an end", withExtra("long"), new Array(1000).fill(0xff)],
  ["a branch that is not there", withExtra(["null", "int"]), varint(2n)],
  ["a negative branch", withExtra(["null", "int"]), varint(-1n)],
  ["a symbol that is not there", withExtra({ type: "enum", name: "E", symbols: ["A"] }), varint(1n)],
  ["a list of 100,000 links", withExtra(list), [...new Array(100_000).fill(2), 0]],
  [
    "a record that holds itself",
    withExtra({ type: "record", name: "R", fields: [{ name: "r", type: "R" }] }),
    [],
  ],
] as const) {
  test(`${what} is rejected at once`, () => {
    const decoder = decoderOf(new KnownSchemas(schema));
    const bytes = message(1, Buffer.from([...head, ...tail]));
    const before = process.memoryUsage().arrayBuffers;
    const startedMs = performance.now();
    assert.equal(reasonOf(decodeNow(decoder, bytes)), "invalid-avro");
    assert.ok(performance.now() - startedMs < 1000);
    assert.ok(process.memoryUsage().arrayBuffers - before < 16 << 20);
  });
}

test("what is long but true is read: blocks with a size, lists, long arrays", () => {
  const items = { type: "array", items: "int" };
  const block = [...varint(-2n), ...varint(2n), 2, 4, ...varint(1n), 6, 0];
  assert.equal(reasonOf(decode(withExtra(items), Buffer.from([...head, ...block]))), "no-target-host");
  const long = Buffer.from([...head, ...varint(90_000n), ...new Array(90_000).fill(2), 0]);
  assert.equal(reasonOf(decode(withExtra(items), long)), "no-target-host");
  const links = Buffer.from([...head, ...new Array(50).fill(2), 0]);
  assert.equal(reasonOf(decode(withExtra(list), links)), "no-target-host");
});

test("broken records never make the decoder throw, hang or take memory", () => {
  const nasty = record([
    { name: "tags", type: { type: "map", values: { type: "array", items: ["null", "string", "bytes"] } } },
    ...LOGIN_SCHEMA.fields,
    { name: "list", type: ["null", list] },
    { name: "empty", type: { type: "array", items: "null" } },
  ] as Fields);
  const writer = avsc.Type.forSchema(nasty as Schema, { wrapUnions: false });
  const decoder = decoderOf(new KnownSchemas(LOGIN_SCHEMA, nasty));
  const value = { ...LOGIN, tags: { a: [null, "b"] }, list: { next: { next: null } }, empty: [null, null] };
  const sound = [message(1, PUBLISHED.toBuffer(LOGIN)), message(2, writer.toBuffer(value))];
  const mutated = fc
    .record({
      bytes: fc.constantFrom(...sound),
      changes: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
      cut: fc.nat(),
      more: fc.oneof(
        { weight: 4, arbitrary: fc.constant(new Uint8Array()) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }) },
      ),
    })
    .map(({ bytes, changes, cut, more }) => {
      const copy = Buffer.from(bytes);
      for (const [at, byte] of changes) copy[5 + (at % (copy.length - 5))] = byte;
      return Buffer.concat([copy.subarray(0, cut % 3 === 0 ? cut % copy.length : copy.length), more]);
    });
  const random = fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.uint8Array({ maxLength: 200 }))
    .map(([id, body]) => message(id, body));
  const kinds = new Map<string, number>();
  const before = process.memoryUsage().arrayBuffers;
  const startedMs = performance.now();
  fc.assert(
    fc.property(
      fc.oneof(
        mutated,
        random,
        fc.uint8Array({ maxLength: 50 }).map((b) => Buffer.from(b)),
      ),
      (bytes) => {
        const { kind } = decodeNow(decoder, bytes);
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      },
    ),
    { numRuns: 50_000 },
  );
  assert.ok(performance.now() - startedMs < 30_000);
  assert.ok(process.memoryUsage().arrayBuffers - before < 64 << 20);
  assert.ok(kinds.get("login")! > 1000 && kinds.get("rejected")! > 1000, JSON.stringify([...kinds]));
});

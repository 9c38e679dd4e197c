import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import avsc from "avsc";
import fc from "fast-check";
import { OddlinkError } from "../../src/errors.ts";
import type { Decoded } from "../../src/ingest/decoded.ts";
import { LOGIN_SCHEMA } from "../../src/ingest/formats/avro-login.ts";
import type { Decoder } from "../../src/ingest/formats/format.ts";
import { createDecoder, type FormatName } from "../../src/ingest/formats/index.ts";
import type { Login } from "../../src/ingest/login.ts";
import type { RegisteredSchema, SchemaSource } from "../../src/ingest/schema-registry.ts";

type Schema = Parameters<typeof avsc.Type.forSchema>[0];
type Fields = { name: string; type: unknown; default?: unknown }[];

const PUBLISHED = avsc.Type.forSchema(LOGIN_SCHEMA as Schema);
const LOGIN = { timeMs: 1_700_000_000_000, user: "ann", targetHost: "db" };

/** Schemas by id, all known without asking. */
class KnownSchemas implements SchemaSource {
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

const record = (fields: Fields, name = "com.example.Event") => ({ type: "record", name, fields });
const decoderOf = (schemas: SchemaSource, format: FormatName = "avro") =>
  createDecoder(format, { lanlStartMs: 0, schemas });

function message(id: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, body]);
}

function decodeNow(decoder: Decoder, bytes: Buffer, start = 0, end = bytes.length): Decoded {
  assert.equal(decoder.prepare?.(bytes, start, end), undefined);
  return decoder.decode(bytes, start, end);
}

/** Decodes a body by its writer schema. */
function decode(schema: unknown, body: Uint8Array): Decoded {
  return decodeNow(decoderOf(new KnownSchemas(schema)), message(1, body));
}

/** Writes a value with avsc, decodes it with ours. */
function through(schema: unknown, value: unknown): Decoded {
  return decode(schema, avsc.Type.forSchema(schema as Schema).toBuffer(value));
}

/** What a decoder said, in values that can be compared. */
function said(decoded: Decoded): unknown {
  return decoded.kind === "login" || decoded.kind === "evidence"
    ? { kind: decoded.kind, login: decoded.login.toLogin() }
    : decoded;
}

function loginOf(decoded: Decoded): Login {
  assert.ok(decoded.kind === "login", JSON.stringify(said(decoded)));
  return decoded.login.toLogin();
}

function reasonOf(decoded: Decoded): string {
  assert.ok(decoded.kind === "rejected", JSON.stringify(said(decoded)));
  return decoded.reason;
}

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

test("fields are found by their other names; the name itself comes first", () => {
  const schema = record([
    { name: "time_ms", type: "long" },
    { name: "user", type: "string" },
    { name: "target_host", type: "string" },
    { name: "source_host", type: "string" },
    { name: "sourceHost", type: "string" },
  ]);
  const login = loginOf(
    through(schema, { time_ms: 7, user: "ann", target_host: "db", source_host: "no", sourceHost: "pc" }),
  );
  assert.deepEqual([login.timeMs, login.targetHost, login.sourceHost], [7, "db", "pc"]);
});

test("any field may be nullable, either way round; a null time or user is that record's problem alone", () => {
  const schema = record([
    { name: "timeMs", type: ["null", { type: "long", logicalType: "timestamp-millis" }] },
    { name: "user", type: ["string", "null"] },
    { name: "targetHost", type: ["string", "null"] },
    { name: "sourceHost", type: "null" },
  ]);
  assert.equal(loginOf(through(schema, { ...LOGIN, sourceHost: null })).user, "ann");
  assert.equal(reasonOf(through(schema, { ...LOGIN, timeMs: null, sourceHost: null })), "invalid-time");
  assert.equal(reasonOf(through(schema, { ...LOGIN, user: null, sourceHost: null })), "no-user");
  assert.equal(reasonOf(through(schema, { ...LOGIN, targetHost: null, sourceHost: null })), "no-target-host");
});

test("text may be an enum or bytes, also in unions, in letters of any case; time may be an int", () => {
  const words = (named: string, ...symbols: string[]) => ({ type: "enum", name: named, symbols });
  const schema = record([
    { name: "timeMs", type: "int" },
    { name: "user", type: "bytes" },
    { name: "targetHost", type: ["null", "bytes", "string"] },
    { name: "authType", type: words("Auth", "NTLM", "KERBEROS") },
    { name: "outcome", type: ["null", words("Outcome", "SUCCESS", "FAILURE")] },
    { name: "evidence", type: "string" },
  ]);
  const login = loginOf(
    through(schema, {
      timeMs: 7,
      user: Buffer.from("änn"),
      targetHost: "db",
      authType: "KERBEROS",
      outcome: "SUCCESS",
      evidence: "Weak",
    }),
  );
  assert.deepEqual(login, {
    timeMs: 7,
    user: "änn",
    targetUser: "änn",
    sourceHost: "",
    targetHost: "db",
    authType: "KERBEROS",
    logonType: "",
    outcome: "success",
    evidence: "weak",
  });
});

test("a branch of a union that a login can't have is rejected where it is taken, not where it is possible", () => {
  const schema = record([
    { name: "timeMs", type: "long" },
    { name: "user", type: "string" },
    { name: "targetHost", type: ["string", { type: "array", items: "string" }] },
  ]);
  assert.equal(loginOf(through(schema, LOGIN)).targetHost, "db");
  assert.equal(reasonOf(through(schema, { ...LOGIN, targetHost: ["db"] })), "invalid-login");
});

test("defaults of a writer do not matter, not even wrong ones", () => {
  const schema = JSON.stringify(
    record([
      { name: "timeMs", type: "long" },
      { name: "user", type: "string" },
      { name: "targetHost", type: ["null", "string"], default: "wrong: not of the first branch" },
    ]),
  );
  const body = avsc.Type.forSchema(JSON.parse(schema.replace(/,"default":"[^"]*"/, ""))).toBuffer(LOGIN);
  assert.equal(loginOf(decode(schema, body)).targetHost, "db");
});

const time = { name: "timeMs", type: "long" };
const user = { name: "user", type: "string" };
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

for (const [what, bytes] of Object.entries({
  nothing: [],
  "one byte": [0],
  "a header cut short": [0, 0, 0, 0],
  "a schema GUID": [1, ...new Array(30).fill(7)],
  JSON: [...Buffer.from('{"timeMs":1}')],
  "another magic byte": [255, 0, 0, 0, 1, 2, 3],
})) {
  test(`${what} is no wire format that is read`, () => {
    const decoder = decoderOf(new KnownSchemas(LOGIN_SCHEMA));
    assert.equal(reasonOf(decodeNow(decoder, Buffer.from(bytes))), "unknown-wire-format");
  });
}

test("ids that no registry gives are unknown without asking", () => {
  const asks = () => assert.fail("was asked for");
  const decoder = decoderOf({ peek: asks, find: asks });
  for (const id of [0, 0x8000_0000, 0xffff_ffff]) {
    assert.equal(reasonOf(decodeNow(decoder, message(id, Buffer.alloc(3)))), "unknown-schema");
  }
});

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

/** A zigzag varint of up to 64 bits. */
function varint(value: bigint): number[] {
  let rest = value >= 0n ? value * 2n : -value * 2n - 1n;
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const head = [...varint(7n), ...varint(1n), 0x61];
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

test("times that no date can have are rejected, longs beyond 2^53 among them", () => {
  for (const timeMs of [-1n, 8_640_000_000_000_001n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    const body = Buffer.from([...varint(timeMs), ...varint(1n), 0x61]);
    assert.equal(reasonOf(decode(record([time, user]), body)), "invalid-time");
  }
});

test("text that is not UTF-8 is rejected; the replacement character itself is text", () => {
  const schema = record([time, user, { name: "targetHost", type: "bytes" }, { name: "raw", type: "bytes" }]);
  const write = (targetHost: Uint8Array) =>
    through(schema, { ...LOGIN, targetHost, raw: Buffer.from([0xff]) });
  assert.equal(reasonOf(write(Buffer.from([0x64, 0xff]))), "invalid-utf8");
  assert.equal(reasonOf(write(Buffer.from([0xed, 0xa0, 0x80]))), "invalid-utf8");
  assert.equal(loginOf(write(Buffer.from("d\ufffd"))).targetHost, "d\ufffd");
});

test("names too long and words unknown are rejected by the reasons of JSON records", () => {
  const write = (more: object) => reasonOf(through(LOGIN_SCHEMA, { ...LOGIN, ...more }));
  assert.equal(write({ user: "x".repeat(257) }), "name-too-long");
  assert.equal(write({ sourceHost: "é".repeat(129) }), "name-too-long");
  assert.equal(write({ uid: "x".repeat(257) }), "name-too-long");
  assert.equal(write({ outcome: "maybe" }), "invalid-login");
  assert.equal(write({ evidence: "stronger" }), "invalid-login");
  assert.equal(write({ activity: "logout" }), "invalid-login");
  assert.equal(write({ user: "" }), "no-user");
});

test("empty text means: not said", () => {
  const empty = { targetUser: "", sourceHost: "", outcome: "", evidence: "", activity: "", uid: "" };
  const decoded = through(LOGIN_SCHEMA, { ...LOGIN, ...empty });
  assert.deepEqual(said(decoded), said(through(LOGIN_SCHEMA, LOGIN)));
  assert.ok(decoded.kind === "login" && decoded.login.uid === undefined);
});

test("nothing of a record is left in the next one", () => {
  const decoder = decoderOf(
    new KnownSchemas(LOGIN_SCHEMA, record([time, user, { name: "targetHost", type: "string" }])),
  );
  const full = {
    ...LOGIN,
    targetUser: "b",
    sourceHost: "c",
    authType: "d",
    logonType: "e",
    outcome: "failure",
    evidence: "weak",
    uid: "f",
  };
  decodeNow(decoder, message(1, PUBLISHED.toBuffer(full)));
  const bare = Buffer.from([...head, ...varint(1n), 0x68]);
  assert.deepEqual(loginOf(decodeNow(decoder, message(2, bare))), {
    timeMs: 7,
    user: "a",
    targetUser: "a",
    sourceHost: "",
    targetHost: "h",
    authType: "",
    logonType: "",
    outcome: "unknown",
    evidence: "none",
  });
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

test("auto recognises Avro once there is a registry, next to text", () => {
  const bytes = message(1, PUBLISHED.toBuffer(LOGIN));
  const text = Buffer.from(JSON.stringify(LOGIN));
  const decoder = decoderOf(new KnownSchemas(LOGIN_SCHEMA), "auto");
  for (let i = 0; i < 3; i++) {
    assert.equal(decodeNow(decoder, bytes).kind, "login");
    assert.equal(decodeNow(decoder, text).kind, "login");
  }
  assert.equal(decoder.isBinary!(bytes, 0, bytes.length), true);
  assert.equal(decoder.isBinary!(text, 0, text.length), false);
  assert.equal(reasonOf(decodeNow(decoder, Buffer.from([0, 1]))), "invalid-json");
  assert.equal(decodeNow(decoder, bytes).kind, "login");
  assert.equal(reasonOf(decodeNow(decoder, Buffer.from([0, 1]))), "unknown-wire-format");

  const without = createDecoder("auto", { lanlStartMs: 0 });
  assert.equal(reasonOf(decodeNow(without, bytes)), "unknown-format");
  assert.equal(without.isBinary!(bytes, 0, bytes.length), false);
});

test("format avro without a registry is a mistake in the configuration", () => {
  assert.throws(() => createDecoder("avro", { lanlStartMs: 0 }), { code: "CONFIG_INVALID" });
});

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { OddlinkDecoder } from "../../src/ingest/formats/oddlink.ts";
import { NOT_PLAIN, readPlainJson } from "../../src/ingest/formats/plain-json.ts";
import { LoginBytes } from "../../src/ingest/login-bytes.ts";

const BEFORE = Buffer.from('"}');

/** In the middle of a buffer, as records of a batch are. */
function decodeIn(decode: "decode" | "decodeAny", text: string) {
  const decoder = new OddlinkDecoder();
  const record = Buffer.from(text);
  const bytes = Buffer.concat([BEFORE, record, Buffer.from('","user":"x"}')]);
  const decoded = decoder[decode](bytes, BEFORE.length, BEFORE.length + record.length);
  return "login" in decoded ? { kind: decoded.kind, login: decoded.login.toLogin() } : decoded;
}

function isPlain(text: string): boolean {
  const bytes = Buffer.from(text);
  return readPlainJson(bytes, 0, bytes.length, new LoginBytes()) !== NOT_PLAIN;
}

const aText = fc.oneof(
  fc.constantFrom(
    "",
    "U1@DOM1",
    "C5",
    "Kerberos",
    "Network",
    "success",
    "failure",
    "x".repeat(256),
    "x".repeat(257),
  ),
  fc.string(),
  fc.string({ unit: "binary" }),
);
const aValue = fc.oneof(
  { weight: 5, arbitrary: aText },
  fc.constantFrom(null, true, [], {}),
  fc.double(),
  fc.integer({ min: 0, max: 2e12 }),
);
const aTime = fc.oneof(
  fc.integer({ min: 0, max: 2e12 }),
  fc.double(),
  fc.constantFrom(0, -1, 8.64e15, 8.7e15, 1e15),
);
const aRecord = fc
  .record(
    {
      timeMs: aTime,
      user: aText,
      targetUser: aText,
      sourceHost: aText,
      targetHost: fc.oneof({ weight: 5, arbitrary: fc.constant("C7") }, aValue),
      authType: aText,
      logonType: aText,
      outcome: fc.oneof(fc.constantFrom("success", "failure", "unknown"), aText),
      evidence: fc.constantFrom("none", "weak", "strong", "ticket", ""),
      uid: aText,
      activity: fc.constantFrom("login", "evidence"),
      other: aValue,
    },
    { requiredKeys: [] },
  )
  .chain((record) => fc.shuffledSubarray(Object.entries(record), { minLength: Object.keys(record).length }))
  .map((entries) => JSON.stringify(Object.fromEntries(entries)));

/** A record with one byte of it changed, put in, or left out. */
const aDamaged = fc
  .tuple(
    aRecord,
    fc.nat(),
    fc.constantFrom("", " ", '"', "\\", ",", ":", "}", "0", "\u0000", "é", '"user":"a",'),
    fc.nat(1),
  )
  .map(([text, where, piece, cut]) => {
    const at = where % (text.length + 1);
    return text.slice(0, at) + piece + text.slice(at + cut);
  });

test("a record comes to the same whether it is read as a plain one or as any other", () => {
  fc.assert(
    fc.property(fc.oneof(aRecord, aDamaged), (text) => {
      assert.deepEqual(decodeIn("decode", text), decodeIn("decodeAny", text));
    }),
    { numRuns: 5000 },
  );
});

test("a login with the usual fields is plain, in any order and with or without spaces", () => {
  for (const text of [
    '{"timeMs":1,"user":"u","targetUser":"","sourceHost":"a","targetHost":"b","authType":"","logonType":"","outcome":"success"}',
    '{"timeMs": 0, "user": "u", "targetHost": "b"}',
    '{"targetHost":"b","user":"u","timeMs":1700000000000}',
    '{"timeMs":1,"user":"u","targetHost":"b","evidence":"strong","uid":"e1"}',
    '{"timeMs":1,"user":"u","sourceHost":"b","evidence":"ticket","activity":"evidence"}',
  ]) {
    assert.ok(isPlain(text), text);
    assert.deepEqual(decodeIn("decode", text), decodeIn("decodeAny", text));
  }
});

test("what needs a closer look is not plain", () => {
  for (const text of [
    "",
    "{",
    "{}",
    '{"timeMs":1}',
    '{"user":"u"}',
    '{"timeMs":1,"user":""}',
    '{"timeMs":01,"user":"u"}',
    '{"timeMs":1.5,"user":"u"}',
    '{"timeMs":1000000000000000,"user":"u"}',
    '{"timeMs":,"user":"u"}',
    '{"timeMs":1,"user":"u",}',
    '{"timeMs":1,"user":"u","user":"v"}',
    '{"timeMs":1,"user":"\\u0041"}',
    '{"timeMs":1,"user":"é"}',
    '{"timeMs":1,"user":"u","outcome":""}',
    '{"timeMs":1,"user":"u","uid":1}',
    '{"timeMs":1,"user":"u","evidence":""}',
    '{"timeMs":1,"user":"u","activity":"logout"}',
    '{"timeMs":1,"user":"u"}}',
    '{"timeMs":1,"user":"u}',
  ]) {
    assert.ok(!isPlain(text), text);
  }
});

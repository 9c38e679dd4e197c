import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import avsc from "avsc";
import { LOGIN_SCHEMA } from "../../src/ingest/formats/avro-login.ts";
import {
  decode,
  decodeNow,
  decoderOf,
  head,
  KnownSchemas,
  LOGIN,
  loginOf,
  message,
  PUBLISHED,
  reasonOf,
  record,
  said,
  through,
  time,
  user,
  varint,
} from "./avro-messages.ts";

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

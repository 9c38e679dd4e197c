import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { assertGolden, countsOf, decodeSample, FORMAT_OPTIONS, textOfDecoded } from "./samples.ts";

test("authentications without a time are rejected, each record", () => {
  const lines = decodeSample("duo-authentication.jsonl", "duo");
  assertGolden("duo-authentication", lines);
  assert.deepEqual(countsOf(lines), { "rejected invalid-time": 8 });
});

test("the log of administrators holds no logins", () => {
  const lines = decodeSample("duo-administrator.jsonl", "duo");
  assertGolden("duo-administrator", lines);
  assert.deepEqual(countsOf(lines), { "ignored not-a-login": 20 });
});

// Written by hand after the published shape, as those of the sample have no time.
const RECORD = {
  access_device: { ip: "203.0.113.7", hostname: null, os: "Mac OS X" },
  alias: "",
  application: { key: "D12345", name: "Payroll Portal" },
  auth_device: { ip: "198.51.100.9", key: "P12345", name: "phone" },
  event_type: "authentication",
  factor: "duo_push",
  isotimestamp: "2026-03-01T10:00:00.335969+00:00",
  reason: "user_approved",
  result: "success",
  timestamp: 1772359200,
  txid: "1f6e1807-1732-49aa-8068-a973e6144e5e",
  user: { groups: [], key: "U12345", name: "Ann@Corp.example" },
};

function decoded(changes: object = {}): string {
  const bytes = Buffer.from(JSON.stringify({ ...RECORD, ...changes }));
  return textOfDecoded(createDecoder("auto", FORMAT_OPTIONS).decode(bytes, 0, bytes.length));
}

test("an approved push is a login with strong evidence, from where the application is used", () => {
  const expected = {
    timeMs: Date.UTC(2026, 2, 1, 10, 0, 0, 335),
    user: "ann@corp.example",
    targetUser: "ann@corp.example",
    sourceHost: "203.0.113.7",
    targetHost: "payroll portal",
    authType: "duo_push",
    logonType: "",
    outcome: "success",
    evidence: "strong",
    uid: "1f6e1807-1732-49aa-8068-a973e6144e5e",
  };
  assert.equal(decoded(), `login ${JSON.stringify(expected)}`);
});

test("a time may be in seconds, in milliseconds, or text", () => {
  const timeMs = (changes: object) => /"timeMs":(\d+)/.exec(decoded({ isotimestamp: null, ...changes }))?.[1];
  assert.equal(timeMs({}), "1772359200000");
  assert.equal(timeMs({ timestamp: 1772359200335 }), "1772359200335");
  assert.equal(timeMs({ timestamp: "1772359200" }), "1772359200000");
  assert.equal(timeMs({ timestamp: "2026-03-01 10:00:00" }), "1772359200000");
  assert.match(decoded({ isotimestamp: null, timestamp: null }), /^rejected invalid-time/);
});

test("a factor that nobody was asked for, or that an administrator handed out, is no evidence", () => {
  const evidence = (changes: object) =>
    /"outcome":"(\w+)","evidence":"(\w+)"/.exec(decoded(changes))?.slice(1);
  assert.deepEqual(evidence({ factor: "passcode", reason: "valid_passcode" }), ["success", "strong"]);
  assert.deepEqual(evidence({ reason: "bypass_user" }), ["success", "none"]);
  assert.deepEqual(evidence({ factor: "remembered_device", reason: "remembered_device" }), [
    "success",
    "none",
  ]);
  assert.deepEqual(evidence({ factor: "bypass_code", reason: "valid_passcode" }), ["success", "none"]);
  assert.deepEqual(evidence({ result: "denied", reason: "no_response" }), ["failure", "none"]);
  assert.deepEqual(evidence({ result: "FRAUD", reason: "user_marked_fraud" }), ["failure", "none"]);
  assert.deepEqual(evidence({ result: "constructor", reason: "toString" }), ["unknown", "none"]);
});

test("names come as the application sends them", () => {
  const user = (name: unknown) => /"user":"([^"]*)"/.exec(decoded({ user: { name, key: "U1" } }))?.[1];
  assert.equal(user("CORP\\Ann"), "ann@corp");
  assert.equal(user("Ann"), "ann");
  assert.equal(user(null), "u1");
  assert.match(decoded({ user: {} }), /^rejected no-user/);
  assert.match(decoded({ application: {} }), /"targetHost":"duo"/);
  assert.match(decoded({ access_device: { ip: "0.0.0.0" } }), /"sourceHost":""/);
  assert.match(decoded({ access_device: null }), /"sourceHost":""/);
});

test("enrollments are no logins", () => {
  assert.equal(decoded({ event_type: "enrollment" }), "ignored not-a-login");
  assert.equal(decoded({ event_type: undefined }), "ignored not-a-login");
});

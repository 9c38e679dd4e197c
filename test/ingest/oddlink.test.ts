import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import type { Decoded } from "../../src/ingest/decoded.ts";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { EVIDENCE, loginSchema, OUTCOMES } from "../../src/ingest/login.ts";
import { assertGolden, countsOf, decodeSample } from "./samples.ts";

test("records made by hand are read as the golden file says, each record", () => {
  const lines = decodeSample("oddlink-by-hand.jsonl", "oddlink");
  assertGolden("oddlink-by-hand", lines);
  assert.deepEqual(countsOf(lines), {
    login: 6,
    evidence: 1,
    "ignored failed-request": 1,
    "rejected invalid-login": 3,
    "rejected no-target-host": 1,
    "rejected name-too-long": 1,
    "rejected invalid-json": 1,
  });
});

function decode(record: unknown): Decoded {
  const bytes = Buffer.from(typeof record === "string" ? record : JSON.stringify(record));
  return createDecoder("oddlink", { lanlStartMs: 0 }).decode(bytes, 0, bytes.length);
}

test("any login survives being written as JSON and read back", () => {
  const name = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
    .filter((s) => Buffer.byteLength(s) <= 256);
  const login = fc.record({
    timeMs: fc.integer({ min: 0, max: 4e12 }),
    user: name,
    targetUser: name,
    sourceHost: name,
    targetHost: name,
    authType: name,
    logonType: name,
    outcome: fc.constantFrom(...OUTCOMES),
    evidence: fc.constantFrom(...EVIDENCE),
  });
  fc.assert(
    fc.property(login, (expected) => {
      const decoded = decode(expected);
      assert.ok(decoded.kind === "login");
      assert.deepEqual(loginSchema.parse(decoded.login.toLogin()), { ...expected });
    }),
  );
});

test("a record needs only time, user and target host; the rest has defaults", () => {
  const decoded = decode({ timeMs: 5, user: "ann", targetHost: "db" });
  assert.ok(decoded.kind === "login");
  assert.deepEqual(decoded.login.toLogin(), {
    timeMs: 5,
    user: "ann",
    targetUser: "ann",
    sourceHost: "",
    targetHost: "db",
    authType: "",
    logonType: "",
    outcome: "unknown",
    evidence: "none",
  });
});

test("an empty event id is none: such records are not duplicates of each other", () => {
  const decoded = decode({ timeMs: 5, user: "ann", targetHost: "db", uid: "" });
  assert.ok(decoded.kind === "login" && decoded.login.uid === undefined);
});

test("evidence is said by activity, needs its host, and is strong by default", () => {
  const decoded = decode({ activity: "evidence", timeMs: 5, user: "ann", sourceHost: "pc" });
  assert.ok(decoded.kind === "evidence");
  assert.equal(decoded.login.toLogin().evidence, "strong");
  assert.equal(decode({ activity: "evidence", timeMs: 5, user: "ann" }).kind, "rejected");
});

for (const [what, record, reason] of [
  ["no JSON", "{", "invalid-json"],
  ["a list", "[1]", "invalid-login"],
  ["a number", "5", "invalid-login"],
  ["null", "null", "invalid-login"],
  ["no user", { timeMs: 5, targetHost: "db" }, "invalid-login"],
  ["an empty user", { timeMs: 5, user: "", targetHost: "db" }, "invalid-login"],
  ["time as text", { timeMs: "5", user: "ann", targetHost: "db" }, "invalid-login"],
  ["time before 1970", { timeMs: -5, user: "ann", targetHost: "db" }, "invalid-login"],
  ["time beyond any date", { timeMs: 1e300, user: "ann", targetHost: "db" }, "invalid-login"],
  ["an unknown outcome", { timeMs: 5, user: "ann", targetHost: "db", outcome: "maybe" }, "invalid-login"],
  ["no target host", { timeMs: 5, user: "ann" }, "no-target-host"],
  ["a name of 300 letters", { timeMs: 5, user: "x".repeat(300), targetHost: "db" }, "invalid-login"],
  ["a name of 600 bytes", { timeMs: 5, user: "é".repeat(200), targetHost: "db" }, "name-too-long"],
] as const) {
  test(`${what} is rejected as ${reason}`, () => {
    const decoded = decode(record);
    assert.equal(decoded.kind === "rejected" && decoded.reason, reason);
  });
}

test("__proto__ is a user name like any other", () => {
  const decoded = decode(
    '{"timeMs":5,"user":"__proto__","targetHost":"constructor","__proto__":{"outcome":"failure"}}',
  );
  assert.ok(decoded.kind === "login");
  assert.equal(decoded.login.toLogin().user, "__proto__");
  assert.equal(decoded.login.toLogin().outcome, "unknown");
  assert.equal(({} as Record<string, unknown>)["outcome"], undefined);
});

test("random bytes never make a decoder throw", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom("auto", "lanl", "oddlink"),
      (bytes, format) => {
        createDecoder(format as "auto", { lanlStartMs: 0 }).decode(Buffer.from(bytes), 0, bytes.length);
      },
    ),
    { numRuns: 2000 },
  );
});

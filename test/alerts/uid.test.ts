import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SIGNALS } from "../../src/alerts/odd-login.ts";
import { alertUid, incidentUid } from "../../src/alerts/uid.ts";
import { nameArbitrary } from "./odd-logins.ts";

const RUNS = 1_000;

const alertParts = fc.record({
  topic: nameArbitrary,
  partition: fc.nat(),
  offset: fc.maxSafeNat(),
  detector: nameArbitrary,
});
const incidentParts = fc.record({
  tier: fc.constantFrom(...SIGNALS),
  user: nameArbitrary,
  sourceHost: nameArbitrary,
  slotStartMs: fc.maxSafeNat(),
});

test("uids never change, for consumers keep them", () => {
  const alert = { topic: "logins", partition: 3, offset: 4711, detector: "default" };
  assert.equal(alertUid(alert), "3f13a500d3ae09e20bc869eb35d81dfa");
  const incident = { tier: "presence", user: "alice", sourceHost: "laptop-9", slotStartMs: 0 } as const;
  assert.equal(incidentUid(incident), "b496ff1df8de73f77dca4ca445ca9933");
});

test("an alert's uid is stable and differs if any part differs", () => {
  fc.assert(
    fc.property(alertParts, alertParts, (a, b) => {
      assert.match(alertUid(a), /^[0-9a-f]{32}$/);
      assert.equal(alertUid(structuredClone(a)), alertUid(a));
      for (const part of ["topic", "partition", "offset", "detector"] as const) {
        const other = { ...a, [part]: b[part] };
        assert.equal(alertUid(other) === alertUid(a), b[part] === a[part], part);
      }
    }),
    { numRuns: RUNS },
  );
});

test("an incident's uid is stable and differs if any part differs", () => {
  fc.assert(
    fc.property(incidentParts, incidentParts, (a, b) => {
      assert.match(incidentUid(a), /^[0-9a-f]{32}$/);
      assert.equal(incidentUid(structuredClone(a)), incidentUid(a));
      for (const part of ["tier", "user", "sourceHost", "slotStartMs"] as const) {
        const other = { ...a, [part]: b[part] };
        assert.equal(incidentUid(other) === incidentUid(a), b[part] === a[part], part);
      }
    }),
    { numRuns: RUNS },
  );
});

test("parts that read the same when joined have different uids", () => {
  const at = (topic: string, partition: number, offset: number, detector: string) =>
    alertUid({ topic, partition, offset, detector });
  const from = (user: string, sourceHost: string) =>
    incidentUid({ tier: "link", user, sourceHost, slotStartMs: 0 });
  const uids = [
    at("logins", 1, 23, "x"),
    at("logins", 12, 3, "x"),
    at("logins1", 1, 23, "x"),
    at("logins", 1, 2, "3x"),
    at("logins/1", 1, 23, "x"),
    at('logins",1', 1, 23, "x"),
    at("logins", 1, 23, "\ud800"),
    at("logins", 1, 23, "\udc00"),
    at("logins", 1, 23, "\ufffd"),
    at("logins", 1, 23, "\\ud800"),
    from("ab", "c"),
    from("a", "bc"),
    from("abc", ""),
    from("", "abc"),
    from('a","b', ""),
    from("a", 'b",""'),
  ];
  assert.equal(new Set(uids).size, uids.length);
});

test("a partition, offset or slot that is no integer is a bug", () => {
  const parts = { topic: "logins", partition: 0, offset: 0, detector: "x" };
  for (const bad of [Number.NaN, 0.5, 2 ** 53]) {
    assert.throws(() => alertUid({ ...parts, partition: bad }), assert.AssertionError);
    assert.throws(() => alertUid({ ...parts, offset: bad }), assert.AssertionError);
    const incident = { tier: "link", user: "", sourceHost: "", slotStartMs: bad } as const;
    assert.throws(() => incidentUid(incident), assert.AssertionError);
  }
});

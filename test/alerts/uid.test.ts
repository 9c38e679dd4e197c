import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { alertUid, closingUid, incidentUid } from "../../src/alerts/uid.ts";
import { nameArbitrary } from "./odd-logins.ts";

const RUNS = 1_000;

const alertParts = fc.record({
  topic: nameArbitrary,
  partition: fc.nat(),
  offset: fc.maxSafeNat(),
  detector: nameArbitrary,
});

test("uids never change, for consumers keep them", () => {
  const alert = { topic: "logins", partition: 3, offset: 4711, detector: "default" };
  assert.equal(alertUid(alert), "3f13a500d3ae09e20bc869eb35d81dfa");
  assert.equal(incidentUid(alertUid(alert)), "002e374fffb2936e5d52f07e0307ccc7");
  assert.equal(closingUid(incidentUid(alertUid(alert))), "be3b0597dc2c79b8f0052e34957f9135");
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

test("an incident, the alert that began it and what closes it have uids of their own", () => {
  fc.assert(
    fc.property(alertParts, alertParts, (a, b) => {
      const uid = alertUid(a);
      assert.equal(new Set([uid, incidentUid(uid), closingUid(uid), closingUid(incidentUid(uid))]).size, 4);
      assert.equal(incidentUid(alertUid(b)) === incidentUid(uid), alertUid(b) === uid);
    }),
    { numRuns: RUNS },
  );
});

test("parts that read the same when joined have different uids", () => {
  const at = (topic: string, partition: number, offset: number, detector: string) =>
    alertUid({ topic, partition, offset, detector });
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
  ];
  assert.equal(new Set(uids).size, uids.length);
});

test("a partition or offset that is no integer is a bug", () => {
  const parts = { topic: "logins", partition: 0, offset: 0, detector: "x" };
  for (const bad of [Number.NaN, 0.5, 2 ** 53]) {
    assert.throws(() => alertUid({ ...parts, partition: bad }), assert.AssertionError);
    assert.throws(() => alertUid({ ...parts, offset: bad }), assert.AssertionError);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { ScoreDrift } from "../../src/metrics/score-drift.ts";

test("there is no drift before an epoch, nor before a thousand logins on either side", () => {
  const drift = new ScoreDrift();
  assert.equal(drift.index([5000, 5000]), undefined);
  drift.adopted([5000, 5000]);
  assert.equal(drift.index([5400, 5400]), undefined);
  assert.ok(Math.abs(drift.index([5500, 5500])!) < 1e-6);
});

test("scores that move from one decade to another are drift, and the next epoch is compared with the one before", () => {
  const drift = new ScoreDrift();
  drift.adopted([9000, 1000]);
  // From one in ten to one in two: (0.5 - 0.1) ln 5 + (0.5 - 0.9) ln (5/9).
  const expected = 0.4 * Math.log(5) - 0.4 * Math.log(5 / 9);
  assert.ok(Math.abs(drift.index([14_000, 6000])! - expected) < 0.01);
  drift.adopted([14_000, 6000]);
  assert.ok(drift.index([19_000, 11_000])! < 1e-6);
});

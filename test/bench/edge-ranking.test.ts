import assert from "node:assert/strict";
import { test } from "node:test";
import { rankingOf } from "../../bench/edge-ranking.ts";

test("a perfect order has area and precision 1, a reversed one area 0", () => {
  assert.deepEqual(rankingOf(Float64Array.of(3, 4), Float64Array.of(1, 2)), { auc: 1, averagePrecision: 1 });
  assert.equal(rankingOf(Float64Array.of(1, 2), Float64Array.of(3, 4)).auc, 0);
});

test("ties count half in the area and against the method in precision", () => {
  const { auc, averagePrecision } = rankingOf(Float64Array.of(1, 2), Float64Array.of(1, 1, 1));
  assert.equal(auc, 0.75);
  assert.equal(averagePrecision, (1 + 2 / 5) / 2);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyTotals, noCounts, parseTotals, plus } from "../../src/engine/totals.ts";

test("totals that were stored before scores were counted in fine bins go on, and these begin with nothing", () => {
  const { scoreBins, ...before } = { ...emptyTotals(), consumed: 7, scored: 7 };
  const restored = parseTotals(JSON.stringify(before));
  assert.equal(restored.scored, 7);
  assert.deepEqual(restored.scoreBins, scoreBins);
  const counts = noCounts();
  counts.scored = 1;
  counts.scoreBins[3] = 1;
  const sum = plus(restored, counts);
  assert.deepEqual([sum.scored, sum.scoreBins[3], sum.scoreBins[4]], [8, 1, 0]);
  assert.deepEqual(parseTotals(JSON.stringify(sum)), sum);
});

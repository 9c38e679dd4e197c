import assert from "node:assert/strict";
import { test } from "node:test";
import { RejectedShare } from "../../src/cli/rejected-share.ts";
import { emptyTotals } from "../../src/engine/totals.ts";

function watched() {
  let nowMs = 0;
  let consumed = 0;
  let rejected = 0;
  const warnings: string[] = [];
  const share = new RejectedShare({
    shareMax: 0.1,
    deadLetters: "oddlink.dead-letters",
    monotonicMs: () => nowMs,
    warn: (message) => warnings.push(message),
  });
  /** A second in which so many good and bad records are read. */
  const second = (good: number, bad: number): void => {
    nowMs += 1000;
    consumed += good + bad;
    rejected += bad;
    const totals = { ...emptyTotals(), consumed };
    Object.assign(totals.rejected, { "invalid-json": rejected });
    share.look(() => totals);
  };
  return { second, warnings };
}

test("a worker warns, not too often, while more can't be read than is allowed", () => {
  const { second, warnings } = watched();
  for (let i = 0; i < 150; i++) second(0, 600);
  assert.equal(warnings.length, 3);
  assert.equal(
    warnings[0],
    "600 of the last 600 records can't be read, most often: invalid-json; they go to oddlink.dead-letters. Is input.format right?",
  );
});

test("a few bad records, or few records at all, are no reason to warn", () => {
  const { second, warnings } = watched();
  for (let i = 0; i < 150; i++) second(600, 60);
  second(0, 99);
  assert.deepEqual(warnings, []);
  // Together with those before.
  second(0, 1);
  assert.equal(warnings.length, 1);
});

test("what went bad after a long good time is told of too", () => {
  const { second, warnings } = watched();
  for (let i = 0; i < 1000; i++) second(600, 0);
  second(0, 200);
  assert.match(warnings.join(), /^200 of the last 200 records/);
});

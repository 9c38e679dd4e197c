import assert from "node:assert/strict";
import { test } from "node:test";
import { believesJump, emptyTotals } from "../../src/engine/totals.ts";

const DAY_MS = 86_400_000;

test("one login far ahead is not believed, twenty in a row that lie together are", () => {
  const { ahead } = emptyTotals();
  const believed = Array.from({ length: 20 }, (_, i) =>
    believesJump(ahead, 400 * DAY_MS + i * 1000, 30 * DAY_MS),
  );
  assert.deepEqual(believed, [...new Array(19).fill(false), true]);
});

test("logins far ahead of each other are not believed, however many", () => {
  const { ahead } = emptyTotals();
  for (let i = 1; i < 100; i++) assert.equal(believesJump(ahead, i * 400 * DAY_MS, 30 * DAY_MS), false);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { planMerge } from "../../src/engine/merge-plan.ts";

const BOUNDS = { bytesMin: 10, bytesMax: 1000 };

test("groups are merged from the oldest on whose successors weigh twice what it does", () => {
  assert.deepEqual(planMerge([5, 6, 4], BOUNDS), { from: 0, to: 3 });
  assert.deepEqual(planMerge([100, 4, 3, 4], BOUNDS), undefined, "three weigh seven after the first of them");
  assert.deepEqual(planMerge([100, 4, 6, 4], BOUNDS), { from: 1, to: 4 });
  assert.deepEqual(planMerge([100, 190, 5, 5], BOUNDS), { from: 0, to: 4 });
  assert.deepEqual(planMerge([100, 20, 5, 5], BOUNDS), undefined);
});

test("nothing is merged for little, nor alone", () => {
  assert.equal(planMerge([], BOUNDS), undefined);
  assert.equal(planMerge([1000], BOUNDS), undefined);
  assert.equal(planMerge([1, 9], BOUNDS), undefined);
  assert.deepEqual(planMerge([1, 10], BOUNDS), { from: 0, to: 2 });
});

test("where much has piled up the oldest of it go first", () => {
  const bounds = { bytesMin: 10, bytesMax: 30 };
  assert.deepEqual(planMerge(Array(100).fill(10), bounds), { from: 0, to: 4 });
  assert.deepEqual(
    planMerge([40, ...Array(100).fill(10)], bounds),
    { from: 0, to: 9 },
    "as much as twice the first",
  );
});

test("whatever comes, few groups are left, and each byte is written again a few times", () => {
  let groups: number[] = [];
  let written = 0;
  const count = 5000;
  for (let i = 0; i < count; i++) {
    groups.push(1);
    const places = planMerge(groups, BOUNDS);
    if (places === undefined) continue;
    const sum = groups.slice(places.from, places.to).reduce((a, b) => a + b, 0);
    written += sum;
    groups = [...groups.slice(0, places.from), sum, ...groups.slice(places.to)];
    assert.equal(planMerge(groups, BOUNDS), undefined, "one merge is enough");
  }
  assert.ok(groups.length < 20, `${groups.length} groups`);
  assert.ok(written / count < 10, `each byte ${written / count} times`);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { linkWeights } from "../../../src/model/training/link-weights.ts";
import { twoCommunities } from "../graphs.ts";

const DAY_MS = 86_400_000;
const { graph } = twoCommunities({ users: 6, hosts: 6, links: 4 });
const aged = {
  ...graph,
  linkCount: Float64Array.from([1, 1, 1, 9]),
  linkLastMs: Float64Array.from([100, 86, 101, -1e6].map((day) => day * DAY_MS)),
  watermarkMs: 100 * DAY_MS,
};

test("a link whose last login is one half-life back counts half, and one from the future no more than one of now", () => {
  const [now, old, future] = linkWeights(aged, 14);
  assert.equal(now, Math.log1p(1));
  assert.ok(Math.abs(old! / now! - 0.5) < 1e-12);
  assert.equal(future, now);
});

test("the oldest link still counts, and with a half-life of 0 age does not matter", () => {
  assert.ok(linkWeights(aged, 0.01)[3]! > 0);
  assert.deepEqual([...linkWeights(aged, 0)], [1, 1, 1, 9].map(Math.log1p));
});

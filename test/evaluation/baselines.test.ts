import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BASELINES, type PairFacts } from "../../src/evaluation/baselines.ts";

const facts: PairFacts = {
  pairCount: 3,
  sourceCount: 9,
  targetCount: 34,
  sourceDegree: 2,
  targetDegree: 5,
  isWeak: false,
  isPresence: false,
};

function oddness(name: string, changes: Partial<PairFacts> = {}): number {
  const baseline = BASELINES.find((each) => each.name === name);
  assert(baseline !== undefined, `no baseline ${name}`);
  return baseline.oddness({ ...facts, ...changes });
}

test("the table has all of them, each with a help line", () => {
  assert.deepEqual(
    BASELINES.map(({ name }) => name),
    [
      "never-seen-link",
      "target-given-source",
      "source-given-target",
      "degree-sum",
      "never-seen-and-weak",
      "weak-then-rarity",
      "presence-weak-rarity",
      "never-seen-degree",
    ],
  );
  for (const { help } of BASELINES) assert.match(help, /\S/);
});

test("a link is odd when its pair was never seen", () => {
  assert.equal(oddness("never-seen-link"), 0);
  assert.equal(oddness("never-seen-link", { pairCount: 0 }), 1);
});

test("conditional probabilities by hand", () => {
  assert.equal(oddness("target-given-source"), -Math.log(3.5 / 10));
  assert.equal(oddness("source-given-target"), -Math.log(3.5 / 35));
  assert.equal(oddness("target-given-source", { pairCount: 0, sourceCount: 0 }), Math.log(2));
});

test("the degree sum is odder the lower it is", () => {
  assert.equal(oddness("degree-sum"), -7);
  assert.equal(oddness("degree-sum", { sourceDegree: 0, targetDegree: 0 }), 0);
});

test("a link that is new and weak needs both", () => {
  assert.equal(oddness("never-seen-and-weak", { pairCount: 0, isWeak: true }), 1);
  assert.equal(oddness("never-seen-and-weak", { pairCount: 0 }), 0);
  assert.equal(oddness("never-seen-and-weak", { isWeak: true }), 0);
});

test("tiers come first, whatever is rare within them", () => {
  const many = 1e6;
  const weakAndUsual = oddness("weak-then-rarity", { isWeak: true, pairCount: many });
  assert.ok(weakAndUsual > oddness("weak-then-rarity", { pairCount: 0 }));
  assert.ok(weakAndUsual < oddness("weak-then-rarity", { isWeak: true, pairCount: many - 1 }));
  const presence = oddness("presence-weak-rarity", { isPresence: true, isWeak: true, pairCount: many });
  assert.ok(presence > oddness("presence-weak-rarity", { isWeak: true, pairCount: 0 }));
  const unseen = oddness("never-seen-degree", { pairCount: 0, sourceDegree: many, targetDegree: many });
  assert.ok(unseen > oddness("never-seen-degree", { sourceDegree: 0, targetDegree: 0 }));
  assert.ok(unseen < oddness("never-seen-degree", { pairCount: 0, sourceDegree: 1, targetDegree: 1 }));
});

test("seeing a pair more often never makes it odder, and no counts make a formula fail", () => {
  const count = fc.nat({ max: 1e9 });
  const all = fc.record({
    pairCount: count,
    sourceCount: count,
    targetCount: count,
    sourceDegree: count,
    targetDegree: count,
    isWeak: fc.boolean(),
    isPresence: fc.boolean(),
  });
  fc.assert(
    fc.property(all, (before) => {
      for (const baseline of BASELINES) {
        const odd = baseline.oddness(before);
        assert(Number.isFinite(odd));
        assert(baseline.oddness({ ...before, pairCount: before.pairCount + 1 }) <= odd);
      }
    }),
  );
});

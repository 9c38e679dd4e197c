import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fitTail, tailProbability } from "../../src/model/tail.ts";

const sample = fc.array(
  fc.tuple(fc.float({ min: -50, max: 50, noNaN: true }), fc.integer({ min: 1, max: 20 })),
  {
    minLength: 1,
    maxLength: 200,
  },
);
const fit = (pairs: readonly (readonly [number, number])[]) =>
  fitTail(
    pairs.map(([value]) => value),
    pairs.map(([, weight]) => weight),
  );

test("a probability lies in (0, 1], never rises with oddness, and falls without end beyond the sample", () => {
  fc.assert(
    fc.property(
      sample,
      fc.float({ min: -60, max: 60, noNaN: true }),
      fc.float({ min: 0, max: 20, noNaN: true }),
      (pairs, x, more) => {
        const tail = fit(pairs);
        const near = tailProbability(tail, x);
        const far = tailProbability(tail, x + more);
        assert.ok(near > 0 && near <= 1 && far > 0 && far <= near);
        const beyond = Math.max(...pairs.map(([value]) => value));
        let last = tailProbability(tail, beyond);
        for (let i = 1; i <= 500; i++) {
          const next = tailProbability(tail, beyond + i * tail.scale);
          assert.ok(next < last);
          last = next;
        }
      },
    ),
  );
});

test("of a thousand equal steps the probability is about the share at or above", () => {
  const tail = fit(Array.from({ length: 1000 }, (_, i) => [i, 1] as const));
  for (const x of [0, 100, 500, 900])
    assert.ok(Math.abs(tailProbability(tail, x) - (1 - x / 1000)) < 0.01, `${x}`);
});

test("an exponential sample is extrapolated as one", () => {
  const pairs = Array.from({ length: 20_000 }, (_, i) => [-Math.log((i + 0.5) / 20_000), 1] as const);
  const tail = fit(pairs);
  for (const x of [5, 10, 15]) assert.ok(Math.abs(Math.log(tailProbability(tail, x)) + x) < 0.15 * x, `${x}`);
});

test("one value, or none, gives a distribution that claims little", () => {
  assert.equal(tailProbability(fit([[3, 1]]), 3), 1);
  assert.equal(tailProbability(fitTail([], []), 0), 1);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../../src/model/random.ts";
import { Midas } from "../../../src/model/volume/midas.ts";
import { MIDAS_VARIANTS, type MidasVariant } from "../../../src/model/volume/midas-options.ts";

const FLOOD = 500;

/** Steady traffic over `ticks` ticks: each of 40 edges once or twice a tick. Returns the greatest score of the last half. */
function steady(midas: Midas, ticks: number, firstTick = 1): number {
  const random = new Random(7, "steady traffic");
  let greatest = 0;
  for (let tick = firstTick; tick < firstTick + ticks; tick++) {
    for (let edge = 0; edge < 40; edge++) {
      for (let i = random.nextInt(2); i >= 0; i--) {
        const score = midas.add(edge, 100 + edge, tick);
        if (tick > firstTick + ticks / 2) greatest = Math.max(greatest, score);
      }
    }
  }
  return greatest;
}

/** The greatest score of one tick of a flood on an edge. */
function flood(midas: Midas, tick: number, edge = 0): number {
  let greatest = 0;
  for (let i = 0; i < FLOOD; i++) greatest = Math.max(greatest, midas.add(edge, 100 + edge, tick));
  return greatest;
}

for (const variant of MIDAS_VARIANTS) {
  test(`${variant} scores a burst on a quiet edge far above steady traffic`, () => {
    const midas = new Midas({ variant });
    const usual = steady(midas, 200);
    assert.ok(flood(midas, 201) > 100 * usual);
  });

  test(`${variant} gives the same scores for the same edges`, () => {
    const scores = (): number[] => {
      const midas = new Midas({ variant });
      return [steady(midas, 50), flood(midas, 51), steady(midas, 50, 52)];
    };
    assert.deepEqual(scores(), scores());
  });
}

/** Score of the hundredth flood of an edge that is flooded again and again, as a share of the first one's. */
function shareOfFirst(variant: MidasVariant): number {
  const midas = new Midas({ variant });
  steady(midas, 200);
  const first = flood(midas, 201);
  let last = 0;
  for (let tick = 202; tick <= 300; tick++) last = flood(midas, tick);
  return last / first;
}

test("a flood that goes on does not become normal where anomalous counts are not merged", () => {
  assert.ok(shareOfFirst("midas-f") > 0.9);
  assert.ok(shareOfFirst("midas-r") < 0.1);
});

test("a scan of many targets shows in the count of its source, though each of its edges is new", () => {
  const scan = (variant: MidasVariant): number => {
    const midas = new Midas({ variant, columns: 8192 });
    steady(midas, 200);
    let greatest = 0;
    for (let i = 0; i < FLOOD; i++) greatest = Math.max(greatest, midas.add(0, 10_000 + i, 201));
    return greatest;
  };
  assert.ok(scan("midas-f") > 100 * scan("midas"));
});

test("counts fade over empty ticks as over others", () => {
  const scoreAfter = (ticks: number): number => {
    const midas = new Midas({ variant: "midas-r", decay: 0.5 });
    steady(midas, 20);
    flood(midas, 21);
    return midas.add(0, 100, 21 + ticks);
  };
  assert.ok(scoreAfter(1) > 10 * scoreAfter(10));
});

test("an edge of an earlier tick counts in the current one", () => {
  const [late, punctual] = [new Midas(), new Midas()];
  steady(late, 20);
  steady(punctual, 20);
  assert.equal(late.add(0, 100, 3), punctual.add(0, 100, 20));
});

test("memory stays what it was, however many edges come", () => {
  const midas = new Midas({ rows: 3, columns: 100 });
  assert.equal(midas.bytes, 3 * 3 * 100 * 24);
  for (let i = 0; i < 10_000; i++) midas.add(i, i + 1, 1 + Math.floor(i / 100));
  assert.equal(midas.bytes, 3 * 3 * 100 * 24);
});

test("what can't be a sketch is refused", () => {
  assert.throws(() => new Midas({ rows: 0 }), /rows/);
  assert.throws(() => new Midas({ columns: 1.5 }), /columns/);
  assert.throws(() => new Midas({ decay: 1 }), /decay/);
});

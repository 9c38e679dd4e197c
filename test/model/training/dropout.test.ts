import assert from "node:assert/strict";
import { test } from "node:test";
import { dropOut } from "../../../src/model/training/dropout.ts";

const COUNT = 100_000;
const RATE = 0.2;

function maskOf(seed: number, step: number, layer: 1 | 2): Float64Array {
  const mask = new Float64Array(COUNT).fill(1);
  dropOut(mask, { rate: RATE, seed }, step, layer);
  return mask;
}

test("the share that was asked for is dropped, and what is kept makes up for it", () => {
  const mask = maskOf(1, 1, 1);
  const dropped = mask.filter((factor) => factor === 0).length / COUNT;
  // Five standard deviations of a fair draw.
  assert.ok(Math.abs(dropped - RATE) < 5 * Math.sqrt((RATE * (1 - RATE)) / COUNT), `${dropped}`);
  assert.ok(mask.every((factor) => factor === 0 || factor === 1 / (1 - RATE)));
});

test("steps, layers and seeds drop independently of each other, and so do neighbours", () => {
  const mask = maskOf(1, 1, 1);
  const others = [maskOf(1, 2, 1), maskOf(1, 1, 2), maskOf(2, 1, 1), maskOf(2, 2, 1), mask.subarray(1)];
  for (const other of [...others, mask.subarray(32)]) {
    const both = other.filter((factor, i) => factor === 0 && mask[i] === 0).length / other.length;
    assert.ok(Math.abs(both - RATE * RATE) < 5 * Math.sqrt((RATE * RATE) / COUNT), `${both}`);
  }
  assert.deepEqual(maskOf(1, 1, 1), mask);
});

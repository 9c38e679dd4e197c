import assert from "node:assert/strict";
import { test } from "node:test";
import { fitLogistic } from "../../../src/model/contrast/logistic.ts";
import { Random } from "../../../src/model/random.ts";

const L2 = 0.01;

/** Rows of which the first feature speaks for label 1, the second against it, and the third says nothing. */
function data(count: number) {
  const random = new Random(1, "logistic");
  const rows = new Float64Array(3 * count);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < 3; k++) rows[3 * i + k] = random.nextWithin(2);
    const x = 2 * rows[3 * i]! - 1.5 * rows[3 * i + 1]! - 0.5;
    labels[i] = random.nextFloat() < 1 / (1 + Math.exp(-x)) ? 1 : 0;
  }
  return { rows, labels };
}

function lossOf(rows: Float64Array, labels: Uint8Array, weights: ArrayLike<number>, bias: number): number {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    let x = bias;
    for (let k = 0; k < 3; k++) x += weights[k]! * rows[3 * i + k]!;
    sum += Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0) - x * labels[i]!;
  }
  for (let k = 0; k < 3; k++) sum += (labels.length * L2 * weights[k]! ** 2) / 2;
  return sum / labels.length;
}

test("a feature that speaks for the label has weight, one that speaks against it has none", () => {
  const { rows, labels } = data(5000);
  const { weights } = fitLogistic(rows, labels, 3, L2);
  assert.ok(weights[0]! > 1, `${weights[0]}`);
  assert.equal(weights[1], 0);
  assert.ok(weights[2]! < 0.1, `${weights[2]}`);
});

test("nothing near the fit within the bound is better", () => {
  const { rows, labels } = data(2000);
  const { weights, bias } = fitLogistic(rows, labels, 3, L2);
  const least = lossOf(rows, labels, weights, bias);
  const step = 0.01;
  for (let k = 0; k < 3; k++) {
    for (const change of [-step, step]) {
      const moved = Float64Array.from(weights);
      moved[k] = moved[k]! + change;
      if (moved[k]! < 0) continue;
      assert.ok(lossOf(rows, labels, moved, bias) >= least, `weight ${k} by ${change}`);
    }
  }
  for (const change of [-step, step]) assert.ok(lossOf(rows, labels, weights, bias + change) >= least);
});

test("labels that a feature tells apart without fail do not blow it up", () => {
  const rows = Float64Array.from([-1, -1, 1, 1]);
  const { weights, bias } = fitLogistic(rows, Uint8Array.from([0, 0, 1, 1]), 1, L2);
  assert.ok(weights[0]! > 1 && weights[0]! < 20, `${weights[0]}`);
  assert.ok(Math.abs(bias) < 1e-6);
});

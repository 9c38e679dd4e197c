import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SIGNALS } from "../../src/alerts/odd-login.ts";
import { confidenceOf, MEDIUM_SCORE_MAX, riskScore, severityOf } from "../../src/alerts/severity.ts";

test("presence is of high severity, everything else is medium or low by score", () => {
  for (const signal of SIGNALS) {
    const rare = severityOf({ signal, score: MEDIUM_SCORE_MAX }).caption;
    const common = severityOf({ signal, score: MEDIUM_SCORE_MAX * 1.01 }).caption;
    assert.deepEqual([rare, common], signal === "presence" ? ["High", "High"] : ["Medium", "Low"]);
  }
});

test("confidence depends on the signal and drops while an account is learnt", () => {
  const captions = (learning: string | null) =>
    SIGNALS.map((signal) => confidenceOf({ signal, learning }).caption);
  assert.deepEqual(captions(null), ["High", "Medium", "Low", "Medium"]);
  assert.deepEqual(captions("2 of 50 records"), ["Medium", "Low", "Low", "Low"]);
});

test("a risk score is ten points for each factor of ten, from 0 to 100", () => {
  assert.deepEqual([1, 0.1, 1e-5, 1e-10, 1e-300, 0].map(riskScore), [0, 10, 50, 100, 100, 100]);
  assert(Object.is(riskScore(1), 0), "no negative zero");
});

test("a rarer login never has a lower risk score", () => {
  const probability = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(probability, probability, (a, b) => {
      const [rarer, commoner] = [Math.min(a, b), Math.max(a, b)];
      assert(Number.isInteger(riskScore(a)));
      assert(riskScore(rarer) >= riskScore(commoner));
    }),
  );
});

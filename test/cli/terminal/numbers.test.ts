import assert from "node:assert/strict";
import { test } from "node:test";
import { countText, durationText, oddsText, scoreText } from "../../../src/cli/terminal/numbers.ts";

test("counts are grouped and whole", () => {
  assert.equal(countText(1234567.4), "1,234,567");
  assert.equal(countText(0), "0");
});

test("a score has two digits, with an exponent below a thousandth", () => {
  assert.equal(scoreText(3.24e-7), "3.2e-7");
  assert.equal(scoreText(0.0312), "0.031");
  assert.equal(scoreText(1), "1");
  assert.equal(scoreText(0), "0");
  assert.equal(scoreText(Number.NaN), "unknown");
});

test("odds are one login in N, to two digits", () => {
  assert.equal(oddsText(1e-5), "one login in 100,000");
  assert.equal(oddsText(3.24e-7), "one login in 3,100,000");
  assert.equal(oddsText(0.3), "one login in 3.3");
  assert.equal(oddsText(1), "one login in 1");
  assert.equal(oddsText(1e-12), "less than one login in a billion");
  assert.equal(oddsText(0), "odder than any login before");
});

test("a duration has its two largest units", () => {
  const cases: [number, string][] = [
    [0, "0 s"],
    [59.4, "59 s"],
    [59.6, "1 min"],
    [80, "1 min 20 s"],
    [7500, "2 h 5 min"],
    [100_000, "1 d 3 h"],
    [-1, "0 s"],
  ];
  for (const [seconds, text] of cases) assert.equal(durationText(seconds), text);
});

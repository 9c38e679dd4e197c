import assert from "node:assert/strict";
import { test } from "node:test";
import { FEATURE_COUNT, fitContrast, logOddsOf } from "../../../src/model/contrast/contrast-fit.ts";
import { CONTRAST_FEATURES, LINK_FEATURES } from "../../../src/model/contrast/features.ts";
import { Random } from "../../../src/model/random.ts";

const placeOf = (name: string): number => CONTRAST_FEATURES.findIndex((feature) => feature.name === name);
const TOLD = placeOf("targetGivenSource");
const NEVER_KNOWN = placeOf("authGivenUser");
const OFTEN_MISSING = placeOf("newTargetsHour");
const LINK = placeOf("userTargetLink");

/** Logins with three fakes each, that `TOLD` and `LINK` tell apart, of which `OFTEN_MISSING` is missing at random. */
function samples(count: number): Float32Array[] {
  const random = new Random(1, "samples");
  return Array.from({ length: count }, () => {
    const rows = new Float32Array(4 * FEATURE_COUNT);
    for (let r = 0; r < 4; r++) {
      for (let k = 0; k < FEATURE_COUNT; k++) rows[r * FEATURE_COUNT + k] = random.nextFloat();
      for (const k of [TOLD, LINK]) rows[r * FEATURE_COUNT + k]! += r === 0 ? 0 : 1;
      rows[r * FEATURE_COUNT + NEVER_KNOWN] = Number.NaN;
      if (random.nextFloat() < 0.7) rows[r * FEATURE_COUNT + OFTEN_MISSING] = Number.NaN;
    }
    return rows;
  });
}

test("what tells logins from their fakes has weight, and a fake scores above its login", () => {
  const fit = fitContrast(samples(500), true)!;
  assert.ok(fit.weights[TOLD]! > 0.5 && fit.weights[LINK]! > 0.5);
  let wins = 0;
  for (const rows of samples(500)) {
    const [real, fake] = [0, 1].map((r) =>
      logOddsOf(fit, rows.subarray(r * FEATURE_COUNT, (r + 1) * FEATURE_COUNT)),
    );
    if (fake! > real!) wins++;
  }
  assert.ok(wins > 450, `${wins} of 500`);
});

test("a feature that nobody has, or that is missing at random, says nothing", () => {
  const fit = fitContrast(samples(2000), true)!;
  assert.equal(fit.weights[NEVER_KNOWN], 0);
  assert.ok(fit.weights[OFTEN_MISSING]! < 0.05, `${fit.weights[OFTEN_MISSING]}`);
});

test("contributions add up to the log-odds, and each is what its weight says", () => {
  const fit = fitContrast(samples(500), true)!;
  const contributions = new Float64Array(FEATURE_COUNT);
  const values = samples(1)[0]!.subarray(0, FEATURE_COUNT);
  const logOdds = logOddsOf(fit, values, contributions);
  const sum = contributions.reduce((a, b) => a + b, fit.bias);
  assert.ok(Math.abs(sum - logOdds) < 1e-9);
  assert.ok(contributions[TOLD]! < 0, "less odd than usual: it is a real one");
});

test("without the graph model its likelihoods have no weight", () => {
  const fit = fitContrast(samples(500), false)!;
  for (const [k, { name }] of CONTRAST_FEATURES.entries())
    if (LINK_FEATURES.has(name)) assert.equal(fit.weights[k], 0, name);
  assert.ok(fit.weights[TOLD]! > 0.5);
});

test("a few logins, or none that a fake could be made of, give no fit", () => {
  assert.equal(fitContrast(samples(20), true), undefined);
  const alone = samples(500).map((rows) => rows.fill(Number.NaN, FEATURE_COUNT));
  assert.equal(fitContrast(alone, true), undefined);
});

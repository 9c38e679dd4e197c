import assert from "node:assert/strict";
import { test } from "node:test";
import {
  daysText,
  forecastAt,
  forecastText,
  placeOf,
  placesOf,
  rateText,
  type ScoreCounts,
  scoreAt,
  usualPlace,
} from "../../src/console/page/threshold-forecast.ts";

function counts(changes: Partial<ScoreCounts> = {}): ScoreCounts {
  const logins = new Array<number>(128).fill(0);
  const groups = [...logins];
  logins[0] = 900;
  logins[15] = 60;
  logins[40] = 40;
  groups[15] = 30;
  groups[40] = 10;
  return { binsPerNat: 4, logins, groups, days: 10, groupsBelow: 0.05, alertsPerDay: 2, ...changes };
}

test("what lies below a threshold is counted, and linear within a bin", () => {
  assert.deepEqual(forecastAt(15, counts()), { logins: 100, groups: 40, groupsPerDay: 4 });
  assert.deepEqual(forecastAt(16, counts()), { logins: 40, groups: 10, groupsPerDay: 1 });
  assert.deepEqual(forecastAt(15.5, counts()), { logins: 70, groups: 25, groupsPerDay: 2.5 });
  assert.deepEqual(forecastAt(41, counts()), { logins: 0, groups: 0, groupsPerDay: 0 });
  assert.equal(forecastAt(0, counts()).logins, 1000);
  assert.ok(Math.abs(placeOf(scoreAt(17, counts()), counts()) - 17) < 1e-9);
});

test("a threshold is not put where groups are not counted", () => {
  assert.deepEqual(placesOf(counts()), { highest: 12, lowest: 127 });
  assert.ok(scoreAt(12, counts()) <= 0.05);
  assert.equal(placesOf(counts({ groupsBelow: 1 })).highest, 0);
});

test("where nothing is in force, the line begins where the budget would be spent", () => {
  assert.equal(usualPlace(counts()), 16);
  assert.equal(usualPlace(counts({ alertsPerDay: 4 })), 12);
  assert.equal(usualPlace(counts({ alertsPerDay: 0.5 })), 41);
  assert.equal(usualPlace(counts({ alertsPerDay: null })), 28);
  assert.equal(usualPlace(counts({ days: 0 })), 28);
});

test("it is said in words, no finer than it is known", () => {
  assert.equal(forecastText(16, counts()), "40 of 1,000 logins; 10 groups in 10 days, about 1 a day");
  assert.equal(forecastText(41, counts()), "0 of 1,000 logins; 0 groups in 10 days, none a day");
  assert.equal(forecastText(16, counts({ days: 0 })), "40 of 1,000 logins; no group has ended yet");
  assert.deepEqual([0.04, 0.26, 9.4, 9.6, 1234].map(rateText), [
    "less than one in ten days",
    "about 0.3 a day",
    "about 9.4 a day",
    "about 10 a day",
    "about 1,234 a day",
  ]);
  assert.deepEqual([1 / 24, 0.5, 1.9, 2, 14].map(daysText), [
    "1 hour",
    "12 hours",
    "46 hours",
    "2 days",
    "14 days",
  ]);
});

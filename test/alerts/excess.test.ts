import assert from "node:assert/strict";
import { test } from "node:test";
import { excessSince } from "../../src/alerts/excess.ts";
import { HourlyHistogram } from "../../src/graph-state/hourly-histograms.ts";

const USUAL_BIN = 60;
const ODD_BIN = 120;
/** Ten days of what is usual: two odd incidents a day and 24 that are less so. The budget is 5. */
const SINCE = 240;
const BUDGET = 5;

/** @param later odd incidents in each of the hours that follow */
function histogram(later: readonly number[]): HourlyHistogram {
  const peaks = new HourlyHistogram();
  for (let hour = 0; hour <= SINCE; hour++) {
    peaks.record(hour, USUAL_BIN);
    if (hour % 12 === 0) peaks.record(hour, ODD_BIN);
  }
  for (const [i, count] of later.entries()) {
    for (let n = 0; n < count; n++) peaks.record(SINCE + 1 + i, ODD_BIN);
    for (let n = 0; n < 20; n++) peaks.record(SINCE + 1 + i, USUAL_BIN);
  }
  return peaks;
}

const excess = (later: readonly number[], hours: number, alertsPerDay = BUDGET) =>
  excessSince(
    histogram(later),
    { sinceHour: SINCE, throughHour: SINCE + hours, originHour: 0 },
    alertsPerDay,
  );

test("more than three times the budget's share of odd incidents is an excess, as many is none", () => {
  const day = new Array<number>(24).fill(0).with(3, 8).with(20, 8);
  assert.deepEqual(excess(day, 24), { incidents: 16, allowed: 15, hours: 24 });
  assert.equal(excess(day.with(20, 7), 24), undefined);
});

test("however many incidents there are of what was usual before, they are no excess", () => {
  assert.equal(excess(new Array<number>(24).fill(0), 24), undefined);
});

test("a few incidents in the first hours are none: a day's budget may be due in a working day", () => {
  assert.equal(excess([10], 1), undefined);
  assert.deepEqual(excess([11], 1), { incidents: 11, allowed: 10, hours: 1 });
  assert.equal(excess([20], 1, 20), undefined);
  assert.deepEqual(excess([21], 1, 20), { incidents: 21, allowed: 20, hours: 1 });
});

test("what comes more than a day after the change is not laid to its charge", () => {
  const later = [...new Array<number>(24).fill(0), 100];
  assert.equal(excess(later, 25), undefined);
  assert.ok(excess([100, ...later], 26) !== undefined);
});

test("before two days were seen nothing is usual yet", () => {
  const hours = { sinceHour: SINCE, throughHour: SINCE + 2 };
  assert.equal(excessSince(histogram([50, 50]), { ...hours, originHour: SINCE - 46 }, BUDGET), undefined);
  assert.ok(excessSince(histogram([50, 50]), { ...hours, originHour: SINCE - 47 }, BUDGET) !== undefined);
});

test("it is the same for whoever holds the hours as a sum of what others have recorded", () => {
  const [one, whole] = [histogram([6, 9]), histogram([6, 9, 0, 0])];
  const summed = new HourlyHistogram();
  for (const { hour, bins, counts } of one.all("peaks").toReversed()) {
    summed.add(
      hour,
      bins,
      counts.map((count) => Math.floor(count / 2)),
    );
    summed.add(
      hour,
      bins,
      counts.map((count) => Math.ceil(count / 2)),
    );
  }
  const hours = { sinceHour: SINCE, throughHour: SINCE + 2, originHour: 0 };
  assert.deepEqual(excessSince(summed, hours, BUDGET), { incidents: 15, allowed: 10, hours: 2 });
  assert.deepEqual(excessSince(whole, hours, BUDGET), excessSince(summed, hours, BUDGET));
});

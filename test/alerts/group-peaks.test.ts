import assert from "node:assert/strict";
import { test } from "node:test";
import { BINS_PER_NAT } from "../../src/alerts/budget.ts";
import { recentPeaks, SCORE_BINS, scoreBinOf } from "../../src/alerts/group-peaks.ts";
import { HourlyHistogram } from "../../src/graph-state/hourly-histograms.ts";

const HOUR_MS = 3_600_000;
const HOUR = 24 * 20_000;

function peaksOf(hours: readonly number[], nats = 7.1): HourlyHistogram {
  const peaks = new HourlyHistogram();
  for (const hour of hours) peaks.record(hour, nats * BINS_PER_NAT);
  return peaks;
}

test("groups that ended lately are counted by their oddest score, the hour left out that is not over", () => {
  const { counts, days } = recentPeaks(peaksOf([HOUR - 6, HOUR - 1, HOUR]), HOUR * HOUR_MS + 5);
  assert.equal(counts.length, SCORE_BINS);
  assert.equal(counts[scoreBinOf(Math.exp(-7.1))], 2);
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    2,
  );
  assert.equal(days, 6 / 24);
});

test("days are whole once there is one, those without any count for nothing, and none is older than 14 days", () => {
  const ofDays = (...daysAgo: number[]) =>
    recentPeaks(peaksOf(daysAgo.map((day) => HOUR - 24 * day)), HOUR * HOUR_MS);
  assert.equal(ofDays(3, 2, 1).days, 3);
  assert.equal(ofDays(9, 1).days, 2);
  const long = ofDays(20, 13, 12);
  assert.equal(long.days, 2);
  assert.equal(long.counts[scoreBinOf(Math.exp(-7.1))], 2);
});

test("before anything was seen there is nothing in no time", () => {
  const nothing = recentPeaks(new HourlyHistogram(), Number.NEGATIVE_INFINITY);
  assert.equal(nothing.days, 0);
  assert.equal(recentPeaks(new HourlyHistogram(), HOUR * HOUR_MS).days, 0);
});

test("a score has a bin whatever it is, and what is odder is in a later one", () => {
  const bins = [1, 0.9, 0.05, 1e-3, 1e-9, 1e-14, 1e-300, 0].map(scoreBinOf);
  assert.deepEqual(
    bins,
    bins.toSorted((a, b) => a - b),
  );
  assert.equal(bins[0], 0);
  assert.equal(bins.at(-1), SCORE_BINS - 1);
});

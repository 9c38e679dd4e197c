import assert from "node:assert/strict";
import { test } from "node:test";
import { HourlyHistogram } from "../../src/graph-state/hourly-histograms.ts";
import { TrailingHistogram } from "../../src/model/trailing-histogram.ts";

function record(histogram: HourlyHistogram, hour: number, bin: number, count: number): void {
  for (let i = 0; i < count; i++) histogram.record(hour, bin);
}

test("the newest closed hours count, as many as are needed and no more", () => {
  const histogram = new HourlyHistogram();
  const trailing = new TrailingHistogram(histogram, { countMin: 10, hoursMax: 100 });
  record(histogram, 1, 5, 20);
  record(histogram, 2, 6, 7);
  record(histogram, 3, 7, 4);
  record(histogram, 4, 8, 1000);
  trailing.roll(4);
  assert.deepEqual([trailing.total, trailing.sum[5], trailing.sum[6], trailing.sum[7]], [11, 0, 7, 4]);
  assert.deepEqual(histogram.hoursAfter(0), [2, 3, 4]);
});

test("hours that are too old do not count, however few there are", () => {
  const histogram = new HourlyHistogram();
  const trailing = new TrailingHistogram(histogram, { countMin: Number.POSITIVE_INFINITY, hoursMax: 5 });
  for (const hour of [1, 4, 5, 9]) record(histogram, hour, 0, 1);
  trailing.roll(10);
  assert.equal(trailing.total, 2);
  assert.deepEqual(histogram.hoursAfter(0), [5, 9]);
});

test("what other processes add to an hour that is closed here counts from the next hour on, and goes with its hour", () => {
  const histogram = new HourlyHistogram();
  const trailing = new TrailingHistogram(histogram, { countMin: 10, hoursMax: 100 });
  for (let hour = 1; hour <= 50; hour++) {
    record(histogram, hour, 3, 10);
    trailing.roll(hour + 1);
    assert.equal(trailing.total, 10);
    // Three times as much, a moment too late.
    histogram.add(hour, [3], [30]);
  }
  trailing.roll(51);
  assert.deepEqual([trailing.total, trailing.sum[3]], [40, 40]);
});

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { HourlySamples, SAMPLES_PER_HOUR, type Sample } from "../../src/graph-state/hourly-samples.ts";

const NAME = Buffer.from("C1");
const sample = (hour: number, key: number): Sample => ({
  hour,
  key,
  user: NAME,
  sourceHost: NAME,
  targetHost: NAME,
  rows: Buffer.alloc(0),
});
const someSamples = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 99 })), {
  maxLength: 200,
});

test("of each hour the lowest keys are kept, whoever recorded them and in whatever order", () => {
  fc.assert(
    fc.property(someSamples, fc.integer({ min: 1, max: 4 }), (drawn, workers) => {
      const parts = Array.from({ length: workers }, () => new HourlySamples());
      for (const [i, [hour, key]] of drawn.entries()) parts[i % workers]!.record(sample(hour, key));
      const sum = new HourlySamples();
      for (const part of parts.reverse()) sum.addAll(part.takeDelta());
      const expected = [0, 1, 2, 3].flatMap((hour) => {
        const keys = new Set(drawn.filter(([other]) => other === hour).map(([, key]) => key));
        return [...keys]
          .sort((a, b) => a - b)
          .slice(0, SAMPLES_PER_HOUR)
          .map((key) => [hour, key]);
      });
      assert.deepEqual(
        sum.all().map(({ hour, key }) => [hour, key]),
        expected,
      );
    }),
  );
});

test("a login whose key is too high need not be measured", () => {
  const samples = new HourlySamples();
  for (let key = 0; key < SAMPLES_PER_HOUR; key++) samples.record(sample(7, key));
  assert.equal(samples.accepts(7, SAMPLES_PER_HOUR), false);
  assert.equal(samples.accepts(8, SAMPLES_PER_HOUR), true);
  assert.equal(samples.accepts(7, 0.5), true);
});

test("what was pushed out before the segment was taken is not in it", () => {
  const samples = new HourlySamples();
  for (let key = 2 * SAMPLES_PER_HOUR; key > 0; key--) samples.record(sample(7, key));
  assert.equal(samples.takeDelta().length, SAMPLES_PER_HOUR);
  assert.deepEqual(samples.takeDelta(), []);
});

test("old hours fall away whole", () => {
  const samples = new HourlySamples();
  for (const hour of [1, 2, 3]) samples.record(sample(hour, 1));
  samples.dropBefore(2);
  assert.deepEqual(
    samples.within(0, 3).map(({ hour }) => hour),
    [2],
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { CATALOGUE, type MetricDefinition } from "../../src/metrics/catalogue.ts";

const definitions = Object.entries<MetricDefinition>(CATALOGUE);
/** What a label may be about: each has a few values, which no record can add to. */
const LABELS = new Set([
  ...["version", "nodejs", "number", "digest", "topic", "partition", "outcome", "reason", "kind", "fake"],
  ...["epoch", "signal", "severity", "channel", "verdict", "sink", "table", "result"],
]);

test("names end in their unit, counters in _total, and nothing is in milliseconds", () => {
  for (const [name, { type }] of definitions) {
    assert.match(name, /^[a-z]+(?:_[a-z]+)*$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    assert.doesNotMatch(name, /_(ms|millis|milliseconds|minutes|hours|kb|mb|mib)\b/, name);
    if (type === "histogram") assert.match(name, /_seconds$/);
  }
});

test("buckets of histograms ascend, and only they have any", () => {
  for (const [name, { type, buckets }] of definitions) {
    assert.equal(buckets !== undefined, type === "histogram", name);
    assert.deepEqual(
      buckets?.toSorted((a, b) => a - b),
      buckets,
    );
  }
});

test("no label names an account, a host, or anything else that a record holds", () => {
  for (const [name, { labels }] of definitions)
    for (const label of labels) assert.ok(LABELS.has(label), `${name} has a label ${label}`);
});

test("each says in a sentence what it is", () => {
  for (const [name, { help }] of definitions) assert.match(help, /^[^\n]{10,160}\.$/, name);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram, Registry } from "prom-client";
import { FoldedHistogram } from "../../src/metrics/folded-histogram.ts";
import { samplesOf } from "./samples.ts";

test("a folded histogram exports what one of prom-client does", async () => {
  const buckets = [0.01, 0.1, 1];
  const registry = new Registry();
  const opponent = new Histogram({ name: "a", help: "a", buckets, registers: [registry] });
  const folded = new FoldedHistogram(buckets);
  for (const value of [0, 0.01, 0.010_000_1, 0.5, 1, 1, 7]) {
    opponent.observe(value);
    folded.observe(value);
  }
  const expected = samplesOf(await registry.metrics());
  const found = [...folded.samples("a")].map(({ metricName, labels, value }) => ({
    name: metricName!,
    labels: Object.fromEntries(Object.entries(labels).map(([label, text]) => [label, String(text)])),
    value,
  }));
  assert.deepEqual(found, expected);
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { METRICS_PAGE, renderMetrics } from "../../scripts/metrics.ts";

test("docs/metrics.md says what the catalogue says; `npm run docs` writes it", () => {
  assert.equal(readFileSync(METRICS_PAGE, "utf8"), renderMetrics());
});

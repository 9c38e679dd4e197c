import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CONFIGURATION_PAGE, renderConfiguration } from "../../scripts/configuration.ts";

test("docs/configuration.md says what the schema says; `npm run docs` writes it", () => {
  assert.equal(readFileSync(CONFIGURATION_PAGE, "utf8"), renderConfiguration());
});

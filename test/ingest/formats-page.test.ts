import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FORMATS_PAGE, renderFormats } from "../../scripts/formats.ts";

test("docs/formats.md says what the formats say of themselves; `npm run docs` writes it", () => {
  assert.equal(readFileSync(FORMATS_PAGE, "utf8"), renderFormats());
});

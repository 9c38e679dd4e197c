import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzz, TEXT_FORMATS } from "./fuzzing.ts";

const RECORDS = 5000;

for (const format of TEXT_FORMATS) {
  test(`${format}: no record makes its decoder throw, whatever became of it`, () => {
    const { records, kinds } = fuzz(format, RECORDS, 7);
    assert.equal(
      Object.values(kinds).reduce((sum, count) => sum + count, 0),
      records,
    );
    assert.ok((kinds["rejected"] ?? 0) > 0);
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { rangesText } from "../../../src/log/kafka/ranges-text.ts";

test("partitions are named as ranges, and thousands of them in one line", () => {
  assert.equal(rangesText([]), "none");
  assert.equal(rangesText([3]), "3");
  assert.equal(rangesText([0, 1, 2, 5, 7, 8]), "0-2, 5, 7-8");
  const odd = Array.from({ length: 1000 }, (_, i) => 2 * i + 1);
  assert.match(rangesText(odd), /^1, 3, .*, 39, and others, 1000 in all$/);
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "..", "..");
const EXAMPLES = join(ROOT, "examples", "embed");
const ON_THE_PAGE = ["score-logins.ts", "read-files.ts", "decode-records.ts"];

test("the programs of docs/library.md are the examples, which a test runs from the package", () => {
  const page = readFileSync(join(ROOT, "docs", "library.md"), "utf8");
  const programs = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]);
  assert.deepEqual(
    programs,
    ON_THE_PAGE.map((name) => readFileSync(join(EXAMPLES, name), "utf8")),
  );
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { configSchema } from "../../src/config/schema.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

/** A product or a shift of whole numbers, as constants are written. */
function numberOf(text: string): number {
  const [base, bits] = text.replaceAll("_", "").split(" << ");
  if (bits !== undefined) return Number(base) * 2 ** Number(bits);
  return base!.split(" * ").reduce((product, factor) => product * Number(factor), 1);
}

test("the limits that docs/security.md tells are those of the code", () => {
  const rows = [
    ...read("docs/security.md").matchAll(
      /^\| [^|]+ \| `([\w.]+)`(?: in `(src\/[^`]+)`)? +\| (\d+) +\| [^|]+\|$/gm,
    ),
  ];
  assert.ok(rows.length >= 25, `${rows.length} rows`);
  const settings: unknown = configSchema.parse({});
  for (const [, name, file, told] of rows) {
    const value =
      file === undefined
        ? name!.split(".").reduce((tree, key) => (tree as Record<string, unknown>)[key], settings)
        : numberOf(new RegExp(`^(?:export )?const ${name} = ([^;]+);`, "m").exec(read(file))?.[1] ?? "");
    assert.equal(value, Number(told), `${name} ${file ?? ""}`);
  }
});

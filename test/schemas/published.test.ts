import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const SCRIPT = join(import.meta.dirname, "..", "..", "scripts", "schemas.ts");

test("the published schemas are those of the code", () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", SCRIPT, "--check"],
    { encoding: "utf8" },
  );
  assert.equal(stdout, "");
  assert.equal(status, 0, stderr);
});

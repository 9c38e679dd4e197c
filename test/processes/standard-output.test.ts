import assert from "node:assert/strict";
import { once } from "node:events";
import { closeSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { EXAMPLE, EXAMPLE_FILE, ended, run, start, temporaryFolder } from "./oddlink.ts";

const LABELS = join(EXAMPLE, "labels", "redteam.txt");

test("a reader that leaves after the first alert ends the run quietly: committed, no temporary store left", async (t) => {
  const folder = temporaryFolder(t);
  const store = join(temporaryFolder(t), "store.db");
  for (const more of [[], ["--store", store]]) {
    const child = start(["run", EXAMPLE_FILE, "--train", "off", ...more], { env: { TMPDIR: folder } });
    let stderr = "";
    child.stderr!.on("data", (chunk) => (stderr += chunk));
    await once(child.stdout!, "data");
    child.stdout!.destroy();
    assert.equal(await ended(child), 0, stderr);
    assert.equal(stderr, "");
    assert.deepEqual(readdirSync(folder), []);
  }
  const database = new DatabaseSync(store, { readOnly: true });
  const { alerts } = database.prepare("SELECT count(*) AS alerts FROM alerts").get() as { alerts: number };
  database.close();
  assert.ok(alerts > 0);
});

for (const args of [
  ["run", EXAMPLE_FILE, "--train", "off"],
  ["run", EXAMPLE_FILE, "--train", "off", "--json"],
  ["run", "--print-config"],
  ["run", "--help"],
  ["evaluate", EXAMPLE, "--labels", LABELS, "--train", "off"],
]) {
  test(`a full disk under standard output is an error in one line: ${args.slice(2).join(" ") || args[1]}`, {
    skip: process.platform !== "linux",
  }, async (t) => {
    const folder = temporaryFolder(t);
    const stdout = openSync("/dev/full", "w");
    t.after(() => closeSync(stdout));
    const { code, stderr } = await run(args, { env: { TMPDIR: folder }, stdout });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^oddlink: can't write to standard output: ENOSPC[^\n]*\n$/);
    assert.deepEqual(readdirSync(folder), []);
  });
}

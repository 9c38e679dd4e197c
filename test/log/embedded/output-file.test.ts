import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { OutputFile } from "../../../src/log/embedded/output-file.ts";

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "oddlink-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a file is cut back to what the last commit noted, in folders made for it", (t) => {
  const path = join(folderOf(t), "a", "b", "alerts.jsonl");
  const first = new OutputFile(path, 0, "");
  first.append(["1", "2"]);
  assert.equal(first.length, 4);
  first.close();
  const second = new OutputFile(path, 2, "");
  second.append(["3"]);
  second.close();
  assert.equal(readFileSync(path, "utf8"), "1\n3\n");
});

test("a file that is gone begins anew, one that is shorter than noted is refused with what helps", (t) => {
  const path = join(folderOf(t), "alerts.jsonl");
  const gone = new OutputFile(path, 100, "delete it");
  assert.equal(gone.length, 0);
  gone.close();
  assert.throws(() => new OutputFile(path, 100, "delete it"), {
    code: "OUTPUT_UNWRITABLE",
    message: /alerts\.jsonl is shorter than .*; delete it, or give another file name/,
  });
});

test("what can't be opened is an error that names the file", (t) => {
  const folder = folderOf(t);
  writeFileSync(join(folder, "file"), "");
  mkdirSync(join(folder, "folder"));
  for (const path of [join(folder, "file", "x"), join(folder, "folder")])
    assert.throws(
      () => new OutputFile(path, 0, ""),
      (error: Error) => error.message.includes(path),
    );
});

test("a folder that nobody can make is an error, not an endless loop", {
  skip: process.platform !== "linux",
}, () => {
  assert.throws(() => new OutputFile("/proc/no/such/alerts.jsonl", 0, ""), {
    code: "OUTPUT_UNWRITABLE",
    message: /\/proc\/no\/such\/alerts\.jsonl/,
  });
});

test("a device or a pipe is written to as it is: no length, nothing to go back to", {
  skip: process.platform !== "linux",
}, (t) => {
  const sink = new OutputFile("/dev/null", 1000, "");
  assert.equal(sink.isResumable, false);
  sink.append(["1"]);
  sink.close();
  const full = new OutputFile("/dev/full", 0, "");
  assert.throws(() => full.append(["1"]), { code: "OUTPUT_UNWRITABLE", message: /\/dev\/full: ENOSPC/ });
  full.close();
  const pipe = join(folderOf(t), "pipe");
  const program = `import { OutputFile } from ${JSON.stringify(join(import.meta.dirname, "../../../src/log/embedded/output-file.ts"))};
    const file = new OutputFile(process.argv[1], 1000, ""); file.append(["1"]); file.append(["2"]); file.close();`;
  const { stdout, stderr } = spawnSync(
    "sh",
    [
      "-c",
      'mkfifo "$1"; cat "$1" & "$2" --input-type=module -e "$3" "$1"; wait',
      "sh",
      pipe,
      process.execPath,
      program,
    ],
    { encoding: "utf8" },
  );
  assert.equal(stdout, "1\n2\n", stderr);
});

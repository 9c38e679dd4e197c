import assert from "node:assert/strict";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { findSourcesBeside } from "../../src/cli/own-files.ts";

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "oddlink-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "auth.txt"), "1,a\n");
  return folder;
}

const writing = (...paths: string[]) => ({
  written: paths.map((path, i) => ({ as: `--out${i}`, path })),
  read: [],
});

test("a file that is written may not be a source, whichever link leads to it", async (t) => {
  const folder = folderOf(t);
  const source = join(folder, "auth.txt");
  symlinkSync("auth.txt", join(folder, "symbolic"));
  symlinkSync(folder, join(folder, "folder"));
  linkSync(source, join(folder, "hard"));
  for (const name of ["auth.txt", "./auth.txt", "symbolic", "hard", "folder/symbolic"]) {
    const path = `${folder}/${name}`;
    await assert.rejects(findSourcesBeside([source], writing(path)), {
      code: "USAGE",
      message: `--out0 ${path} and the source ${source} are the same file; give another one. Nothing was read or written.`,
    });
  }
  assert.equal((await findSourcesBeside([source], writing(join(folder, "other")))).length, 1);
});

test("two files that are not there yet are told to be one by where they would be made", async (t) => {
  const folder = folderOf(t);
  const source = join(folder, "auth.txt");
  symlinkSync("new.jsonl", join(folder, "dangling"));
  symlinkSync(folder, join(folder, "folder"));
  symlinkSync("circle", join(folder, "circle"));
  const second = (name: string) =>
    findSourcesBeside([source], writing(join(folder, "new.jsonl"), `${folder}/${name}`));
  for (const name of ["new.jsonl", "dangling", "folder/dangling", "./new.jsonl"])
    await assert.rejects(second(name), { code: "USAGE", message: /--out0 .* and --out1 / });
  for (const name of ["newer.jsonl", "deep/new.jsonl", "circle", "folder/../new.jsonl"]) await second(name);
});

test("what is only read may be read twice, and a device may take everything", async (t) => {
  const source = join(folderOf(t), "auth.txt");
  const read = [
    { as: "--labels", path: source },
    { as: "--config", path: undefined },
  ];
  await findSourcesBeside([source, source], { written: [], read });
  await findSourcesBeside([source], writing("/dev/null", "/dev/null"));
  await assert.rejects(findSourcesBeside([source], { written: [{ as: "--report", path: source }], read }), {
    message: /--report .* and --labels /,
  });
});

test("what is written into a directory is not read from it, and not spoken of", async (t) => {
  const folder = folderOf(t);
  for (const name of ["alerts.jsonl", "store.db", "notes.md"]) writeFileSync(join(folder, name), "");
  mkdirSync(join(folder, "deeper"));
  const skipped: string[] = [];
  const sources = await findSourcesBeside(
    [folder],
    writing(join(folder, "deeper", "..", "alerts.jsonl"), join(folder, "store.db")),
    (path) => skipped.push(path),
  );
  assert.deepEqual(
    sources.map(({ name }) => name),
    ["auth.txt"],
  );
  assert.deepEqual(skipped, [join(folder, "notes.md")]);
});

test("a directory that holds only what is written has no source", async (t) => {
  const folder = folderOf(t);
  await assert.rejects(findSourcesBeside([folder], writing(join(folder, "auth.txt"))), {
    code: "SOURCE_NOT_FOUND",
    message: /nothing but what this command writes/,
  });
});

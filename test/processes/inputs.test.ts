import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { EXAMPLE, ended, run, start, temporaryFolder } from "./oddlink.ts";

const TEXT = gunzipSync(readFileSync(join(EXAMPLE, "auth.txt.gz"))).toString();
const OFF = ["--train", "off", "--json"];

test("a file that is caught in the middle of a line loses nothing when it has grown", async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "auth.txt");
  writeFileSync(file, TEXT);
  const through = JSON.parse((await run(["run", file, ...OFF])).stdout);

  const args = ["run", file, "--store", join(folder, "store.db"), ...OFF];
  // In the middle of a line, just before a line end, just after one.
  const lineEnd = TEXT.indexOf("\n", 300_000);
  for (const bytes of [100_050, 200_049, lineEnd, lineEnd + 1, TEXT.length - 1]) {
    writeFileSync(file, TEXT.slice(0, bytes));
    assert.equal((await run(args)).code, 0);
  }
  writeFileSync(file, TEXT);
  const grown = JSON.parse((await run(args)).stdout);
  assert.equal(grown.rejected, 0);
  assert.equal(grown.consumed, through.consumed);
  assert.deepEqual(grown.graph, through.graph);
});

test("a last line without a line end is read if it can be, and said to be left if not", async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "auth.txt");
  const row = "1,U1@D,U1@D,C1,C2,Kerberos,Network,LogOn,Success";
  writeFileSync(file, `${row}\n${row}`);
  const whole = await run(["run", file, "--store", join(folder, "a.db"), ...OFF]);
  assert.equal(JSON.parse(whole.stdout).scored, 2);
  writeFileSync(file, `${row}\n${row.slice(0, 20)}`);
  const cut = await run(["run", file, "--store", join(folder, "b.db"), ...OFF]);
  const summary = JSON.parse(cut.stdout);
  assert.equal(summary.consumed, 1);
  assert.match(summary.notes.join("\n"), /last line of auth\.txt/);
});

test("named pipes and process substitutions are read like standard input", async (t) => {
  const folder = temporaryFolder(t);
  const pipe = join(folder, "logins");
  execFileSync("mkfifo", [pipe]);
  const child = start(["run", pipe, ...OFF]);
  t.after(() => child.kill("SIGKILL"));
  let stdout = "";
  child.stdout!.on("data", (chunk) => (stdout += chunk));
  createWriteStream(pipe).end(TEXT);
  assert.equal(await ended(child), 0);
  assert.equal(JSON.parse(stdout).consumed, 13_999);
});

test("a slow pipe on a store that knows another one is scored at once", async (t) => {
  const folder = temporaryFolder(t);
  const store = join(folder, "store.db");
  assert.equal((await run(["run", "-", "--store", store, ...OFF], { input: TEXT })).code, 0);
  const child = start(["run", "-", "--store", store, ...OFF]);
  t.after(() => child.kill("SIGKILL"));
  let stdout = "";
  child.stdout!.on("data", (chunk) => (stdout += chunk));
  child.stdin!.write(`${TEXT.trimEnd().split("\n").slice(-20).join("\n")}\n`);
  // The pipe stays open: what was read is committed within the interval.
  await sleep(2000);
  child.kill("SIGTERM");
  assert.equal(await ended(child), 0);
  assert.equal(JSON.parse(stdout).consumed, 13_999 + 20);
});

test("a stop ends an input without line ends and without an end", { timeout: 60_000 }, async (t) => {
  const child = start(["run", "/dev/zero", ...OFF]);
  t.after(() => child.kill("SIGKILL"));
  while (bytesReadBy(child.pid!) < 50_000_000) await sleep(100);
  child.kill("SIGTERM");
  assert.equal(await ended(child), 0);
});

/** Of everything, its own program included; where the system does not tell, as if it had read enough. */
function bytesReadBy(pid: number): number {
  const file = `/proc/${pid}/io`;
  if (!existsSync(file)) return Number.POSITIVE_INFINITY;
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(file, "utf8"))![1]);
}

test("of a directory, logs are read by name, rotated and linked ones too, and the rest is named", async (t) => {
  const folder = join(temporaryFolder(t), "logs");
  mkdirSync(folder);
  const row = "1,U1@D,U1@D,C1,C2,Kerberos,Network,LogOn,Success\n";
  for (const name of ["auth.log", "auth.log.1", "AUTH.TXT"]) writeFileSync(join(folder, name), row);
  symlinkSync(join(folder, "auth.log"), join(folder, "linked.log"));
  writeFileSync(join(folder, "notes.md"), "no log");
  const { stdout, stderr } = await run(["run", folder, ...OFF]);
  assert.equal(JSON.parse(stdout).scored, 4);
  assert.match(stderr, /notes\.md/);
});

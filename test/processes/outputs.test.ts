import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { EXAMPLE_FILE, run, temporaryFolder } from "./oddlink.ts";

const LINUX = { skip: process.platform !== "linux" };
const rows = gunzipSync(readFileSync(EXAMPLE_FILE)).toString().trimEnd().split("\n");

test("a pipe gets the alerts of a run as a file does, and a device takes them", LINUX, async (t) => {
  const folder = temporaryFolder(t);
  const [file, pipe] = [join(folder, "alerts.jsonl"), join(folder, "pipe")];
  assert.equal((await run(["run", EXAMPLE_FILE, "--train", "off", "--alerts", file])).code, 0);
  await once(spawn("mkfifo", [pipe]), "close");
  const reader = spawn("cat", [pipe]);
  t.after(() => reader.kill());
  const closed = once(reader, "close");
  let read = "";
  reader.stdout.on("data", (chunk) => (read += chunk));
  const args = ["run", EXAMPLE_FILE, "--train", "off", "--alerts", pipe, "--scored", "/dev/null"];
  const { code, stderr } = await run([...args, "--store", join(folder, "store.db")]);
  assert.equal(code, 0, stderr);
  await closed;
  assert.equal(read, readFileSync(file, "utf8"));
});

test("what a failed run could not write is not listed as written", LINUX, async (t) => {
  const store = join(temporaryFolder(t), "store.db");
  const args = ["run", EXAMPLE_FILE, "--train", "off", "--store", store];
  const full = await run([...args, "--alerts", "/dev/full"]);
  assert.equal(full.code, 1);
  assert.equal(full.stderr, "oddlink: can't write /dev/full: ENOSPC: no space left on device, write\n");
  assert.doesNotMatch(full.stdout, /^Written$/m);
  assert.match(full.stdout, /Not all that is counted here could be written/);
});

test("what a run wrote before its input failed is listed", async (t) => {
  const folder = temporaryFolder(t);
  const [input, alerts] = [join(folder, "auth.txt.gz"), join(folder, "alerts.jsonl")];
  const packed = readFileSync(EXAMPLE_FILE);
  writeFileSync(input, packed.subarray(0, packed.length - 100));
  const { code, stdout, stderr } = await run(["run", input, "--train", "off", "--alerts", alerts]);
  assert.equal(code, 1);
  assert.match(stderr, /ends in the middle of its gzip data/);
  assert.match(stdout, /^Written\n {2}.*alerts\.jsonl: alerts/m);
  assert.ok(statSync(alerts).size > 1000);
});

test("an alerts file that was emptied is refused, and written in full once it is deleted", async (t) => {
  const folder = temporaryFolder(t);
  const alerts = join(folder, "alerts.jsonl");
  const args = ["run", EXAMPLE_FILE, "--train", "off", "--json", "--store", join(folder, "store.db")];
  assert.equal((await run([...args, "--alerts", alerts])).code, 0);
  const whole = readFileSync(alerts, "utf8");
  truncateSync(alerts);
  const { code, stderr } = await run([...args, "--alerts", alerts]);
  assert.equal(code, 1);
  assert.match(stderr, /delete it to have it written in full again, or give another file name/);
  rmSync(alerts);
  assert.equal((await run([...args, "--alerts", alerts])).code, 0);
  assert.equal(readFileSync(alerts, "utf8"), whole);
});

test("a damaged store ends a run with one clear line", async (t) => {
  const store = join(temporaryFolder(t), "store.db");
  const args = ["run", EXAMPLE_FILE, "--train", "off", "--store", store];
  assert.equal((await run(args)).code, 0);
  const pages = statSync(store).size / 4096;
  // A page that is read at once, and one that is met while the graph is restored.
  for (const page of [2, pages >> 1]) {
    const bytes = readFileSync(store);
    writeFileSync(store, Buffer.from(bytes).fill(0xa5, page * 4096, (page + 1) * 4096));
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^oddlink: store \S+store\.db: .*damaged: put back a copy of it, or give another --store.*\n$/,
    );
    assert.equal(stdout, "");
    writeFileSync(store, bytes);
  }
});

test("a run that goes on tells its own records from those before it, in words and in JSON", async (t) => {
  const folder = temporaryFolder(t);
  const input = join(folder, "auth.txt");
  const args = ["run", input, "--train", "off", "--store", join(folder, "store.db")];
  writeFileSync(input, `${rows.slice(0, 10_000).join("\n")}\n`);
  const first = await run(args);
  assert.match(first.stdout, /^Records {2}10,000 read in .*, [\d,]+ records\/s\n {2}scored/m);
  writeFileSync(input, `${rows.slice(0, 10_500).join("\n")}\n`);
  const second = await run(args);
  assert.match(second.stdout, /^Records {2}500 read in .*\nIn all {3}10,500 with the runs before/m);
  writeFileSync(input, `${rows.slice(0, 11_000).join("\n")}\n`);
  const summary = JSON.parse((await run([...args, "--json"])).stdout);
  assert.deepEqual([summary.read, summary.consumed], [500, 11_000]);
  assert.ok(Math.abs(summary.loginsPerSecond - summary.read / summary.seconds) < 1e-6);
});

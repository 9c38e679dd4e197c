import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { EXAMPLE, ended, run, start, temporaryFolder } from "./oddlink.ts";

const rows = gunzipSync(readFileSync(join(EXAMPLE, "auth.txt.gz")))
  .toString()
  .trimEnd()
  .split("\n");

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} while a pipe is silent commits what was read and ends with 0`, async (t) => {
    const store = join(temporaryFolder(t), "store.db");
    const child = start(["run", "-", "--store", store, "--train", "off"]);
    t.after(() => child.kill("SIGKILL"));
    let output = "";
    child.stdout!.on("data", (chunk) => (output += chunk));
    child.stderr!.on("data", (chunk) => (output += chunk));
    child.stdin!.write(`${rows.join("\n")}\n`);
    // The pipe stays open: nothing but the signal can end the run. Its first output is an alert.
    await once(child.stdout!, "data");
    child.kill(signal);
    assert.equal(await ended(child), 0);
    assert.match(output, /Stopped before the end of the input/);
  });
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} ends an evaluation without figures: exit 1, one line, no temporary store left`, async (t) => {
    const folder = temporaryFolder(t);
    const labels = join(EXAMPLE, "labels", "redteam.txt");
    const child = start(["evaluate", EXAMPLE, "--labels", labels], { env: { TMPDIR: folder } });
    t.after(() => child.kill("SIGKILL"));
    let [stdout, stderr] = ["", ""];
    child.stdout!.on("data", (chunk) => (stdout += chunk));
    child.stderr!.on("data", (chunk) => (stderr += chunk));
    while (readdirSync(folder).length === 0) await setTimeout(20);
    // It takes seconds; its temporary store shows that it listens to signals by now.
    child.kill(signal);
    assert.equal(await ended(child), 1, stderr);
    assert.equal(stderr, "oddlink: stopped before the end of the input; no figures were computed\n");
    assert.equal(stdout, "");
    assert.deepEqual(readdirSync(folder), []);
  });
}

test("a run says in its JSON whether it was stopped", async (t) => {
  const ran = await run(["run", EXAMPLE, "--train", "off", "--json"]);
  assert.equal(JSON.parse(ran.stdout).stopped, false);
  const alerts = join(temporaryFolder(t), "alerts.jsonl");
  const child = start(["run", "-", "--json", "--train", "off", "--alerts", alerts]);
  t.after(() => child.kill("SIGKILL"));
  let stdout = "";
  child.stdout!.on("data", (chunk) => (stdout += chunk));
  child.stdin!.write(`${rows.join("\n")}\n`);
  // The pipe stays open; the first alert shows that the run listens to signals.
  while (!existsSync(alerts) || statSync(alerts).size === 0) await setTimeout(20);
  child.kill("SIGINT");
  assert.equal(await ended(child), 0);
  assert.equal(JSON.parse(stdout).stopped, true);
});

test("stopped while it trains, a replay ends with 0, and goes on to the same alerts", async (t) => {
  const folder = temporaryFolder(t);
  const through = join(folder, "through.jsonl");
  assert.equal((await run(["run", EXAMPLE, "--alerts", through])).code, 0);

  const alerts = join(folder, "alerts.jsonl");
  const args = ["run", EXAMPLE, "--store", join(folder, "store.db"), "--alerts", alerts];
  const child = start(args);
  t.after(() => child.kill("SIGKILL"));
  let stdout = "";
  child.stdout!.on("data", (chunk) => (stdout += chunk));
  let stderr = "";
  child.stderr!.on("data", (chunk) => {
    stderr += chunk;
    // The second training follows within milliseconds, and takes a second.
    if (/epoch 1 trained/.test(stderr)) setTimeout(300).then(() => child.kill("SIGINT"));
  });
  assert.equal(await ended(child), 0, stderr);
  assert.match(stdout, /Stopped before the end of the input/);
  assert.equal((await run(args)).code, 0);
  assert.equal(readFileSync(alerts, "utf8"), readFileSync(through, "utf8"));
});

test("an alerts file that some runs did not name is caught up by the next that does", async (t) => {
  const folder = temporaryFolder(t);
  const through = join(folder, "through.jsonl");
  const store = join(folder, "store.db");
  const options = ["--train", "off", "--format", "lanl"];
  const parts = [0, 8000, 11_000, rows.length];
  const input = (i: number) => `${rows.slice(parts[i], parts[i + 1]).join("\n")}\n`;
  const all = join(folder, "all.db");
  const alerts = join(folder, "alerts.jsonl");
  for (let i = 0; i < 3; i++) {
    const files = i === 1 ? [] : ["--alerts", alerts];
    assert.equal(
      (await run(["run", "-", "--store", store, ...options, ...files], { input: input(i) })).code,
      0,
    );
    const always = ["run", "-", "--store", all, ...options, "--alerts", through];
    assert.equal((await run(always, { input: input(i) })).code, 0);
  }
  assert.ok(readFileSync(through, "utf8").length > 1000);
  assert.equal(readFileSync(alerts, "utf8"), readFileSync(through, "utf8"));
});

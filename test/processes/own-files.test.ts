import assert from "node:assert/strict";
import { closeSync, copyFileSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { EXAMPLE, run, temporaryFolder } from "./oddlink.ts";

const LABELS = join(EXAMPLE, "labels", "redteam.txt");
const auth = gunzipSync(readFileSync(join(EXAMPLE, "auth.txt.gz")));

test("a file with a use may not be written: exit 2, the two are named, and all is as it was", async (t) => {
  const folder = temporaryFolder(t);
  const file = (name: string) => join(folder, name);
  writeFileSync(file("auth.txt"), auth);
  writeFileSync(file("oddlink.yaml"), "seed: 3\n");
  copyFileSync(LABELS, file("labels.txt"));
  const source = file("auth.txt");
  const evaluation = ["evaluate", source, "--labels", file("labels.txt")];
  for (const [args, env, expected] of [
    [["run", source, "--alerts", source], {}, /--alerts \S+ and the source /],
    [["run", source, "--scored", source], {}, /--scored \S+ and the source /],
    [["run", source, "--store", source], {}, /--store \S+ and the source /],
    [["run", source, "--store", file("new"), "--alerts", file("new")], {}, /--alerts \S+ and --store /],
    [["run", source, "--store", file("new"), "--alerts", file("new-wal")], {}, /and the journal of --store /],
    [
      ["run", source, "--config", file("oddlink.yaml"), "--alerts", file("oddlink.yaml")],
      {},
      /and --config /,
    ],
    [
      ["run", source, "--scored", file("oddlink.yaml")],
      { ODDLINK_CONFIG: file("oddlink.yaml") },
      /and --config /,
    ],
    [["run", source, "--alerts", file("new")], { ODDLINK_OUTPUTS_SCORED: file("new") }, /and --scored /],
    [[...evaluation, "--report", file("labels.txt")], {}, /--report \S+ and --labels /],
    [[...evaluation, "--report", source], {}, /--report \S+ and the source /],
  ] as const) {
    const { code, stdout, stderr } = await run(args, { env });
    assert.equal(code, 2, stderr);
    assert.match(stderr, expected);
    assert.equal(stdout, "");
  }
  assert.ok(readFileSync(source).equals(auth));
  assert.equal(readFileSync(file("oddlink.yaml"), "utf8"), "seed: 3\n");
  assert.ok(readFileSync(file("labels.txt")).equals(readFileSync(LABELS)));
  assert.ok(!existsSync(file("new")));
});

test("standard output and its redirection are files like others", async (t) => {
  const folder = temporaryFolder(t);
  const piped = await run(["run", EXAMPLE, "--alerts", "/dev/stdout"]);
  assert.equal(piped.code, 2);
  assert.match(piped.stderr, /--alerts \/dev\/stdout is standard output, .*give a file/);
  const source = join(folder, "auth.txt");
  writeFileSync(source, auth);
  const stdout = openSync(source, "a");
  t.after(() => closeSync(stdout));
  const appended = await run(["run", source, "--train", "off"], { stdout });
  assert.equal(appended.code, 2);
  assert.match(appended.stderr, /standard output and the source /);
  assert.ok(readFileSync(source).equals(auth));
});

test("run twice on a directory that it writes into, it reads the same logins", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "auth.txt"), auth);
  const file = (name: string) => join(folder, name);
  const outputs = [
    "--alerts",
    file("alerts.jsonl"),
    "--scored",
    file("scored.json"),
    "--store",
    file("store.log"),
  ];
  const args = ["run", folder, "--train", "off", "--json", ...outputs];
  const first = await run(args);
  const alerts = readFileSync(file("alerts.jsonl"), "utf8");
  const second = await run(args);
  for (const { code, stderr } of [first, second]) {
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
  }
  const [before, now] = [JSON.parse(first.stdout), JSON.parse(second.stdout)];
  assert.equal(before.read, before.consumed);
  assert.equal(now.read, 0);
  assert.equal(now.consumed, before.consumed);
  assert.equal(readFileSync(file("alerts.jsonl"), "utf8"), alerts);
});

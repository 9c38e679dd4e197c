import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { run, temporaryFolder } from "./oddlink.ts";

const SMALL = ["generate", "--logins", "20000", "--days", "8", "--seed", "3"];

test("what generate writes is read by evaluate, and every label is found", async (t) => {
  const folder = temporaryFolder(t);
  const [out, labels, lookAlikes] = ["logins.txt.gz", "labels.csv", "look-alikes.csv"].map((name) =>
    join(folder, name),
  );
  const made = await run([
    ...SMALL,
    "--scenario",
    "all",
    "--out",
    out,
    "--labels",
    labels,
    "--look-alikes",
    lookAlikes,
    "--json",
  ]);
  assert.equal(made.code, 0, made.stderr);
  const summary = JSON.parse(made.stdout);
  const count = (file: string) => readFileSync(file, "utf8").trimEnd().split("\n").length - 1;
  const labelled = Object.values<number>(summary.labelled).reduce((sum, one) => sum + one, 0);
  assert.equal(count(labels) + count(lookAlikes), labelled);
  assert.equal(count(lookAlikes), summary.labelled["new-employee"] + summary.labelled["new-server"]);
  assert.equal(gunzipSync(readFileSync(out)).toString().trimEnd().split("\n").length, summary.rows);

  const evaluated = await run(["evaluate", out, "--labels", labels, "--train", "off", "--json"]);
  assert.equal(evaluated.code, 0, evaluated.stderr);
  const report = JSON.parse(evaluated.stdout);
  assert.equal(report.labels.matched, count(labels));
  assert.equal(report.positives, count(labels));
});

test("on standard output there are rows and nothing else, the same as in a file", async (t) => {
  const file = join(temporaryFolder(t), "logins.txt");
  assert.equal((await run([...SMALL, "--out", file])).code, 0);
  const { code, stdout, stderr } = await run([...SMALL, "--out", "-"]);
  assert.equal(code, 0);
  assert.equal(stdout, readFileSync(file, "utf8"));
  assert.match(stderr, /^Rows +20,000 over 8 days, 0 of them injected$/m);
});

test("a wrong option is refused with the reason, and nothing is written", async (t) => {
  const out = join(temporaryFolder(t), "logins.txt");
  const wrong: [string[], RegExp][] = [
    [["--logins", "20000"], /no --out given/],
    [["--out", out], /no --logins given/],
    [["--logins", "10", "--out", out], /--logins takes a whole number from 1000/],
    [["--logins", "20000", "--seed", "-1", "--out", out], /--seed takes a whole number/],
    [["--logins", "20000", "--users", "5000", "--out", out], /more logins, or fewer users or days/],
    [["--logins", "20000", "--scenario", "stars", "--out", out], /known are star, chain/],
    [["--logins", "20000", "--scenario", "star", "--out", out], /no --labels given: the logins of star/],
    [["--logins", "20000", "--out", out, "--labels", out], /is given twice/],
    [["--logins", "20000", "--start-day", "someday", "--out", out], /Allowed choices are monday/],
  ];
  for (const [args, reason] of wrong) {
    const { code, stderr } = await run(["generate", ...args]);
    assert.equal(code, 2, args.join(" "));
    assert.match(stderr, reason);
  }
  assert.ok(!existsSync(out));
});

test("an output that can't be written ends generate with the reason", {
  skip: process.platform !== "linux",
}, async () => {
  for (const out of ["/dev/full", "/proc/none/logins.txt.gz"]) {
    const { code, stderr } = await run([...SMALL, "--out", out]);
    assert.equal(code, 1);
    assert.match(stderr, /^oddlink: can't write .*(ENOSPC|ENOENT)/m);
  }
});

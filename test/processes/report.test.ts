import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { EXAMPLE, EXAMPLE_FILE, ended, run, start, temporaryFolder } from "./oddlink.ts";

const LABELS = join(EXAMPLE, "labels", "redteam.txt");
const HOUR_MS = 3_600_000;

/** An account at work on its own host for days, and then from another that somebody named. */
function attackOn(user: string, host: string): string {
  const lines: object[] = [];
  for (let hour = 0; hour < 60; hour++)
    lines.push({
      timeMs: hour * HOUR_MS,
      user,
      sourceHost: "home",
      targetHost: "files",
      authType: "Kerberos",
    });
  lines.push({ timeMs: 61 * HOUR_MS, user, sourceHost: host, targetHost: "files", authType: "NTLM" });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

test("the example becomes one page, the same bytes each time, and the store tells the same without its source", async (t) => {
  const folder = temporaryFolder(t);
  const file = (name: string) => join(folder, name);
  const options = ["--store", file("s.db")];
  const first = await run(["report", EXAMPLE_FILE, "--out", file("1.html")]);
  const second = await run(["report", EXAMPLE_FILE, ...options, "--out", file("2.html"), "--json"]);
  const third = await run(["report", ...options, "--out", file("3.html")]);
  for (const { code, stderr } of [first, second, third]) assert.equal(code, 0, stderr);
  const [html, again, stored] = ["1.html", "2.html", "3.html"].map((name) =>
    readFileSync(file(name), "utf8"),
  );
  assert.equal(again, html);
  assert.match(html!, /<h1>Odd logins: 8 alerts in 1 incident<\/h1>/);
  assert.match(first.stdout, /Alerts {3}8 in 1 incident.*\n.*1\.html: the report/s);
  assert.doesNotMatch(first.stdout, / -> /, "alerts are in the page");
  assert.equal(JSON.parse(second.stdout).alerts, 8);
  // All but what is counted while logins are read.
  const parts = (text: string) => text.slice(text.indexOf("<nav"), text.indexOf('<section id="baselines"'));
  assert.equal(parts(stored!), parts(html!));
  assert.match(stored!, /Of what the store holds/);
  assert.doesNotMatch(third.stdout, /Nothing new to read/);
});

test("with labels, the page says what evaluate says with that seed", async (t) => {
  const file = join(temporaryFolder(t), "r.html");
  const args = [EXAMPLE_FILE, "--labels", LABELS, "--train", "off", "--seed", "1"];
  const evaluated = await run(["evaluate", ...args, "--seeds", "1", "--json"]);
  const { code, stderr } = await run(["report", ...args, "--out", file]);
  assert.equal(code, 0, stderr);
  const { averagePrecision, baselines } = JSON.parse(evaluated.stdout);
  const html = readFileSync(file, "utf8");
  assert.ok(html.includes(`default, by login</th><td>${averagePrecision.toFixed(3)}`));
  assert.ok(html.includes(`degree-sum</th><td>${baselines["degree-sum"].averagePrecision.toFixed(3)}`));
});

test("names of a log are text in the page", async (t) => {
  const folder = temporaryFolder(t);
  const [log, out] = [join(folder, "in.jsonl"), join(folder, "r.html")];
  const nasty = `</title><script src="https://evil.example/x.js"></script>`;
  writeFileSync(
    log,
    attackOn(nasty, "\u202e<img src=x onerror=alert(1)>") + attackOn("y".repeat(4096), "C1"),
  );
  const { code, stdout, stderr } = await run(["report", log, "--train", "off", "--out", out, "--json"]);
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).alerts, 1);
  const html = readFileSync(out, "utf8");
  assert.doesNotMatch(html, /<script|<img|\u202e|\ssrc="|y{300}/);
  assert.ok(html.includes("&lt;/title&gt;&lt;script src=&quot;https://evil.example/x.js&quot;&gt;"));
});

for (const [what, args, expected, exitCode] of [
  ["no page to write", [EXAMPLE_FILE], /no --out given/, 2],
  ["nothing to read", ["--out", "r.html"], /no SOURCE given.*--store/, 2],
  ["a store that is not there", ["--store", "none.db", "--out", "r.html"], /there is no such store/, 2],
  [
    "labels without a source",
    ["--store", LABELS, "--labels", LABELS, "--out", "r.html"],
    /needs a SOURCE/,
    2,
  ],
  ["labels of standard input", ["-", "--labels", LABELS, "--out", "r.html"], /standard input won't do/, 2],
  [
    "a period without labels",
    [EXAMPLE_FILE, "--from", "1", "--out", "r.html"],
    /--from goes with --labels/,
    2,
  ],
  ["a page that is the source", [EXAMPLE_FILE, "--out", EXAMPLE_FILE], /are the same file/, 2],
  ["a page in no folder", [EXAMPLE_FILE, "--out", "/nowhere/r.html"], /can't write \/nowhere\/r\.html/, 1],
] as const) {
  test(`${what}: exit ${exitCode}, said in words, and nothing is written`, async () => {
    const { code, stdout, stderr } = await run(["report", ...args]);
    assert.equal(code, exitCode, stderr);
    assert.match(stderr, expected);
    assert.equal(stdout, "");
    assert.ok(!existsSync("r.html") && !existsSync("none.db"));
  });
}

test("a run that fails writes no page", async (t) => {
  const folder = temporaryFolder(t);
  const [log, out] = [join(folder, "in.jsonl"), join(folder, "r.html")];
  writeFileSync(log, "no record at all\n".repeat(2000));
  const { code, stderr } = await run(["report", log, "--out", out]);
  assert.equal(code, 1, stderr);
  assert.ok(!existsSync(out));
});

test("a report that is stopped is written, and says that it is of a part", async (t) => {
  const folder = temporaryFolder(t);
  const [alerts, out] = [join(folder, "alerts.jsonl"), join(folder, "r.html")];
  const env = { ODDLINK_OUTPUTS_ALERTS: alerts };
  const child = start(["report", "-", "--train", "off", "--out", out], { env });
  t.after(() => child.kill("SIGKILL"));
  child.stdin!.write(gunzipSync(readFileSync(EXAMPLE_FILE)));
  // The pipe stays open; the first alert shows that the run listens to signals.
  while (!existsSync(alerts) || statSync(alerts).size === 0) await setTimeout(20);
  child.kill("SIGTERM");
  assert.equal(await ended(child), 0);
  assert.match(
    readFileSync(out, "utf8"),
    /Stopped before the end of the input: this is a report of a part of it/,
  );
});

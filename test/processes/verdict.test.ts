import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import type { DetectionFinding } from "../../src/alerts/detection-finding.ts";
import { EXAMPLE_FILE, ended, run, start, temporaryFolder } from "./oddlink.ts";

const LINES = gunzipSync(readFileSync(EXAMPLE_FILE)).toString().trimEnd().split("\n");
const WAIT_MS_MAX = 60_000;
const UNTIL = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
const NO_TRAINING = { ODDLINK_TRAINING_MODE: "off", ODDLINK_INPUT_FORMAT: "lanl" };

/** The alerts of a file, and where in the example they begin. */
function alertsOf(path: string): DetectionFinding[] {
  return readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as DetectionFinding);
}

test("a run is answered between two parts of its input: what was benign is suppressed from then on, and stays so after kill -9", {
  timeout: 180_000,
}, async (t) => {
  const folder = temporaryFolder(t);
  const [store, alerts] = [join(folder, "run.db"), join(folder, "alerts.jsonl")];
  const args = ["run", "-", "--store", store, "--alerts", alerts, "--json"];
  // The story of the example begins in its second half, and goes on to its end.
  const first = await run(args, { env: NO_TRAINING, input: `${LINES.join("\n")}\n` });
  assert.equal(first.code, 0, first.stderr);
  const [told] = alertsOf(alerts);
  const { uid } = told!.finding_info;
  assert.equal((JSON.parse(first.stdout) as { suppressed: number }).suppressed, 0);

  // As the terminal shows it.
  const answer = ["verdict", uid.slice(0, 8), "benign", "--by", "ann", "--until", UNTIL, "--store", store];
  const refused = await run(answer.filter((arg) => arg !== "--until" && arg !== UNTIL));
  assert.deepEqual([refused.code, refused.stdout], [2, ""]);
  assert.match(refused.stderr, /until is missing: benign suppresses such alerts/);
  const unknown = await run(["verdict", "0000abcd", "true-positive", "--by", "ann", "--store", store]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /holds no alert of an incident 0000abcd/);
  const given = await run([...answer, "--reason", "moved \u001b[31m", "--any-target", "--json"]);
  assert.equal(given.code, 0, given.stderr);
  assert.equal((JSON.parse(given.stdout) as { incidentUid: string }).incidentUid, uid);
  const listed = await run(["verdict", "--list", "--store", store]);
  assert.match(listed.stdout, new RegExp(`${uid}  benign by ann until ${UNTIL}: moved`));
  assert.ok(!listed.stdout.includes("\u001b"));

  // The same logins an hour later.
  const again = LINES.filter((line) => line.includes("U748@DOM1") && line.includes("C17693"));
  assert.ok(again.length > 0);
  const later = again.map((line) => line.replace(/^\d+/, (seconds) => String(Number(seconds) + 3600)));
  const child = start(args, { env: NO_TRAINING });
  child.stdin!.write(`${[...LINES, ...later].join("\n")}\n`);
  const hasSuppressed = (): boolean => alertsOf(alerts).some(({ status_id }) => status_id === 3);
  for (const deadlineMs = performance.now() + WAIT_MS_MAX; !hasSuppressed(); await sleep(20))
    assert.ok(performance.now() < deadlineMs, "nothing was suppressed");
  child.kill("SIGKILL");
  await ended(child);
  const last = await run(args, { env: NO_TRAINING, input: `${[...LINES, ...later].join("\n")}\n` });
  assert.equal(last.code, 0, last.stderr);
  const summary = JSON.parse(last.stdout) as { suppressed: number; suppressedByRule: object };
  const suppressed = alertsOf(alerts).filter(({ status_id }) => status_id === 3);
  assert.ok(suppressed.length > 0);
  assert.deepEqual(summary.suppressedByRule, { verdicts: suppressed.length });
  for (const { status_detail } of suppressed)
    assert.match(status_detail!, new RegExp(`^suppressed by a verdict of ann until ${UNTIL}: benign: moved`));
});

test("an answer over HTTP that nobody takes, or that is refused, says what to do", async (t) => {
  const answer = ["verdict", "abcd1234", "true-positive", "--by", "ann"];
  const nobody = await run([...answer, "--url", "http://127.0.0.1:1"]);
  assert.equal(nobody.code, 1);
  assert.match(
    nobody.stderr,
    /no answer from http:\/\/127\.0\.0\.1:1 \(.+\): does a worker, or run --serve, listen there/,
  );
  const server = createServer((_, response) => response.writeHead(502).end("<html>")).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const broken = await run([...answer, "--url", `http://127.0.0.1:${port}`]);
  assert.equal(broken.code, 2);
  assert.match(broken.stderr, /refuses: status 502/);
  for (const [args, expected] of [
    [["verdict"], /name an incident and a verdict, or ask for --list/],
    [["verdict", "abc", "maybe"], /Allowed choices are true-positive/],
    [["verdict", "abc", "benign"], /--by is missing/],
    [["verdict", "abcd1234", "benign", "--by", "a", "--store", "/nowhere/run.db"], /there is no store/],
    [["verdict", "--list", "--store", "a", "--url", "http://b"], /leave one out/],
    [["verdict", "--list", "--url", "nonsense"], /--url expects an address such as http/],
    [["verdict", "", "true-positive", "--by", "a"], /\? is no uid of an incident: 32 digits/],
  ] as const) {
    const { code, stderr } = await run(args);
    assert.equal(code, 2, args.join(" "));
    assert.match(stderr, expected);
  }
});

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { EXAMPLE, run, temporaryFolder } from "./oddlink.ts";

type Finding = {
  finding_info: { analytic: { name: string } };
  evidences: [{ data: { epoch: { digest: string } } }];
};

/** A smaller model than the default, for time. */
const SMALL = { ODDLINK_TRAINING_STEPS: "10" };

function findings(file: string): Finding[] {
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Finding);
}

test("the example trains, alerts with reasons and sums up, and a second run gives the same bytes", async (t) => {
  const folder = temporaryFolder(t);
  const [first, second] = [join(folder, "1.jsonl"), join(folder, "2.jsonl")];
  const { code, stdout, stderr } = await run(["run", EXAMPLE, "--alerts", first!], { env: SMALL });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /presence .*score/);
  assert.match(stdout, /1\. U748@DOM1 never logged on from/);
  assert.match(stdout, /adds up: every record is in one of the five/);
  assert.match(stdout, /[2-9] epochs adopted/);
  assert.match(stdout, /threshold/);
  assert.ok(stdout.includes(first!), "it says where the alerts were written");
  const again = await run(["run", EXAMPLE, "--alerts", second!], { env: SMALL });
  assert.equal(again.code, 0);
  assert.ok(readFileSync(first!).equals(readFileSync(second!)));
});

test("another seed gives other epochs and the same presence tier", async (t) => {
  const folder = temporaryFolder(t);
  const files = [];
  for (const seed of ["1", "2"]) {
    const file = join(folder, `${seed}.jsonl`);
    const { code } = await run(["run", EXAMPLE, "--alerts", file, "--seed", seed, "--json"], { env: SMALL });
    assert.equal(code, 0);
    files.push(findings(file));
  }
  const presence = (all: readonly Finding[]) =>
    all
      .filter((finding) => finding.finding_info.analytic.name === "presence")
      .map((finding) => {
        const data = finding.evidences[0].data as Record<string, unknown>;
        // What the model said may differ, and with it the order within the tier; that it was asked may not.
        return {
          ...data,
          epoch: undefined,
          signals: undefined,
          reasons: undefined,
          score: undefined,
          expectedPeers: undefined,
        };
      });
  assert.ok(presence(files[0]!).length > 5);
  assert.deepEqual(presence(files[0]!), presence(files[1]!));
  const digest = (all: readonly Finding[]) => all.at(-1)!.evidences[0].data.epoch.digest;
  assert.notEqual(digest(files[0]!), digest(files[1]!));
});

test("on the example all 7 labelled logins are among at most 20 alerts", async () => {
  const labels = join(EXAMPLE, "labels", "redteam.txt");
  const { code, stdout } = await run(["evaluate", EXAMPLE, "--labels", labels, "--json", "--seeds", "2"], {
    env: SMALL,
  });
  assert.equal(code, 0);
  const report = JSON.parse(stdout);
  assert.equal(report.positives, 7);
  assert.equal(report.raised.truePositives, 7);
  assert.ok(report.raised.alerts <= 20, `${report.raised.alerts} alerts`);
  for (const key of ["averagePrecision", "fprAtRecall50"]) assert.equal(typeof report[key], "number");
  assert.deepEqual(Object.keys(report.recallAtShare), ["0.001", "0.005", "0.01"]);
  assert.deepEqual(Object.keys(report.recallAtAlertsPerDay), ["1", "5", "10", "50"]);
  assert.ok(Object.keys(report.baselines).length >= 4);
  assert.equal(report.spread.averagePrecision.min <= report.spread.averagePrecision.max, true);
});

test("--scored writes a line for each scored login, by the names others rely on", async (t) => {
  const file = join(temporaryFolder(t), "scored.jsonl");
  const { code, stdout } = await run(["run", EXAMPLE, "--scored", file, "--json", "--train", "off"]);
  assert.equal(code, 0);
  const summary = JSON.parse(stdout);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  assert.equal(lines.length, summary.scored);
  const keys = [
    "uid",
    "timeMs",
    "user",
    "targetUser",
    "sourceHost",
    "targetHost",
    "score",
    "signals",
    "outcome",
  ];
  for (const line of lines.slice(0, 50)) {
    const login = JSON.parse(line);
    for (const key of keys) assert.ok(key in login, key);
    assert.ok(login.score > 0 && login.score <= 1);
  }
});

test("the notebook's SRC and DST, one untyped relation, is configuration", async (t) => {
  const config = join(temporaryFolder(t), "oddlink.yaml");
  writeFileSync(
    config,
    "links:\n  - { from: sourceHost, to: targetHost, relation: untyped }\ndetector: link\nthreshold: 0.03\n" +
      // As the notebook does it: what is known has to be predicted too.
      "familiarAfterHours: 720\n",
  );
  const { code, stdout, stderr } = await run(["run", EXAMPLE, "--config", config, "--json"], { env: SMALL });
  assert.equal(code, 0, stderr);
  const summary = JSON.parse(stdout);
  assert.ok(summary.ignoredReasons["no-link"] > 0, "local logins have no such link");
  assert.ok(summary.epochs >= 1 && summary.alertsBySignal.link > 0);
});

for (const [what, args, env, expected] of [
  [
    "an unknown key in the environment",
    ["run", EXAMPLE],
    { ODDLINK_WINDOW_DAZE: "3" },
    /ODDLINK_WINDOW_DAZE: there is no such/,
  ],
  [
    "a bad value in the environment",
    ["run", EXAMPLE],
    { ODDLINK_WINDOW_DAYS: "long" },
    /window\.days: .*expected number.*ODDLINK_WINDOW_DAYS/,
  ],
  ["a threshold above 1", ["run", EXAMPLE, "--threshold", "2"], {}, /threshold: .*<=1.*command line/],
  [
    "a format that does not exist",
    ["run", EXAMPLE, "--format", "xml"],
    {},
    /Allowed choices are auto, lanl, oddlink/,
  ],
  ["a source that is not there", ["run", "nowhere.txt"], {}, /source nowhere\.txt is not there/],
  ["no source", ["run"], {}, /no SOURCE given/],
  ["an unknown flag", ["run", EXAMPLE, "--fast"], {}, /unknown option/],
  ["no labels", ["evaluate", EXAMPLE], {}, /no --labels given/],
  [
    "a folder of labels",
    ["evaluate", EXAMPLE, "--labels", join(EXAMPLE, "labels")],
    {},
    /label file .*labels is a folder/,
  ],
  [
    "a threshold beside a budget",
    ["run", EXAMPLE, "--threshold", "0.1", "--alerts-per-day", "3"],
    {},
    /'--threshold <p>' cannot be used with option '--alerts-per-day <n>'/,
  ],
] as const) {
  test(`${what} is wrong use: exit 2, said in words, nothing started`, async (t) => {
    const alerts = join(temporaryFolder(t), "alerts.jsonl");
    const more = args[0] === "run" ? ["--alerts", alerts] : [];
    const { code, stdout, stderr } = await run([...args, ...more], { env });
    assert.equal(code, 2, stderr);
    assert.match(stderr, expected);
    assert.equal(stdout, "");
    assert.ok(!existsSync(alerts));
  });
}

test("an unknown key in the configuration file is named with those that are known there", async (t) => {
  const config = join(temporaryFolder(t), "oddlink.yaml");
  writeFileSync(config, "window:\n  weeks: 4\n__proto__:\n  polluted: true\n");
  const { code, stderr } = await run(["run", EXAMPLE, "--config", config]);
  assert.equal(code, 2);
  assert.match(stderr, /window\.weeks: there is no such setting \(known here: days, maxJumpDays, maxLinks\)/);
});

test("--print-config prints what --config reads", async (t) => {
  const config = join(temporaryFolder(t), "oddlink.yaml");
  const first = await run(["run", "--print-config", "--seed", "5"], { env: { ODDLINK_WINDOW_DAYS: "14" } });
  assert.equal(first.code, 0);
  assert.match(first.stdout, /seed: 5/);
  assert.match(first.stdout, /days: 14/);
  writeFileSync(config, first.stdout);
  const second = await run(["run", "--print-config", "--config", config]);
  assert.equal(second.stdout, first.stdout);
});

test("a store made with other settings is refused by name, and no output is touched", async (t) => {
  const folder = temporaryFolder(t);
  const [store, alerts] = [join(folder, "store.db"), join(folder, "alerts.jsonl")];
  const args = ["run", EXAMPLE, "--store", store, "--train", "off", "--json"];
  assert.equal((await run(args)).code, 0);
  writeFileSync(alerts, "mine\n");
  const { code, stderr } = await run([...args, "--alerts", alerts, "--seed", "9"], {
    env: { ODDLINK_WINDOW_DAYS: "14", ODDLINK_WINDOW_MAXJUMPDAYS: "60" },
  });
  assert.equal(code, 2);
  assert.match(
    stderr,
    /with other settings; use the same ones, or another --store\n {2}seed: 1 in the store, 9 now\n/,
  );
  assert.match(stderr, / {2}window\.days: 30 in the store, 14 now\n$/);
  assert.equal(readFileSync(alerts, "utf8"), "mine\n");
  const jump = await run(args, { env: { ODDLINK_WINDOW_MAXJUMPDAYS: "60" } });
  assert.equal(jump.code, 0, "how far a record may be ahead is no part of what was learnt");
});

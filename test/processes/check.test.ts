import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { stringify as toYaml } from "yaml";
import { ecsViolations } from "../alerts/ecs-fields.ts";
import { webhookServer } from "../delivery/webhook-server.ts";
import { EXAMPLE_FILE, run, temporaryFolder } from "./oddlink.ts";

const MS_PER_DAY = 86_400_000;
const dateIn = (days: number): string => new Date(Date.now() + days * MS_PER_DAY).toISOString().slice(0, 10);

function configFile(t: TestContext, config: object): string {
  const file = join(temporaryFolder(t), "oddlink.yaml");
  writeFileSync(file, toYaml(config));
  return file;
}

/** An account that works on its own host, and then logs on by NTLM from another one. */
const loginsFrom = (user: string, host: string) => [
  { user, sourceHost: "pc7", targetHost: "db1", authType: "Kerberos", repeat: 60, everyMinutes: 10 },
  { user, sourceHost: host, targetHost: "db1", authType: "NTLM" },
];
const RULE = {
  id: "scanner",
  owner: "soc@corp",
  reason: "the scanner logs on everywhere",
  until: dateIn(30),
  match: { user: "SVC-*", authType: "ntlm" },
};
const STOLEN = {
  name: "a stolen account",
  logins: loginsFrom("ann", "kiosk"),
  expect: "alert",
  signal: "presence",
};
const SCANNER = {
  name: "the scanner",
  logins: loginsFrom("svc-scan", "scan1"),
  expect: "suppressed",
  rule: "scanner",
};

test("checks that come to what they expect are ok, and the end of a rule can be checked", async (t) => {
  const checks = [
    STOLEN,
    SCANNER,
    { ...SCANNER, name: "after the rule", at: `${dateIn(32)}T00:00:00Z`, expect: "alert", rule: undefined },
    { name: "a day like any other", logins: loginsFrom("ann", "pc7"), expect: "none" },
  ];
  const file = configFile(t, { suppressions: [RULE], checks });
  const { code, stdout, stderr } = await run(["check", "--config", file]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, checks.map(({ name }) => `ok    ${name}\n`).join(""));
  assert.equal(stderr, "");
});

test("a check that fails says what was found instead, and the exit code is 1", async (t) => {
  const ended = { ...RULE, until: "2020-01-01" };
  const young = { name: "young", logins: [STOLEN.logins[1]], expect: "alert" };
  const unread = { name: "no target", logins: [{ user: "ann", sourceHost: "kiosk" }], expect: "none" };
  const checks = [{ ...STOLEN, signal: "volume" }, SCANNER, young, unread, { ...STOLEN, name: "b\u001b[2J" }];
  const file = configFile(t, { suppressions: [ended], checks });
  const { code, stdout, stderr } = await run(["check", "--config", file]);
  assert.equal(code, 1);
  assert.match(stderr, /suppression scanner of soc@corp ended \(until 2020-01-01\)/);
  assert.match(stderr, /4 of 5 checks failed/);
  assert.deepEqual(stdout.trimEnd().split("\n"), [
    "FAIL  a stolen account: expected an alert of volume, found an alert of presence (score 1.0e-9)",
    "FAIL  the scanner: expected an alert suppressed by scanner, found an alert of presence (score 1.0e-9)",
    "FAIL  young: expected an alert, found no alert (score 1; 0 of 50 records of this account seen so far)",
    "FAIL  no target: expected no alert, found records that can't be read (1 of them: no-target-host)",
    "ok    b\\u{1b}[2J",
  ]);
  const json = await run(["check", "--config", file, "--json"]);
  assert.equal(json.code, 1);
  const { ok, checks: results } = JSON.parse(json.stdout);
  assert.equal(ok, false);
  assert.deepEqual(
    results.map((result: { ok: boolean; found: { outcome: string } }) => [result.ok, result.found.outcome]),
    [
      [false, "alert"],
      [false, "alert"],
      [false, "none"],
      [false, "unread"],
      [true, "alert"],
    ],
  );
});

test("no checks, or wrong ones, are a wrong configuration", async (t) => {
  assert.equal((await run(["check"])).code, 2);
  const file = configFile(t, { checks: [SCANNER] });
  const { code, stderr } = await run(["check", "--config", file]);
  assert.equal(code, 2);
  assert.match(stderr, /there is no rule scanner among the suppressions/);
});

test("a run counts what is suppressed, by rule, keeps it, and tells nobody", async (t) => {
  const folder = temporaryFolder(t);
  const alerts = join(folder, "alerts.jsonl");
  const store = join(folder, "store.db");
  const plain = await run(["run", EXAMPLE_FILE, "--train", "off", "--alerts", join(folder, "plain.jsonl")]);
  assert.equal(plain.code, 0, plain.stderr);
  const before = readFileSync(join(folder, "plain.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const { dst_endpoint, actor } = before[0].evidences[0];
  const match = { user: actor.user.name.toLowerCase(), targetHost: [dst_endpoint.name, "other-*"] };
  const file = configFile(t, {
    suppressions: [
      { ...RULE, id: "over", until: "1969-12-31", match },
      { ...RULE, id: "test", reason: "a test of ours", match },
    ],
  });
  const { url, received } = await webhookServer(t);
  const env = { ODDLINK_OUTPUTS_WEBHOOKS: JSON.stringify([{ name: "soar", url }]) };
  const args = [
    "run",
    EXAMPLE_FILE,
    "--train",
    "off",
    "--config",
    file,
    "--store",
    store,
    "--alerts",
    alerts,
  ];
  const { code, stdout, stderr } = await run(args, { env });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /suppression over of soc@corp ended/);
  const after = readFileSync(alerts, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const silent = after.filter(({ status_id }) => status_id === 3);
  const count = silent.length;
  assert.ok(count > 0 && count < before.length, `${count} of ${before.length}`);
  assert.deepEqual(
    after.map(({ metadata }) => metadata.uid),
    before.map(({ metadata }) => metadata.uid),
  );
  for (const { is_alert, status, status_detail, evidences } of silent) {
    assert.equal(is_alert, false);
    assert.equal(status, "Suppressed");
    assert.equal(status_detail, `suppressed by rule test of soc@corp until ${RULE.until}: a test of ours`);
    assert.equal(evidences[0].data.suppression.id, "test");
  }
  assert.match(stdout, new RegExp(`Rules {4}${count} alerts? suppressed: test ${count}\n`));
  assert.match(stdout, new RegExp(`Alerts {3}${before.length - count} in `));
  assert.deepEqual(
    received.map(({ body }) => JSON.parse(body)),
    after.filter(({ status_id }) => status_id === undefined),
  );
  for (const { metadata, finding_info } of silent) {
    assert.ok(!stdout.includes(finding_info.uid.slice(0, 8)), "not printed");
    assert.ok(!received.some(({ body }) => body.includes(metadata.uid)));
  }
  // Rules may change while a store goes on.
  const again = await run(["run", EXAMPLE_FILE, "--train", "off", "--store", store, "--json"]);
  assert.equal(again.code, 0, again.stderr);
  const totals = JSON.parse(again.stdout);
  assert.deepEqual([totals.suppressed, totals.suppressedByRule], [count, { test: count }]);
  assert.equal(totals.alerts, before.length - count);
});

test("a suppressed alert is tagged in ECS", async (t) => {
  const alerts = join(temporaryFolder(t), "alerts.jsonl");
  const file = configFile(t, { suppressions: [{ ...RULE, match: { signal: "presence" } }] });
  const env = { ODDLINK_OUTPUTS_ALERTFORMAT: "ecs" };
  const args = ["run", EXAMPLE_FILE, "--train", "off", "--config", file, "--alerts", alerts];
  assert.equal((await run(args, { env })).code, 0);
  const signals = readFileSync(alerts, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.ok(signals.length > 0);
  for (const signal of signals) {
    assert.deepEqual(ecsViolations(signal), []);
    assert.equal(signal.tags.includes("suppressed"), signal.labels.signal === "presence");
    if (signal.labels.signal === "presence")
      assert.match(signal.labels.status_detail, /^suppressed by rule scanner/);
  }
});

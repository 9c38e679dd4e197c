import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { prometheusTools } from "./tools.ts";

const MONITORING = join(import.meta.dirname, "..", "..", "monitoring");
const RULES = globSync("rules/*.yaml", { cwd: MONITORING }).sort();
const TESTS = globSync("tests/*.yaml", { cwd: MONITORING }).sort();
const TEST_MS_MAX = 330_000;

type Rule = {
  readonly alert?: string;
  readonly record?: string;
  readonly annotations?: { readonly runbook_url?: string; readonly summary?: string };
  readonly labels?: Readonly<Record<string, string>>;
};
type RuleFile = { readonly groups: readonly { readonly rules: readonly Rule[] }[] };

const rules = RULES.flatMap((file) =>
  (parse(readFileSync(join(MONITORING, file), "utf8")) as RuleFile).groups.flatMap((group) => group.rules),
);

function promtool(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(prometheusTools().promtool, args, {
    cwd: MONITORING,
    encoding: "utf8",
  });
  return { status, said: stdout + stderr };
}

test("promtool finds nothing wrong with the rules", { timeout: TEST_MS_MAX }, () => {
  assert.ok(RULES.length >= 3);
  const { status, said } = promtool("check", "rules", ...RULES);
  assert.equal(status, 0, said);
  assert.equal(said.match(/SUCCESS/g)?.length, RULES.length);
});

test("the rules say what they are to say of series that are made up", { timeout: TEST_MS_MAX }, () => {
  const { status, said } = promtool("test", "rules", ...TESTS);
  assert.equal(status, 0, said);
  assert.equal(said.match(/SUCCESS/g)?.length, TESTS.length);
});

test("each alert is tested, by a series that raises it", () => {
  const raised = new Set<string>();
  for (const file of TESTS) {
    const { tests } = parse(readFileSync(join(MONITORING, file), "utf8"));
    for (const { alert_rule_test: cases = [] } of tests)
      for (const { alertname, exp_alerts } of cases) if (exp_alerts.length > 0) raised.add(alertname);
  }
  const alerts = new Set(rules.flatMap(({ alert }) => (alert === undefined ? [] : [alert])));
  assert.deepEqual(
    [...alerts].filter((alert) => !raised.has(alert)),
    [],
  );
});

test("each alert has a severity, a summary, and a section in docs/runbooks.md that says what to do", () => {
  const runbooks = readFileSync(join(MONITORING, "..", "docs", "runbooks.md"), "utf8");
  const sections = new Set([...runbooks.matchAll(/^## (\w+)$/gm)].map(([, title]) => title!.toLowerCase()));
  const named = new Set<string>();
  for (const { alert, annotations, labels } of rules) {
    if (alert === undefined) continue;
    assert.match(labels?.["severity"] ?? "", /^(page|ticket)$/, alert);
    assert.match(annotations?.summary ?? "", /\.$/, alert);
    const [page, section] = (annotations?.runbook_url ?? "").split("#");
    assert.equal(page, `docs/${basename("runbooks.md")}`, alert);
    assert.ok(sections.has(section!), `${alert} has no section in the runbooks`);
    named.add(section!);
  }
  assert.deepEqual(
    [...sections].filter((section) => !named.has(section)),
    [],
    "sections of no alert",
  );
});

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { collectDefaultMetrics, Registry } from "prom-client";
import { parse } from "yaml";
import { CHART_FILES, MONITORING, renderDashboards, sourceMark } from "../../scripts/monitoring.ts";
import { exportedSeries, parseExpression } from "./promql.ts";

type Expression = { readonly where: string; readonly expr: string };
type Rule = { readonly alert?: string; readonly record?: string; readonly expr: string };
type Panel = {
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string }[];
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
};
type Dashboard = {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
};

const read = (path: string): string => readFileSync(join(MONITORING, path), "utf8");
const rules: Rule[] = globSync("rules/*.yaml", { cwd: MONITORING }).flatMap((file) =>
  parse(read(file)).groups.flatMap((group: { readonly rules: Rule[] }) => group.rules),
);
const dashboards: Dashboard[] = [...renderDashboards().values()].map((text) => JSON.parse(text));

const expressions: Expression[] = [
  ...rules.map(({ alert, record, expr }) => ({ where: alert ?? record!, expr })),
  ...dashboards.flatMap(({ title, panels }) =>
    panels.flatMap((panel) =>
      (panel.targets ?? []).map(({ expr }) => ({ where: `${title}, ${panel.title}`, expr })),
    ),
  ),
];

test("every expression of rules and dashboards is PromQL, and asks for what there is, by labels that it has", async () => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const series = exportedSeries();
  for (const { name } of await registry.getMetricsAsJSON()) series.set(name, new Set(["job", "instance"]));
  // What is recorded may be asked for too; what it is labelled with is the affair of who records it.
  const recorded = new Set(rules.flatMap(({ record }) => (record === undefined ? [] : [record])));
  const asked = new Set<string>();
  assert.ok(expressions.length > 100);
  for (const { where, expr } of expressions) {
    const { selectors, grouped } = parseExpression(expr);
    const labels = new Set<string>();
    for (const { metric, labels: named } of selectors) {
      asked.add(metric);
      if (recorded.has(metric)) continue;
      const known = series.get(metric) ?? assert.fail(`${where}: there is no metric ${metric}`);
      for (const label of named) assert.ok(known.has(label), `${where}: ${metric} has no label ${label}`);
      for (const label of known) labels.add(label);
    }
    if (selectors.some(({ metric }) => recorded.has(metric))) continue;
    for (const label of grouped) assert.ok(labels.has(label), `${where}: nothing has a label ${label}`);
  }
  // The other way round: what is exported, and looked at nowhere, is as good as not there.
  const unseen = [...series.keys()].filter(
    (name) => name.startsWith("oddlink_") && !/_(sum|count|bucket)$/.test(name) && !asked.has(name),
  );
  assert.deepEqual(unseen.sort(), SEEN_ELSEWHERE);
});

/** Looked at while something is under way, or by who looks at one process. */
const SEEN_ELSEWHERE = [
  "oddlink_epoch_info",
  "oddlink_epochs_published_total",
  "oddlink_normalized_records_total",
  "oddlink_restore_remaining_bytes",
  "oddlink_segments",
  "oddlink_window_start_timestamp_seconds",
];

test("what no metric is, or no label, is found", () => {
  assert.throws(() => parseExpression("sum(rate(oddlink_x[5m])"), /no PromQL/);
  const { selectors, grouped } = parseExpression(
    'sum by (le) (rate(a_bucket{job=~"$job",x="1"}[$__rate_interval])) / on (y) b offset 1d',
  );
  assert.deepEqual(selectors, [
    { metric: "a_bucket", labels: ["job", "x"] },
    { metric: "b", labels: [] },
  ]);
  assert.deepEqual(grouped, ["le", "y"]);
});

test("the rules are those of slos.yaml, the dashboards those of the code, and the chart has both", () => {
  assert.ok(read("rules/slos.yaml").startsWith(sourceMark()), "`npm run monitoring` makes them anew");
  for (const [file, text] of renderDashboards())
    assert.deepEqual(JSON.parse(read(`dashboards/${file}`)), JSON.parse(text), `npm run monitoring: ${file}`);
  const shipped = globSync("*/*", { cwd: CHART_FILES }).sort();
  const made = [
    ...globSync("rules/*.yaml", { cwd: MONITORING }),
    ...globSync("dashboards/*.json", { cwd: MONITORING }),
  ];
  assert.deepEqual(shipped, made.sort());
  for (const file of made)
    assert.equal(
      readFileSync(join(CHART_FILES, file), "utf8"),
      read(file),
      `npm run monitoring: ${basename(file)}`,
    );
});

test("dashboards ask for a data source, have no ids of their own, and say of each panel what is to be seen", () => {
  assert.equal(dashboards.length, 3);
  for (const dashboard of dashboards) {
    assert.match(dashboard.uid, /^oddlink-[a-z]+$/);
    assert.ok(dashboard.schemaVersion > 30);
    assert.ok(!("id" in dashboard) || dashboard.id === null);
    assert.deepEqual(
      dashboard.templating.list.map(({ name, type }) => [name, type]),
      [
        ["datasource", "datasource"],
        ["job", "query"],
      ],
    );
    for (const { title, type, description, targets, gridPos } of dashboard.panels) {
      if (type === "row") continue;
      assert.match(description ?? "", /\.$/, title);
      assert.ok((targets ?? []).length > 0, title);
      assert.ok(gridPos.x + gridPos.w <= 24, title);
    }
  }
});

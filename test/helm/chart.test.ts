import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { CHART, CI_VALUES, chartCopy, ciValues, manifestsOf, rendered } from "./chart.ts";
import { KUBERNETES_VERSIONS, schemaLocations } from "./kubernetes-schemas.ts";
import { goTool, HELM, HELM_UNITTEST, KUBE_SCORE, KUBECONFORM, runTool, tryTool } from "./tools.ts";

const UNIT_TESTS_MIN = 150;

/** What kube-score remarks, and why it is so all the same; the components that it is remarked of. */
const EXPLAINED: readonly {
  readonly check: string;
  readonly of: RegExp;
  /** The values with which it is so; all if left out. */
  readonly in?: string;
  readonly why: string;
}[] = [
  {
    check: "container-image-pull-policy",
    of: /./,
    why: "it asks for Always; a tag that moves is refused, so pulling again only makes a start depend on the registry of images",
  },
  { check: "deployment-replicas", of: /-(trainer|canary)$/, why: "there is to be one of them" },
  {
    check: "deployment-replicas",
    of: /-worker$/,
    in: "keda",
    why: "it does not know KEDA, whose number it is",
  },
  {
    check: "deployment-strategy",
    of: /-(trainer|canary)$/,
    why: "the old one is to be gone before the new one starts",
  },
  {
    check: "deployment-has-host-podantiaffinity",
    of: /-(worker|normalizer)$/,
    why: "topology spread does the same, and is not in the way of a roll-out on few nodes",
  },
];

test("there are values for each of the installations that are promised", () => {
  const found = readdirSync(join(CHART, "ci")).sort();
  assert.deepEqual(
    found,
    CI_VALUES.map((name) => `${name}-values.yaml`),
  );
});

test("helm lint has nothing to say", () => {
  for (const name of CI_VALUES) {
    const { status, stdout, stderr } = tryTool(goTool(HELM), [
      "lint",
      "--strict",
      "--values",
      ciValues(name),
      CHART,
    ]);
    assert.equal(status, 0, `${name}: ${stdout}${stderr}`);
    // What a template refuses is a remark to lint, and no failure.
    assert.doesNotMatch(stderr, /can't be installed/, name);
  }
});

test("the unit tests of the chart pass, all of them", () => {
  const { stdout, stderr } = tryTool(goTool(HELM_UNITTEST), ["--strict", "--color=false", CHART]);
  const [, failed, passed] = /^Tests: +(?:(\d+) failed, )?(?:(\d+) passed, )/m.exec(stdout) ?? [];
  assert.equal(failed, undefined, `${stdout}${stderr}`);
  assert.ok(Number(passed) >= UNIT_TESTS_MIN, `${passed} passed: ${stdout.slice(-2000)}${stderr}`);
});

for (const name of CI_VALUES) {
  for (const version of KUBERNETES_VERSIONS) {
    test(`what ${name} gives is valid on Kubernetes ${version}`, () => {
      const { summary, output } = conform(rendered(ciValues(name), { version }), version);
      assert.ok(summary.valid > 0, output);
      assert.deepEqual({ ...summary, valid: 0 }, { valid: 0, invalid: 0, errors: 0, skipped: 0 }, output);
    });
  }

  test(`kube-score has nothing to remark on what ${name} gives that is not explained`, () => {
    const unexplained = remarksOn(rendered(ciValues(name))).filter(
      ({ object, check }) =>
        !EXPLAINED.some((one) => one.check === check && one.of.test(object) && (one.in ?? name) === name),
    );
    assert.deepEqual(unexplained, []);
  });

  test(`oddlink takes the settings that ${name} gives it`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), "oddlink-settings-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const manifests = manifestsOf(rendered(ciValues(name)));
    const settings = manifests.find(
      ({ kind, data }) => kind === "ConfigMap" && data?.["oddlink.yaml"] !== undefined,
    );
    const file = join(folder, "oddlink.yaml");
    writeFileSync(file, settings?.data?.["oddlink.yaml"] ?? "");
    const containers = manifests.flatMap(({ spec }) => spec?.template?.spec.containers ?? []);
    assert.ok(containers.some(({ name }) => name === "worker"));
    for (const { name: component, env } of containers) {
      // A variable of a Secret has some value, long enough for a token.
      const variables = env.map(({ name, value }): [string, string] => [name, value ?? "0123456789abcdef"]);
      const environment = Object.fromEntries(variables);
      const config = loadConfig({
        environment: { ...environment, ODDLINK_CONFIG: file },
        flags: {},
        nowMs: 0,
      });
      assert.equal(config.http.enabled, name === "tls-sasl" && component === "worker", component);
    }
  });
}

test("each explanation is of something that kube-score remarks", () => {
  const unused = EXPLAINED.filter(({ check, of, in: values = "ha" }) => {
    const remarks = remarksOn(rendered(ciValues(values)));
    return !remarks.some((remark) => remark.check === check && of.test(remark.object));
  });
  assert.deepEqual(unused, []);
});

test("a manifest that is broken is found, whatever is wrong with it", () => {
  const manifest = (kind: string, apiVersion: string, spec: unknown) =>
    `${JSON.stringify({ apiVersion, kind, metadata: { name: "a" }, spec })}\n---\n`;
  const container = { name: "a", image: "a:1" };
  const deployment = (spec: object) =>
    manifest("Deployment", "apps/v1", {
      selector: { matchLabels: { a: "b" } },
      template: { metadata: { labels: { a: "b" } }, spec: { containers: [container] } },
      ...spec,
    });
  const monitor = (endpoint: object) =>
    manifest("PodMonitor", "monitoring.coreos.com/v1", { selector: {}, podMetricsEndpoints: [endpoint] });
  const scaled = (spec: object) =>
    manifest("ScaledObject", "keda.sh/v1alpha1", {
      scaleTargetRef: { name: "a" },
      triggers: [{ type: "kafka", metadata: {} }],
      ...spec,
    });
  const latest = KUBERNETES_VERSIONS[1];
  const good = [deployment({}), monitor({ port: "a" }), scaled({})];
  assert.equal(conform(good.join(""), latest).summary.valid, 3);
  const broken = [
    deployment({ replicas: "many" }),
    deployment({ replica: 1 }),
    monitor({ port: "a", intervall: "1s" }),
    monitor({ port: 1 }),
    scaled({ minReplicas: 1 }),
    scaled({ maxReplicaCount: "many" }),
  ];
  for (const text of broken) assert.equal(conform(text, latest).summary.invalid, 1, text);
  assert.equal(conform(manifest("Unknown", "example/v1", {}), latest).summary.errors, 1);
});

test("rules and dashboards are as their files are, braces and all", (t) => {
  const chart = chartCopy(t);
  const rule = { alert: "Slow", expr: "a > 1", annotations: { summary: "{{ $labels.pod }} is slow" } };
  const rules = { groups: [{ name: "a", rules: [rule] }] };
  const dashboard = `{ "title": "a", "legend": "{{pod}}" }\n`;
  for (const folder of ["rules", "dashboards"]) mkdirSync(join(chart, "files", folder));
  writeFileSync(join(chart, "files", "rules", "slow_start.yaml"), JSON.stringify(rules));
  writeFileSync(join(chart, "files", "dashboards", "overview.json"), dashboard);
  const text = rendered(ciValues("ha"), { chart });
  const manifests = manifestsOf(text);
  const found = manifests.find(({ kind }) => kind === "PrometheusRule");
  assert.equal(found?.metadata.name, "oddlink-slow-start");
  assert.deepEqual(found?.spec?.groups, rules.groups);
  const map = manifests.find(({ metadata }) => metadata.name === "oddlink-dashboard-overview");
  assert.equal(map?.data?.["overview.json"], dashboard);
  const { summary, output } = conform(text, KUBERNETES_VERSIONS[1]);
  assert.equal(summary.invalid + summary.errors + summary.skipped, 0, output);
});

test("a packaged chart has the test of a release, and neither its own tests nor examples", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "oddlink-package-"));
  t.after(() => rmSync(folder, { recursive: true }));
  runTool(goTool(HELM), ["package", CHART, "--destination", folder]);
  const [archive] = readdirSync(folder);
  const files = runTool("tar", ["-tzf", join(folder, archive ?? "")])
    .trim()
    .split("\n");
  for (const file of ["templates/tests/ready.yaml", "files/ready.mjs", "values.schema.json", "README.md"])
    assert.ok(files.includes(`oddlink/${file}`), file);
  assert.deepEqual(
    files.filter((file) => /^oddlink\/(tests|ci)\//.test(file)),
    [],
  );
});

test("without rules and dashboards the chart is the same but for them", (t) => {
  const kinds = manifestsOf(rendered(ciValues("ha"), { chart: chartCopy(t) })).map(({ kind }) => kind);
  assert.ok(!kinds.includes("PrometheusRule"));
  assert.ok(kinds.includes("ServiceMonitor"));
});

test("a file of rules without groups is refused", (t) => {
  const chart = chartCopy(t);
  mkdirSync(join(chart, "files", "rules"));
  writeFileSync(join(chart, "files", "rules", "a.yaml"), "rules: []\n");
  assert.throws(() => rendered(ciValues("ha"), { chart }), /files\/rules\/a.yaml holds no groups of rules/);
});

test("objects have names of their own, and the namespace of the release", () => {
  for (const name of CI_VALUES) {
    const manifests = manifestsOf(rendered(ciValues(name)));
    const names = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    assert.deepEqual(names, [...new Set(names)]);
    for (const { metadata } of manifests) assert.equal(metadata.namespace, "security", metadata.name);
  }
});

test("a number of millions stays one in the configuration", () => {
  const [map] = manifestsOf(rendered(ciValues("ha"))).filter(
    ({ data }) => data?.["oddlink.yaml"] !== undefined,
  );
  const settings = parse(map?.data?.["oddlink.yaml"] ?? "") as { window: { maxLinks: number } };
  assert.equal(settings.window.maxLinks, 20_000_000);
});

/** Grades of kube-score: 1 is critical, 5 a warning, 10 all well. */
const WARNING = 5;

type Scored = {
  readonly object_name: string;
  readonly checks: readonly {
    readonly check: { readonly id: string };
    readonly grade: number;
    readonly skipped: boolean;
    readonly comments: readonly { readonly summary: string }[] | null;
  }[];
};

/** What kube-score finds critical, or warns of. */
function remarksOn(text: string) {
  const args = ["score", "--kubernetes-version", "v1.37", "--output-format", "json", "-"];
  const { stdout, stderr } = tryTool(goTool(KUBE_SCORE), args, { input: text });
  const objects = JSON.parse(stdout) as Scored[];
  assert.ok(objects.length > 0, stderr);
  return objects.flatMap(({ object_name: object, checks }) =>
    checks
      .filter(({ grade, skipped }) => !skipped && grade <= WARNING)
      .map(({ check, comments }) => ({
        object,
        check: check.id,
        what: comments?.map(({ summary }) => summary),
      })),
  );
}

type Summary = {
  readonly valid: number;
  readonly invalid: number;
  readonly errors: number;
  readonly skipped: number;
};

/** Strictly, and never with `-ignore-missing-schemas`: with it, all passes. */
function conform(text: string, version: string): { readonly summary: Summary; readonly output: string } {
  const args = [
    "-strict",
    "-summary",
    "-output",
    "json",
    "-kubernetes-version",
    version,
    ...schemaLocations(),
    "-",
  ];
  const { stdout, stderr } = tryTool(goTool(KUBECONFORM), args, { input: text });
  const { summary } = JSON.parse(stdout) as { readonly summary: Summary };
  return { summary, output: `${stdout}${stderr}` };
}

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { CHART_README, describedValues, renderChartReadme } from "../../scripts/helm-readme.ts";
import { CHART } from "./chart.ts";

type Schema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly $defs?: Readonly<Record<string, Schema>>;
};

const text = readFileSync(join(CHART, "values.yaml"), "utf8");
const values = parse(text) as Record<string, unknown>;
const schema = JSON.parse(readFileSync(join(CHART, "values.schema.json"), "utf8")) as Schema;

/** Objects whose names are somebody else's: of oddlink's own configuration, and of Kubernetes. */
const OPEN = [
  "global",
  "config",
  "affinity",
  "labelSelector",
  "namespaceSelector",
  "podSelector",
  "seLinuxOptions",
  "valueFrom",
  "configMapRef",
  "secretRef",
  "metrics[]",
  "claims[]",
  "relabelings[]",
  "metricRelabelings[]",
  "extraIngress[]",
  "extraEgress[]",
  "extraVolumes[]",
];

test("the table in the chart's README is fresh", () => {
  assert.equal(readFileSync(CHART_README, "utf8"), renderChartReadme(), "run: node scripts/helm-readme.ts");
});

test("every value is described, or what it lies in is", () => {
  const described = new Set(describedValues(text).map(({ path }) => path.join(".")));
  const bare = leavesOf(values, []).filter(
    (path) => !path.some((_, length) => described.has(path.slice(0, length + 1).join("."))),
  );
  assert.deepEqual(bare, []);
});

test("schema and values have the same names", () => {
  const differences: string[] = [];
  compare(schema, values, "values");
  assert.deepEqual(differences, []);

  function compare(here: Schema, value: unknown, path: string): void {
    const { properties } = resolved(here);
    if (properties === undefined || !isMap(value) || OPEN.some((name) => path.endsWith(`.${name}`))) return;
    for (const [name, child] of Object.entries(properties)) {
      if (name in value) compare(child, value[name], `${path}.${name}`);
      else if (!OPTIONAL.test(`${path}.${name}`)) differences.push(`${path}.${name} has no default`);
    }
  }
});

/** What may be given and has no default: parts of what Kubernetes defines, and Helm's own. */
const OPTIONAL =
  /^values\.global$|Probe\.|[rR]esources\.claims$|ecurityContext\.|\.(selectPolicy|localhostProfile)$/;

test("every object of the schema is closed, but for those whose names are somebody else's", () => {
  const open: string[] = [];
  visit(schema, "values");
  assert.deepEqual(open, []);

  function visit(given: Schema, path: string): void {
    const here = resolved(given);
    if (OPEN.some((name) => path.endsWith(`.${name}`))) return;
    const types = [here.type].flat();
    if (types.includes("object") && here.additionalProperties === undefined) open.push(path);
    if (types.includes("object") && here.additionalProperties === true) open.push(path);
    for (const [name, child] of Object.entries(here.properties ?? {})) visit(child, `${path}.${name}`);
    for (const child of here.oneOf ?? []) visit(child, path);
    if (here.items !== undefined) visit(here.items, `${path}[]`);
  }
});

test("every template has unit tests", () => {
  const suites = globSync("tests/*_test.yaml", { cwd: CHART }).map((file) =>
    readFileSync(join(CHART, file), "utf8"),
  );
  const tested = suites.flatMap((suite) =>
    parseAllDocuments(suite).flatMap((one) => one.toJS().templates as string[]),
  );
  const templates = globSync("templates/**/*.{yaml,txt}", { cwd: CHART }).map((file) =>
    relative("templates", file),
  );
  const untested = templates.filter((file) => !tested.includes(file)).sort();
  assert.deepEqual(untested, []);
});

test("the chart runs the version that it lies beside", () => {
  const chart = parse(readFileSync(join(CHART, "Chart.yaml"), "utf8")) as Chart;
  const root = join(import.meta.dirname, "..", "..");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  assert.equal(chart.appVersion, version);
  assert.match(chart.annotations["artifacthub.io/images"], new RegExp(`image: oddlink:${version}\n`));
});

type Chart = {
  readonly appVersion: string;
  readonly annotations: { readonly "artifacthub.io/images": string };
};

function resolved(here: Schema): Schema {
  return here.$ref === undefined ? here : schema.$defs![here.$ref.replace("#/$defs/", "")]!;
}

function leavesOf(value: unknown, path: readonly string[]): (readonly string[])[] {
  if (!isMap(value) || Object.keys(value).length === 0) return [path];
  return Object.entries(value).flatMap(([key, child]) => leavesOf(child, [...path, key]));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

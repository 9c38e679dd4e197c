/**
 * Writes the table of values in the chart's README from the comments of its values.yaml: `node scripts/helm-readme.ts`.
 * A test fails while it is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { table } from "./markdown-table.ts";

const CHART = join(import.meta.dirname, "..", "helm", "oddlink");
export const CHART_README = join(CHART, "README.md");
const BEGIN = "<!-- values: written by scripts/helm-readme.ts -->\n";
const END = "<!-- end of values -->\n";
/** Longer defaults are left to values.yaml. */
const DEFAULT_CHARACTERS_MAX = 60;

/** A value that a comment `# -- text` says something of. */
export type DescribedValue = { readonly path: readonly string[]; readonly description: string };

/** All that comments of values.yaml say, in its order. It is indented by two, and each key has a line of its own. */
export function describedValues(text: string): DescribedValue[] {
  const described: DescribedValue[] = [];
  let path: string[] = [];
  let description: string | undefined;
  for (const line of text.split("\n")) {
    const comment = /^ *# -- (.+)$/.exec(line);
    const key = /^( *)([A-Za-z]\w*):/.exec(line);
    if (comment !== null) description = comment[1];
    else if (key !== null) {
      path = [...path.slice(0, key[1]!.length / 2), key[2]!];
      if (description !== undefined) described.push({ path, description });
      description = undefined;
    }
  }
  return described;
}

export function renderChartReadme(): string {
  const text = readFileSync(join(CHART, "values.yaml"), "utf8");
  const values: unknown = parse(text);
  const rows = describedValues(text).map(({ path, description }) => [
    `\`${path.join(".")}\``,
    defaultText(path.reduce((value, key) => (value as Record<string, unknown>)[key], values)),
    description,
  ]);
  const readme = readFileSync(CHART_README, "utf8");
  const [before, rest] = readme.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${CHART_README} lacks its marks`);
  return [before, BEGIN, "\n", table([["Value", "Default", "What it is"], ...rows]), "\n", END, after].join(
    "",
  );
}

function defaultText(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > DEFAULT_CHARACTERS_MAX ? "in values.yaml" : `\`${text}\``;
}

if (process.argv[1] === import.meta.filename) writeFileSync(CHART_README, renderChartReadme());

import { parser } from "@prometheus-io/lezer-promql";
import { CATALOGUE, type MetricDefinition, PREFIX } from "../../src/metrics/catalogue.ts";

/** A metric that an expression asks for, with the labels that it names in the braces. */
export type Selector = { readonly metric: string; readonly labels: readonly string[] };

export type ParsedExpression = {
  readonly selectors: readonly Selector[];
  /** Labels that results are grouped or matched by. */
  readonly grouped: readonly string[];
};

/** What Grafana puts in the place of its own variables. */
function withoutVariables(expression: string): string {
  return expression.replaceAll("$__rate_interval", "5m").replaceAll("{{.window}}", "5m");
}

/** @throws {Error} for what is no PromQL */
export function parseExpression(expression: string): ParsedExpression {
  const text = withoutVariables(expression);
  const selectors: { metric: string; labels: string[] }[] = [];
  const grouped: string[] = [];
  parser.parse(text).iterate({
    enter: (node) => {
      const found = text.slice(node.from, node.to);
      if (node.type.isError) throw new Error(`no PromQL at ${node.from}: ${text}`);
      if (node.name === "VectorSelector") selectors.push({ metric: "", labels: [] });
      else if (node.name === "Identifier" && node.node.parent?.name === "VectorSelector")
        selectors.at(-1)!.metric = found;
      else if (node.name === "LabelName") {
        if (node.node.parent?.name === "GroupingLabels") grouped.push(found);
        else selectors.at(-1)!.labels.push(found);
      }
    },
  });
  return { selectors, grouped };
}

const SUFFIXES = ["_bucket", "_sum", "_count"];
/** Of what Prometheus adds to each series, and Node's own metrics have. */
const ADDED = ["job", "instance"];

/** Every series that oddlink exports, with the labels that it may have. */
export function exportedSeries(): Map<string, ReadonlySet<string>> {
  const series = new Map<string, ReadonlySet<string>>();
  for (const [name, { type, labels }] of Object.entries<MetricDefinition>(CATALOGUE)) {
    const known = [...labels, ...ADDED];
    if (type !== "histogram") series.set(PREFIX + name, new Set(known));
    else for (const suffix of SUFFIXES) series.set(PREFIX + name + suffix, new Set([...known, "le"]));
  }
  return series;
}

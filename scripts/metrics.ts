/**
 * Writes docs/metrics.md from the catalogue of metrics: `npm run docs`. A test fails while the page is stale.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CATALOGUE, type MetricDefinition, PREFIX, ROLES, type Role } from "../src/metrics/catalogue.ts";
import { table } from "./markdown-table.ts";

export const METRICS_PAGE = join(import.meta.dirname, "..", "docs", "metrics.md");

const INTRODUCTION = `# Metrics

What each process exports at \`/metrics\`, written by \`npm run docs\` from the catalogue in \`src/metrics/catalogue.ts\`; besides these
Node's own (\`process_*\`, \`nodejs_*\`). Names and labels change with a major version only.

A worker serves them beside the page (\`http.*\`, by default \`http://127.0.0.1:9464/metrics\`), and any process on an address of their own
with \`management.port\`, where nobody is asked for a token: there are no names of accounts or hosts in them, and no alerts.

- \`/healthz\` answers 503 once records have waited for two minutes and nothing was done, or tried: start the process anew. That
  brokers can't be reached is no reason to.
- \`/readyz\` answers 503 until the stored graph is read, and the partitions that the group gave are taken on. To have none is to stand
  by, and ready.

Totals are of what is committed: they never go back while a process runs. On Kafka each process counts from 0; with a store the totals
of the records go on where they were. They balance, in every scrape:

\`\`\`
oddlink_logins_consumed_total == oddlink_logins_scored_total + oddlink_logins_evidence_total + oddlink_logins_duplicate_total
  + sum(oddlink_logins_ignored_total) + sum(oddlink_dead_letters_total)
\`\`\`
`;

const TITLES: Readonly<Record<Role, string>> = {
  worker: "A worker (`oddlink run`)",
  trainer: "A trainer (`oddlink train`)",
  normalizer: "A normalizer (`oddlink normalize`)",
  canary: "A canary (`oddlink canary`)",
};

export function renderMetrics(): string {
  return [INTRODUCTION, ...ROLES.map(section)].join("\n");
}

function section(role: Role): string {
  const definitions = Object.entries<MetricDefinition>(CATALOGUE).filter(([, { roles }]) =>
    roles.includes(role),
  );
  return [
    `## ${TITLES[role]}\n`,
    table([
      ["Metric", "Type", "Labels", "What it is"],
      ...definitions.map(([name, { type, labels, help, where }]) => [
        `\`${PREFIX}${name}\``,
        type,
        labels.map((label) => `\`${label}\``).join(", "),
        where === undefined ? help : `${help} Only ${where}.`,
      ]),
    ]),
  ].join("\n");
}

if (process.argv[1] === import.meta.filename) writeFileSync(METRICS_PAGE, renderMetrics());

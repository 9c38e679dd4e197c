/**
 * Writes docs/cli.md from the commands, docs/topics.md from what oddlink needs of its topics, and docs/schemas.md from the published schemas:
 * `npm run docs`. A test fails while one of them is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { Command } from "commander";
import { programOf } from "../src/cli/program.ts";
import { StandardOutput } from "../src/cli/standard-output.ts";
import { TOPIC_NAMES } from "../src/log/kafka/produced-records.ts";
import { missingTopics, type TopicRole, topicRoles } from "../src/log/kafka/topic-settings.ts";
import { table } from "./markdown-table.ts";

const ROOT = join(import.meta.dirname, "..");
const HELP_WIDTH = 100;

/** Pages by the name of their file in docs. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ["cli.md", renderCommands()],
    ["topics.md", renderTopics()],
    ["schemas.md", renderSchemas()],
  ]);
}

/** Every command of the program, that of no name first. */
export function commands(): readonly Command[] {
  const program = programOf(new StandardOutput(new PassThrough()));
  return [program, ...program.commands];
}

function renderCommands(): string {
  const sections = commands().map((command) => {
    const name = command.parent === null ? "oddlink" : `oddlink ${command.name()}`;
    return `## ${name}\n\n\`\`\`text\n${helpOf(command)}\`\`\`\n`;
  });
  return `# Commands

What each command says under \`--help\`, written by \`npm run docs\`. In a checkout \`npm run oddlink -- COMMAND\` stands for \`oddlink COMMAND\`. Options, exit
codes and what goes to standard output change with a major version only.

${sections.join("\n")}`;
}

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => HELP_WIDTH,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text;
}

const ABOUT: Readonly<Record<TopicRole, string>> = {
  logins: "the input: yours, or what `oddlink normalize` writes",
  alerts: "findings ([outputs](outputs.md))",
  alertsShadow: "what an epoch in the shadow would have raised, with `training.shadow`",
  scoredLogins: "each login with its score, with `outputs.scoredLogins`",
  entityRisk: "risk of accounts and hosts, with `outputs.entityRisk`",
  deadLetters: "the bytes of records that can't be read, with the reason in headers",
  graphState: "segments: all that is known of links ([architecture](architecture.md))",
  epochs: "models",
  verdicts: "analysts' answers ([verdicts](verdicts.md))",
};

function renderTopics(): string {
  const made = missingTopics(topicRoles(true, true, true), TOPIC_NAMES, new Map(), {
    partitions: 12,
    replication: 3,
  });
  return `# Topics

What \`oddlink topics --create --partitions 12 --replication 3\` makes, written by \`npm run docs\` from the code that checks it. Names begin with
\`kafka.topicPrefix\` (\`oddlink.\`), or are set one by one under \`kafka.topics\`. All are written in transactions: read them with
\`isolation.level=read_committed\`.

${table([
  ["Topic", "Setting", "Partitions", "Settings", "What is in it"],
  ...made.map(({ topic, partitions, settings }) => {
    const role = roleOf(topic);
    return [
      `\`${topic}\``,
      `\`kafka.topics.${role}\``,
      partitions === 1 ? "1" : "as `logins`",
      Object.entries(settings)
        .map(([name, value]) => `\`${name}=${value}\``)
        .join(" ") || "those of the broker",
      ABOUT[role],
    ];
  }),
])}
Dead letters must take a record as large as the topic of logins does, and its headers; graph-state has as many partitions as logins. \`oddlink topics\` says
what is wrong with topics that exist, and never changes them.
`;
}

function roleOf(topic: string): TopicRole {
  const [role] = Object.entries(TOPIC_NAMES).find(([, name]) => name === topic)!;
  return role as TopicRole;
}

type AvroType = string | AvroType[] | { readonly [key: string]: unknown };
type AvroField = { readonly name: string; readonly type: AvroType; readonly doc?: string };
type AvroRecord = { readonly name: string; readonly doc?: string; readonly fields: readonly AvroField[] };

const AVRO: Readonly<Record<string, string>> = {
  login: "a login as `oddlink normalize` writes it",
  alert: "an alert, as OCSF has it",
  "ecs-signal": "an alert, as the Elastic Common Schema has it",
  "scored-login": "a scored login",
  segment: "a segment of the graph",
};

function renderSchemas(): string {
  const sections = Object.entries(AVRO).map(([name, about]) => {
    const schema = JSON.parse(readFileSync(join(ROOT, "schemas", `${name}.avsc`), "utf8")) as AvroRecord;
    return `## ${schema.name}\n\n\`schemas/${name}.avsc\`: ${about}.\n\n${table([
      ["Field", "Type", "What it is"],
      ...schema.fields.map(({ name: field, type, doc }) => [`\`${field}\``, typeText(type), doc ?? ""]),
    ])}`;
  });
  return `# Schemas

The Avro schemas of what oddlink writes, written by \`npm run docs\` from \`schemas\`; their past versions are in \`schemas/history\`, and a test reads what each of
them wrote. Of what others write there are JSON Schemas: \`schemas/login.schema.json\`, \`schemas/verdict.schema.json\`. In JSON the fields are the
same.

${sections.join("\n")}`;
}

function typeText(type: AvroType): string {
  if (typeof type === "string") return type;
  if (Array.isArray(type)) {
    const others = type.filter((one) => one !== "null").map(typeText);
    return type.includes("null") ? `${others.join(" or ")}, or null` : others.join(" or ");
  }
  if (type["type"] === "array") return `list of ${typeText(type["items"] as AvroType)}`;
  if (type["type"] === "map") return `names with ${typeText(type["values"] as AvroType)}`;
  return String(type["name"] ?? type["type"]);
}

if (process.argv[1] === import.meta.filename)
  for (const [file, text] of referencePages()) writeFileSync(join(ROOT, "docs", file), text);

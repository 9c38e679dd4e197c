/**
 * Writes docs/configuration.md from the schema of all settings: `npm run docs`. A test fails while the page is stale.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify as toYaml } from "yaml";
import { z } from "zod";
import { SETTING_OF_FLAG } from "../src/cli/options.ts";
import { SETTINGS, type Setting } from "../src/config/load.ts";
import { configSchema } from "../src/config/schema.ts";
import { table } from "./markdown-table.ts";

export const CONFIGURATION_PAGE = join(import.meta.dirname, "..", "docs", "configuration.md");

/** The parts of a JSON Schema that the configuration's has. */
type Schema = {
  readonly type?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly required?: readonly string[];
};

const SCHEMA = z.toJSONSchema(configSchema, { io: "input" }) as Schema;

const INTRODUCTION = `# Configuration

Every setting there is, written by \`npm run docs\` from the schema that checks them. Later ones win: defaults, the file named
by \`--config\` or \`ODDLINK_CONFIG\` (YAML, by path: \`window: { days: 14 }\`), environment variables, flags. What is empty in the
file or the environment is not set; a name that does not exist is an error. \`--print-config\` shows the settings in force, as a
file that \`--config\` reads.
`;

export function renderConfiguration(): string {
  const lists = SETTINGS.filter((setting) => schemaOf(setting).type === "array");
  return [
    INTRODUCTION,
    table([
      ["Setting", "Type", "Default", "Environment", "Flag", "What it is"],
      ...SETTINGS.map((setting) => {
        const schema = schemaOf(setting);
        return [
          code(setting.path.join(".")),
          typeText(schema),
          schema.type === "array" ? "below" : defaultText(schema),
          code(setting.variable),
          flagText(setting),
          setting.description,
        ];
      }),
    ]),
    ...lists.map(listSection),
  ].join("\n");
}

/** A list of objects: its default as it is written in a file, and what each object has. */
function listSection(setting: Setting): string {
  const name = setting.path.join(".");
  const { items, default: value } = schemaOf(setting);
  const fields = Object.entries(items?.properties ?? {});
  return [
    `## One of \`${name}\`\n`,
    table([
      ["Name", "Type", "Default", "What it is"],
      ...fields.map(([field, schema]) => [
        code(field),
        typeText(schema),
        defaultText(schema, items?.required?.includes(field) ? "must be there" : "not set"),
        schema.description ?? "",
      ]),
    ]),
    `By default:\n\n\`\`\`yaml\n${toYaml({ [name]: value })}\`\`\`\n`,
  ].join("\n");
}

function schemaOf({ path }: Setting): Schema {
  return path.reduce((schema, key) => schema.properties![key]!, SCHEMA);
}

function typeText(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map(code).join(", ");
  if (schema.type === "integer") return `whole number${rangeText(schema)}`;
  if (schema.type === "number") return `number${rangeText(schema)}`;
  if (schema.type === "array") return `list of ${schema.minItems ?? 0} to ${schema.maxItems}`;
  if (schema.type === "object") return "names with values";
  return schema.type === "boolean" ? "`true`, `false`" : "text";
}

function rangeText({ minimum, exclusiveMinimum, maximum }: Schema): string {
  const from =
    exclusiveMinimum === undefined ? numberText(minimum!) : `above ${numberText(exclusiveMinimum)}`;
  return maximum === undefined || maximum === Number.MAX_SAFE_INTEGER
    ? `, ${from} or more`
    : `, ${from} to ${numberText(maximum)}`;
}

function numberText(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString("en-US") : String(Number(value.toPrecision(2)));
}

function defaultText(schema: Schema, missing = "not set"): string {
  if (schema.default === undefined) return missing;
  return Array.isArray(schema.default) && schema.default.length === 0 ? "none" : code(String(schema.default));
}

function flagText({ path }: Setting): string {
  const flag = Object.entries(SETTING_OF_FLAG).find(([, setting]) => setting === path.join("."))?.[0];
  return flag === undefined
    ? ""
    : code(`--${flag.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
}

function code(text: string): string {
  return `\`${text}\``;
}

if (process.argv[1] === import.meta.filename) writeFileSync(CONFIGURATION_PAGE, renderConfiguration());

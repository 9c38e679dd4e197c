import { readFileSync } from "node:fs";
import { parse as parseYaml, stringify as stringifyYaml, YAMLParseError } from "yaml";
import { z } from "zod";
import { OddlinkError } from "../errors.ts";
import { type Config, configSchema } from "./schema.ts";
import { hideSecret } from "./secrets.ts";
import { heldTooLong } from "./suppressions.ts";

const PREFIX = "ODDLINK_";
/** Names the configuration file; every other variable with the prefix is a setting. */
const FILE_VARIABLE = "ODDLINK_CONFIG";

/** Settings by name lie within each other no deeper than half of this. */
const DEPTH_MAX = 16;
/** Warnings would go to standard error, and quote what they are about. */
const YAML_OPTIONS = { logLevel: "error" } as const;
/** As much of an unknown key as is told: what stands behind a colon without a blank is part of it, and may be a secret. */
const UNKNOWN_KEY = /^[^:=]{0,100}/;

type Tree = { [key: string]: unknown };

/** One setting: its path, the variable that sets it, and whether its text is taken as it is. */
export type Setting = {
  readonly path: readonly string[];
  readonly variable: string;
  readonly isText: boolean;
  readonly description: string;
};

/** Every setting there is, in the order of the schema. */
export const SETTINGS: readonly Setting[] = settingsOf(configSchema, []);

/**
 * The configuration in force: defaults < file < environment < flags. What is empty in a file or the environment is not set.
 *
 * @param nowMs the clock on the wall, by which suppressions may not hold for too long; not looked at if left out
 * @param flags settings given on the command line, by dotted path; undefined ones are left out
 * @param flagsFrom where they were given, if not there: errors name it
 * @throws {OddlinkError} CONFIG_INVALID naming each wrong key and what was expected
 */
export function loadConfig(input: {
  readonly file?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly flags: Readonly<Record<string, unknown>>;
  readonly flagsFrom?: string;
  readonly nowMs?: number;
}): Config {
  const problems: string[] = [];
  const tree: Tree = {};
  const origins = new Map<string, string>();
  const file = configFile(input.file, input.environment);
  if (file !== undefined) merge(tree, readFile(file), file, origins, []);
  for (const [variable, text = ""] of Object.entries(input.environment)) {
    if (!variable.startsWith(PREFIX) || variable === FILE_VARIABLE || text === "") continue;
    const setting = SETTINGS.find((candidate) => candidate.variable === variable);
    if (setting === undefined) problems.push(`${variable}: there is no such setting`);
    else set(tree, setting.path, setting.isText ? text : parseText(text), variable, origins);
  }
  for (const [path, value] of Object.entries(input.flags)) {
    if (value !== undefined) set(tree, path.split("."), value, input.flagsFrom ?? "command line", origins);
  }
  const result = configSchema.safeParse(tree);
  if (result.success && input.nowMs !== undefined) {
    for (const { index, message } of heldTooLong(result.data.suppressions, input.nowMs))
      problems.push(`suppressions.${index}.until: ${message}`);
  }
  if (result.success && problems.length === 0) return result.data;
  for (const issue of result.error?.issues ?? []) problems.push(...describe(issue, origins));
  const list = problems.map((problem) => `  ${problem}`).join("\n");
  throw new OddlinkError("CONFIG_INVALID", `the configuration is not valid; nothing was started\n${list}`);
}

/** The configuration file: the one named on the command line, else in the environment; an empty name is none. */
export function configFile(
  flag: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return flag ?? (environment[FILE_VARIABLE] || undefined);
}

/** The configuration as YAML that `--config` accepts again, once its secrets are put back: they are not printed. */
export function printConfig(config: Config): string {
  return stringifyYaml(config, hideSecret);
}

function readFile(file: string): Tree {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new OddlinkError(
      "CONFIG_INVALID",
      `can't read configuration ${file}: ${(error as Error).message}`,
      { cause: error },
    );
  }
  let tree: unknown;
  try {
    tree = parseYaml(text, YAML_OPTIONS) ?? {};
  } catch (error) {
    throw new OddlinkError("CONFIG_INVALID", `${file} is no YAML: ${yamlProblem(error)}`);
  }
  if (!isTree(tree))
    throw new OddlinkError("CONFIG_INVALID", `${file}: expected settings by name at the top level`);
  return tree;
}

/** Of what is wrong in YAML the kind and the place: messages quote the text, which may be a secret; so does the cause. */
function yamlProblem(error: unknown): string {
  if (!(error instanceof YAMLParseError))
    return "an alias is used before its anchor, or too often, or it is nested too deeply; texts that begin with * or & are quoted";
  const what = error.code.toLowerCase().replaceAll("_", " ");
  const [at] = error.linePos ?? [];
  return at === undefined ? what : `${what} at line ${at.line}, column ${at.col}`;
}

function merge(
  into: Tree,
  from: Tree,
  origin: string,
  origins: Map<string, string>,
  path: readonly string[],
): void {
  // An alias may stand within what it stands for.
  if (path.length === DEPTH_MAX)
    throw new OddlinkError("CONFIG_INVALID", `${origin}: settings are nested deeper than ${DEPTH_MAX}`);
  for (const [key, value] of Object.entries(from)) {
    const here = [...path, key];
    origins.set(here.join("."), origin);
    if (isTree(value)) {
      const child: Tree = {};
      define(into, key, child);
      merge(child, value, origin, origins, here);
    } else {
      // A name with nothing after it sets nothing.
      define(into, key, value ?? undefined);
    }
  }
}

function set(
  tree: Tree,
  path: readonly string[],
  value: unknown,
  origin: string,
  origins: Map<string, string>,
): void {
  let node = tree;
  for (const key of path.slice(0, -1)) {
    if (!isTree(node[key])) define(node, key, {});
    node = node[key] as Tree;
  }
  define(node, path.at(-1)!, value);
  origins.set(path.join("."), origin);
}

/** Sets an own property even when the key is `__proto__`, so that the schema sees it and refuses it. */
function define(tree: Tree, key: string, value: unknown): void {
  Object.defineProperty(tree, key, { value, enumerable: true, configurable: true, writable: true });
}

function describe(issue: z.core.$ZodIssue, origins: ReadonlyMap<string, string>): string[] {
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const told = UNKNOWN_KEY.exec(key)?.[0] ?? "";
      const whole = path === "" ? told : `${path}.${told}`;
      const inside = SETTINGS.filter((s) => `${s.path.join(".")}.`.startsWith(path === "" ? "" : `${path}.`));
      const known = [...new Set(inside.map((s) => s.path[issue.path.length]))];
      const hint = known.length > 0 ? ` (known here: ${known.join(", ")})` : "";
      return `${whole}: there is no such setting${hint}${from(whole)}`;
    });
  }
  return [`${path}: ${issue.message}${from(path)}`];

  function from(where: string): string {
    for (let parts = where.split("."); parts.length > 0; parts = parts.slice(0, -1)) {
      const origin = origins.get(parts.join("."));
      if (origin !== undefined) return ` [${origin}]`;
    }
    return "";
  }
}

function settingsOf(schema: z.ZodType, path: readonly string[]): Setting[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject && path.length < 4) {
    return Object.entries(inner.shape).flatMap(([key, child]) =>
      settingsOf(child as z.ZodType, [...path, key]),
    );
  }
  return [
    {
      path,
      variable: PREFIX + path.join("_").toUpperCase(),
      isText: inner instanceof z.ZodString || inner instanceof z.ZodEnum,
      description: schema.description ?? inner.description ?? "",
    },
  ];
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrap(schema.unwrap() as z.ZodType);
  }
  return schema;
}

/** Numbers, booleans and lists are written as in the file; what is no YAML is text, and the schema will say so. */
function parseText(text: string): unknown {
  try {
    return parseYaml(text, YAML_OPTIONS);
  } catch {
    return text;
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

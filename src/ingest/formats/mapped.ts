import { ignored } from "../decoded.ts";
import { EVIDENCE, OUTCOMES } from "../login.ts";
import { accountOf, hostOf, isoTimeMs, textOf } from "../names.ts";
import type { Format } from "./format.ts";
import { at, isObject, type JsonObject, jsonFormat, type Reading } from "./json-format.ts";
import type { Conditions, FieldConfig, Kind, Mapping } from "./mapping.ts";

const NOT_A_LOGIN = ignored("not-a-login");
const MS_PER_SECOND = 1000;

/** The format that a mapping describes. */
export function mappedFormat({ name, where, logins, evidence, fields }: Mapping): Format {
  const read = (record: JsonObject): ReturnType<Parameters<typeof jsonFormat>[0]["read"]> => {
    const isLogin = holds(record, logins);
    if (!isLogin && (evidence === undefined || !holds(record, evidence))) return NOT_A_LOGIN;
    const field = (config: FieldConfig | undefined, kind: Kind): string =>
      config === undefined ? "" : valueOfField(record, config, kind);
    const shown = field(fields.evidence, "text");
    return {
      kind: isLogin ? "login" : "evidence",
      timeMs: timeOf(record, fields.time),
      user: field(fields.user, "account"),
      targetUser: field(fields.targetUser, "account"),
      sourceHost: field(fields.sourceHost, "host"),
      targetHost: field(fields.targetHost, "host"),
      authType: field(fields.authType, "text"),
      logonType: field(fields.logonType, "text"),
      outcome: wordOf(OUTCOMES, field(fields.outcome, "text")) ?? "unknown",
      ...evidenceOf(shown),
      uid: field(fields.uid, "text"),
    };
  };
  const format = jsonFormat({
    name,
    marks: [`"${where[0]!.path.split(".").at(-1)!}"`, `"${where[0]!.path}"`],
    read,
    page: { title: name, about: "", recognisedBy: "", fields: pageFields(fields), records: [] },
  });
  return {
    ...format,
    recognises(bytes, start, end) {
      if (!format.recognises(bytes, start, end)) return false;
      try {
        const parsed: unknown = JSON.parse(bytes.toString("utf8", start, end));
        return isObject(parsed) && holds(parsed, where);
      } catch {
        return false;
      }
    },
  };
}

/** Where each field comes from, as the configuration has it. */
function pageFields(fields: Mapping["fields"]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, config]) =>
      config === undefined
        ? []
        : [
            [
              name.replace(/[A-Z]/, (letter) => ` ${letter.toLowerCase()}`),
              typeof config === "string" ? config : JSON.stringify(config),
            ],
          ],
    ),
  );
}

function holds(record: JsonObject, conditions: Conditions): boolean {
  return conditions.every(({ path, is }) => {
    const value = at(record, path);
    const texts = (Array.isArray(value) ? value : [value]).map((one) =>
      typeof one === "boolean" ? String(one) : textOf(one),
    );
    return texts.some((text) => is.includes(text));
  });
}

function valueOfField(record: JsonObject, config: FieldConfig, usual: Kind): string {
  if (typeof config === "string") return asKind(usual, rawText(record, config), "");
  if ("constant" in config) return config.constant;
  const raw = rawText(record, config.path);
  const mapped = config.values === undefined ? raw : (ownValue(config.values, raw) ?? "");
  if (mapped === "") return config.otherwise ?? "";
  if (config.values !== undefined) return mapped;
  const domain = config.domain === undefined ? "" : rawText(record, config.domain);
  return asKind(config.as ?? usual, mapped, domain);
}

function rawText(record: JsonObject, path: string | readonly string[]): string {
  for (const one of typeof path === "string" ? [path] : path) {
    const value = at(record, one);
    const text = typeof value === "boolean" ? String(value) : textOf(value);
    if (text !== "") return text;
  }
  return "";
}

function ownValue(values: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}

function asKind(kind: Kind, text: string, domain: string): string {
  if (kind === "account") return accountOf(text, domain);
  if (kind === "host") return hostOf(text);
  return kind === "small" ? text.toLowerCase() : text;
}

function timeOf(record: JsonObject, config: Mapping["fields"]["time"]): number {
  const { path, format } = typeof config === "string" ? { path: config, format: "iso" as const } : config;
  const text = rawText(record, path);
  if (format === "iso") return isoTimeMs(text);
  if (!/^\d{1,16}(?:\.\d{1,9})?$/.test(text)) return Number.NaN;
  return Math.floor(Number(text) * (format === "seconds" ? MS_PER_SECOND : 1));
}

function wordOf<T extends string>(words: readonly T[], text: string): T | undefined {
  return words.find((word) => word === text);
}

function evidenceOf(text: string): Pick<Reading, "evidence"> {
  const evidence = wordOf(EVIDENCE, text);
  return evidence === undefined ? {} : { evidence };
}

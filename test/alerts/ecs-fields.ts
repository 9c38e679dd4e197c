import { isIP } from "node:net";
import ecs from "@elastic/ecs";

/** What is wrong with a document, by the published list of ECS fields: names, types, lists, allowed values. */
export function ecsViolations(document: object): string[] {
  return violationsAt(document, "");
}

type Field = {
  readonly type: string;
  readonly normalize: readonly string[];
  readonly allowed_values?: readonly { readonly name: string }[];
};
const FIELDS = ecs.EcsFlat as unknown as Readonly<Record<string, Field>>;
const FREE_OBJECTS = new Set(["labels"]);

function violationsAt(value: unknown, path: string): string[] {
  const field = Object.hasOwn(FIELDS, path) ? FIELDS[path] : undefined;
  if (FREE_OBJECTS.has(path))
    return Object.entries(value as object).flatMap(([key, text]) =>
      typeof text === "string" && !key.includes(".") ? [] : [`${path}.${key} is no flat text`],
    );
  if (field === undefined) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${path} is no field`];
    return Object.entries(value).flatMap(([key, inner]) =>
      violationsAt(inner, path === "" ? key : `${path}.${key}`),
    );
  }
  const isList = field.normalize.includes("array");
  if (isList !== Array.isArray(value)) return [`${path} is ${isList ? "no list" : "a list"}`];
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  const names = field.allowed_values?.map(({ name }) => name);
  return values.flatMap((one) => [
    ...(isOfType(one, field.type) ? [] : [`${path} is no ${field.type}: ${JSON.stringify(one)}`]),
    ...(names === undefined || names.includes(String(one)) ? [] : [`${path} may not be ${one}`]),
  ]);
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case "date":
      return typeof value === "string" && !Number.isNaN(Date.parse(value));
    case "long":
      return Number.isSafeInteger(value);
    case "float":
      return typeof value === "number" && Number.isFinite(value);
    case "ip":
      return typeof value === "string" && isIP(value) !== 0;
    default:
      return typeof value === "string";
  }
}

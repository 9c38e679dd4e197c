import { z } from "zod";

/** Stands for a secret wherever a configuration is printed. */
export const HIDDEN = "(hidden)";

const SECRET_KEYS: ReadonlySet<string> = new Set(["password", "token", "keyPassword"]);

/** The names of all settings that are never printed. */
export function secretKeys(): readonly string[] {
  return [...SECRET_KEYS];
}

/** A setting that is never printed; its key must be one of `SECRET_KEYS`. A printed configuration lacks it. */
export const secretSchema = z
  .string()
  .min(1)
  .refine((text) => text !== HIDDEN, {
    message: "the secret itself is expected here, or in its environment variable: it was hidden when printed",
  });

/** For a replacer of JSON or YAML: hides secrets, and credentials in URLs. */
export function hideSecret(key: unknown, value: unknown): unknown {
  if (typeof value !== "string") return value;
  return SECRET_KEYS.has(String(key))
    ? HIDDEN
    : value.replace(/(?<=^[a-z][a-z0-9+.-]*:\/\/)[^/?#]*(?=@)/i, HIDDEN);
}

import { z } from "zod";
import { EVIDENCE, OUTCOMES } from "../login.ts";

/** Keys with dots between them, and places of lists in brackets: `target[0].name` is kept as `target.0.name`. */
const path = z
  .string()
  .min(1)
  .max(256)
  .transform((text) => text.replace(/\[(\d{1,9})\]/g, ".$1").replace(/^\./, ""));
const paths = z
  .union([path, z.array(path).min(1).max(8)])
  .describe("keys with dots between them; of several the first that says something");

/** What is made of a text: an account or a host as all formats write them, small letters, or the text as it is. */
const KINDS = ["account", "host", "small", "text"] as const;
export type Kind = (typeof KINDS)[number];

const fieldSchema = z.union(
  [
    path,
    z.strictObject({ constant: z.string().max(256) }),
    z.strictObject({
      path: paths,
      as: z.enum(KINDS).optional(),
      /** Of an account: where its domain is. */
      domain: path.optional(),
      values: z.record(z.string(), z.string()).optional(),
      otherwise: z.string().max(256).optional(),
    }),
  ],
  {
    error:
      "expected a path, { constant: TEXT }, or { path, as: account | host | small | text, domain, values, otherwise }",
  },
);
export type FieldConfig = z.infer<typeof fieldSchema>;

const TIME_FORMATS = ["iso", "seconds", "milliseconds"] as const;
const timeSchema = z.union(
  [path, z.strictObject({ path: paths, format: z.enum(TIME_FORMATS).default("iso") })],
  { error: "expected a path, or { path, format: iso | seconds | milliseconds }" },
);

const conditionsSchema = z.array(z.strictObject({ path, is: z.array(z.string()).min(1).max(100) })).max(20);
export type Conditions = z.infer<typeof conditionsSchema>;

/** A field whose values are words of ours. */
function wordSchema(words: readonly string[]) {
  const isWord = (text: string | undefined): boolean => text === undefined || words.includes(text);
  return fieldSchema.refine(
    (field) =>
      typeof field !== "object" ||
      ("constant" in field
        ? isWord(field.constant)
        : isWord(field.otherwise) && Object.values(field.values ?? {}).every(isWord)),
    { message: `values are ${words.join(", ")}` },
  );
}

/** A format of JSON records that is described, not programmed. */
export const mappingSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,63}$/, "expected small letters, digits and dashes")
    .describe("what it is called in errors"),
  where: conditionsSchema.min(1).describe("what all records of this format have: conditions that all hold"),
  logins: conditionsSchema.default([]).describe("which of them are logins; all if left out"),
  evidence: conditionsSchema
    .optional()
    .describe("which of the others show an account at work on its source host; none if left out"),
  fields: z
    .strictObject({
      time: timeSchema,
      user: fieldSchema,
      targetUser: fieldSchema.optional(),
      sourceHost: fieldSchema.optional(),
      targetHost: fieldSchema.optional(),
      authType: fieldSchema.optional(),
      logonType: fieldSchema.optional(),
      outcome: wordSchema(OUTCOMES).optional(),
      evidence: wordSchema(EVIDENCE).optional(),
      uid: fieldSchema.optional(),
    })
    .describe("where each field of a login is"),
});
export type Mapping = z.infer<typeof mappingSchema>;

import { z } from "zod";
import { SIGNALS } from "../alerts/odd-login.ts";
import { isRuleId } from "../alerts/suppression.ts";
import { endMsOf, isTooLong, UNTIL_DAYS_MAX, untilSchema } from "../alerts/until.ts";
import { COLUMNS, type Column } from "../ingest/login.ts";

const RULES_MAX = 1000;
const TEXTS_MAX = 1000;
/** Longer than any name of a login. */
const TEXT_LENGTH_MAX = 256;

/** A name that JSON objects have no members of their own by: counts are kept under it. */
export const ruleIdSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    "letters, digits, dots, dashes; at most 100, the first a letter or digit",
  )
  .refine(isRuleId, { message: "verdicts, and what begins with verdict-, are names of analysts' answers" });

const pattern = z
  .string()
  .min(1)
  .max(TEXT_LENGTH_MAX)
  .regex(/[^*]/, "asterisks alone are no condition: leave it out");
const patterns = z.union([pattern, z.array(pattern).min(1).max(TEXTS_MAX)]).optional();
const signal = z.enum(SIGNALS);

const columns = Object.fromEntries(COLUMNS.map((column) => [column, patterns])) as Record<
  Column,
  typeof patterns
>;

const matchSchema = z
  .strictObject({
    ...columns,
    signal: z.union([signal, z.array(signal).min(1).max(SIGNALS.length)]).optional(),
  })
  .refine((match) => Object.values(match).some((condition) => condition !== undefined), {
    message: "a rule without a condition would suppress everything",
  })
  .describe(
    "conditions, all of which must hold: user, targetUser, sourceHost, targetHost, authType, logonType, signal; each a text or a list of them, letters in any case, * for any characters",
  );

const until = untilSchema.describe(
  `last day (a date, in UTC) or end (a time) of the rule, by the time of logins; at most ${UNTIL_DAYS_MAX} days ahead`,
);

/** Alerts that are not to be told for a while, each with who answers for it and why. */
export const suppressionsSchema = z
  .array(
    z.strictObject({
      id: ruleIdSchema.describe("what it is called, in findings and counts"),
      owner: z.string().trim().min(1).max(200).describe("who answers for it"),
      reason: z.string().trim().min(1).max(1000).describe("why these alerts need not be told"),
      until,
      match: matchSchema,
    }),
  )
  .max(RULES_MAX)
  .refine((rules) => new Set(rules.map(({ id }) => id)).size === rules.length, {
    message: "two suppressions have the same id",
  })
  .default([])
  .describe("alerts that are suppressed: counted and kept, but nobody is told; see suppressions.md");

type Until = { readonly id: string; readonly until: string };

/** What is wrong with rules that are to hold for too long, by where each is. */
export function heldTooLong(rules: readonly Until[], nowMs: number): { index: number; message: string }[] {
  return rules.flatMap(({ until }, index) =>
    isTooLong(until, nowMs)
      ? [{ index, message: `until ${until} is more than ${UNTIL_DAYS_MAX} days ahead` }]
      : [],
  );
}

/** Rules that have ended by the clock on the wall. */
export function ended<Rule extends Until>(rules: readonly Rule[], nowMs: number): Rule[] {
  return rules.filter(({ until }) => endMsOf(until) <= nowMs);
}

import { z } from "zod";
import { SIGNALS } from "../alerts/odd-login.ts";
import { recordSchema } from "../ingest/formats/oddlink.ts";
import { ruleIdSchema } from "./suppressions.ts";

const CHECKS_MAX = 1000;
const LOGINS_MAX = 1000;
/** Logins of one check, repetitions included. */
const REPEATED_MAX = 200_000;
const MINUTES_MAX = 60 * 24 * 30;

export const EXPECTATIONS = ["alert", "suppressed", "none"] as const;

const minutes = z.number().min(0.001).max(MINUTES_MAX);

/** A login as in oddlink's own JSON, but that its time follows from the order. */
const loginSchema = z.strictObject(recordSchema.omit({ timeMs: true, uid: true }).shape).extend({
  repeat: z.number().int().min(1).max(REPEATED_MAX).default(1),
  everyMinutes: minutes.optional(),
  afterMinutes: minutes.optional(),
});

/** Logins and what the last of them is to come to: `oddlink check` runs them. */
export const checksSchema = z
  .array(
    z
      .strictObject({
        name: z.string().trim().min(1).max(200).describe("what it is called"),
        at: z.iso.datetime({ offset: true }).optional().describe("time of the last login; now if left out"),
        logins: z
          .array(loginSchema)
          .min(1)
          .max(LOGINS_MAX)
          .describe(
            "logins in order, with the fields of oddlink's JSON but timeMs and uid; repeat: how many of it, everyMinutes (1) apart; afterMinutes (1): how long after the one before",
          ),
        expect: z.enum(EXPECTATIONS).describe("what becomes of the last login"),
        signal: z.enum(SIGNALS).optional().describe("the signal that raises it, unless expect is none"),
        rule: ruleIdSchema.optional().describe("id of the rule that suppresses it, where that is expected"),
      })
      .refine(({ logins }) => logins.reduce((sum, { repeat }) => sum + repeat, 0) <= REPEATED_MAX, {
        message: `more than ${REPEATED_MAX} logins, repetitions included`,
        path: ["logins"],
      })
      .refine(({ logins }) => logins.at(-1)?.activity !== "evidence", {
        message: "the last one is evidence, which is not scored: end with a login",
        path: ["logins"],
      })
      .refine(({ expect, signal }) => expect !== "none" || signal === undefined, {
        message: "nothing has no signal: leave it out, or expect an alert",
        path: ["signal"],
      })
      .refine(({ expect, rule }) => (expect === "suppressed") === (rule !== undefined), {
        message: "expect: suppressed names the rule, and nothing else does",
        path: ["rule"],
      }),
  )
  .max(CHECKS_MAX)
  .refine((checks) => new Set(checks.map(({ name }) => name)).size === checks.length, {
    message: "two checks have the same name",
  })
  .default([])
  .describe("logins and what the last of them is to come to, for oddlink check; see suppressions.md");
export type DetectionCheck = z.infer<typeof checksSchema>[number];

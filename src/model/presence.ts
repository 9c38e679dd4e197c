import { z } from "zod";
import type { Facts } from "../graph-state/facts.ts";
import { type LoginBytes, WEAK } from "../ingest/login-bytes.ts";

const MS_PER_HOUR = 3_600_000;

export const presenceOptionsSchema = z.strictObject({
  learnHours: z
    .number()
    .min(0)
    .max(8760)
    .default(6)
    .describe("hours an account is watched before it is judged"),
  learnRecords: z
    .number()
    .int()
    .min(0)
    .max(1e6)
    .default(50)
    .describe("records of an account before it is judged"),
});
export type PresenceOptions = z.infer<typeof presenceOptionsSchema>;

/** Why an account can't be judged by presence yet, or undefined if it can. */
export function learningState(facts: Facts, options: PresenceOptions): string | undefined {
  if (facts.userCount < options.learnRecords) {
    return `${facts.userCount} of ${options.learnRecords} records of this account seen so far`;
  }
  const hours = (facts.timeMs - facts.userFirstMs) / MS_PER_HOUR;
  if (hours < options.learnHours)
    return `account watched for ${hours.toFixed(1)} of ${options.learnHours} hours so far`;
  return undefined;
}

/**
 * The presence signal: a remote login by a weak protocol from a source host on which the account's owner never showed
 * strong evidence (Kerberos, console, MFA) within the window.
 *
 * An attacker can't clear it by repeating himself: only the evidence that he lacks would. Accounts that show strong
 * evidence nowhere can't be judged by its absence, and young ones are learnt first.
 */
export function lacksPresence(login: LoginBytes, facts: Facts, options: PresenceOptions): boolean {
  return (
    facts.isRemote &&
    login.evidence === WEAK &&
    facts.userSourceStrong === 0 &&
    facts.userStrong > 0 &&
    facts.userCount >= options.learnRecords &&
    facts.timeMs - facts.userFirstMs >= options.learnHours * MS_PER_HOUR
  );
}

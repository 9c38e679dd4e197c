import type { Config } from "../config/schema.ts";
import { ended } from "../config/suppressions.ts";
import type { Check } from "./doctor-checks.ts";

/** A sentence for each rule that has ended by the clock on the wall. */
export function endedTexts(rules: Config["suppressions"], nowMs: number): string[] {
  return ended(rules, nowMs).map(
    ({ id, owner, until }) =>
      `suppression ${id} of ${owner} ended (until ${until}): alerts of later logins are told again; remove the rule, or say until when it is to hold`,
  );
}

/** None where there are no rules. */
export function suppressionsChecks(rules: Config["suppressions"], nowMs: number): Check[] {
  if (rules.length === 0) return [];
  const name = "suppressions";
  const over = ended(rules, nowMs);
  const inForce = `rules in force: ${rules.length - over.length}`;
  if (over.length === 0) return [{ name, status: "ok", found: inForce }];
  return [
    {
      name,
      status: "warn",
      found: `${inForce}; ended: ${over.map(({ id, owner }) => `${id} (${owner})`).join(", ")}`,
      remedy: "remove them, or say until when they are to hold",
    },
  ];
}

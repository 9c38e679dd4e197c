import { z } from "zod";

/**
 * How strongly a record shows that the account's owner is really there; said by the format. A ticket is strong evidence too: a
 * request for a Kerberos ticket, which a login by Kerberos from the same host needs.
 */
export const EVIDENCE = ["none", "weak", "strong", "ticket"] as const;
export type Evidence = (typeof EVIDENCE)[number];

export const OUTCOMES = ["unknown", "success", "failure"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Longest account, host or type name in UTF-8 bytes; longer ones are rejected. */
export const NAME_BYTES_MAX = 256;

/** Whatever `Date` can hold: 100 million days after 1970. */
export const TIME_MS_MAX = 8.64e15;

const name = z.string().max(NAME_BYTES_MAX);

/**
 * One normalised authentication event: the word *login* of the design, and oddlink's own JSON lines format.
 *
 * An empty name means "the record does not say". `uid` is the record's own event id, where the source has one.
 */
export const loginSchema = z.object({
  timeMs: z.number().min(0).max(TIME_MS_MAX),
  user: name.min(1),
  targetUser: name,
  sourceHost: name,
  targetHost: name,
  authType: name,
  logonType: name,
  outcome: z.enum(OUTCOMES),
  evidence: z.enum(EVIDENCE),
  uid: name.optional(),
});
export type Login = z.infer<typeof loginSchema>;

/** A login as others may write it: only its time and its account must be said, and, checked by who reads it, one host. */
export const sparseLoginSchema = loginSchema.partial({
  targetUser: true,
  sourceHost: true,
  targetHost: true,
  authType: true,
  logonType: true,
  outcome: true,
  evidence: true,
});

/** The columns of a login that hold names, in the order in which `LoginBytes` keeps them. */
export const COLUMNS = ["user", "targetUser", "sourceHost", "targetHost", "authType", "logonType"] as const;
export type Column = (typeof COLUMNS)[number];

/** A login is remote when it comes from another host than it lands on, whatever its logon type says. */
export function isRemote(login: Login): boolean {
  return login.sourceHost !== "" && login.targetHost !== "" && login.sourceHost !== login.targetHost;
}

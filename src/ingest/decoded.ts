import type { LoginBytes } from "./login-bytes.ts";

/** Why a readable record is neither a login nor evidence; each is counted. */
export const IGNORE_REASONS = [
  "log-off",
  "auth-map",
  "screen-lock",
  "failed-request",
  "linked-logon",
  "credential-check",
  "not-a-login",
  "header",
  "blank-line",
  "no-link",
  "canary",
] as const;
export type IgnoreReason = (typeof IGNORE_REASONS)[number];

/** Why a record could not be read, or not be scored for a bug of ours; it goes to the dead letters with its raw bytes. */
export const REJECT_REASONS = [
  "unknown-format",
  "wrong-column-count",
  "invalid-time",
  "future-time",
  "invalid-utf8",
  "invalid-json",
  "invalid-login",
  "name-too-long",
  "record-too-long",
  "no-user",
  "no-target-host",
  "unknown-event",
  "unknown-orientation",
  "unknown-outcome",
  "unknown-wire-format",
  "unknown-schema",
  "unreadable-schema",
  "invalid-avro",
  "scoring-failed",
] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

/**
 * What a format makes of one record. `login` and `evidence` carry the decoder's one reused `LoginBytes`, valid until
 * the next record is decoded; the other two are shared constants where no detail is needed, so decoding a good record
 * allocates nothing.
 */
export type Decoded =
  | { readonly kind: "login"; readonly login: LoginBytes }
  | { readonly kind: "evidence"; readonly login: LoginBytes }
  | { readonly kind: "ignored"; readonly reason: IgnoreReason }
  | { readonly kind: "rejected"; readonly reason: RejectReason; readonly detail: string };

/** A record that is no login, or one that can't be read. */
export type NoLogin = Extract<Decoded, { readonly kind: "ignored" | "rejected" }>;

export function ignored(reason: IgnoreReason): NoLogin {
  return { kind: "ignored", reason };
}

export function rejected(reason: RejectReason, detail: string): NoLogin {
  return { kind: "rejected", reason, detail };
}

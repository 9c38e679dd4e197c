import { Buffer } from "node:buffer";
import { z } from "zod";
import { type Decoded, ignored, rejected } from "../decoded.ts";
import { EVIDENCE, loginSchema, NAME_BYTES_MAX, OUTCOMES } from "../login.ts";
import {
  AUTH_TYPE,
  LOGON_TYPE,
  LoginBytes,
  NONE,
  SOURCE_HOST,
  STRONG,
  TARGET_HOST,
  TARGET_USER,
  USER,
  WEAK,
} from "../login-bytes.ts";
import type { Decoder, Format } from "./format.ts";

const OPEN_BRACE = 0x7b;

/**
 * oddlink's own JSON lines: a login as `loginSchema` has it, where only `timeMs`, `user` and one of the hosts must be
 * said. `activity: "evidence"` marks a record that is no login but shows the account at work on `sourceHost`.
 */
const recordSchema = loginSchema
  .partial({
    targetUser: true,
    sourceHost: true,
    targetHost: true,
    authType: true,
    logonType: true,
    outcome: true,
    evidence: true,
  })
  .extend({ activity: z.enum(["login", "evidence"]).optional() });
type Record = z.infer<typeof recordSchema>;

/** The happy path of zod, compiled; falls back to the interpreter for its error texts. */
const compiled = z.compile(recordSchema);

/** An error text may quote what the record held; keep it readable. */
const DETAIL_CHARACTERS_MAX = 200;

const NO_TARGET_HOST = rejected("no-target-host", "targetHost is absent");
const NO_SOURCE_HOST = rejected("invalid-login", "sourceHost: evidence needs the host it was seen on");
const NAME_TOO_LONG = rejected("name-too-long", `a name is longer than ${NAME_BYTES_MAX} bytes`);
const IGNORED_FAILED_REQUEST = ignored("failed-request");

export const oddlink: Format = {
  name: "oddlink",
  recognises: (bytes, start) => bytes[start] === OPEN_BRACE,
  createDecoder: () => new OddlinkDecoder(),
  timeMs: (text) => (/^\d{1,16}$/.test(text) ? Number(text) : Date.parse(text)),
};

class OddlinkDecoder implements Decoder {
  readonly #login = new LoginBytes();
  readonly #asLogin: Decoded = { kind: "login", login: this.#login };
  readonly #asEvidence: Decoded = { kind: "evidence", login: this.#login };
  /** Room for all six names; a string holds at most three UTF-8 bytes for each of its units. */
  readonly #scratch = Buffer.alloc(6 * 3 * NAME_BYTES_MAX);
  #used = 0;

  decode(bytes: Buffer, start: number, end: number): Decoded {
    let parsed: unknown;
    try {
      parsed = JSON.parse(bytes.toString("utf8", start, end));
    } catch (error) {
      return rejected("invalid-json", brief((error as Error).message));
    }
    const result = compiled.safeParse(parsed);
    if (!result.success) {
      const issue = result.error.issues[0];
      return rejected("invalid-login", brief(`${issue?.path.join(".") || "record"}: ${issue?.message}`));
    }
    return this.#fill(result.data);
  }

  #fill(record: Record): Decoded {
    const login = this.#login;
    this.#used = 0;
    login.timeMs = record.timeMs;
    login.uid = record.uid === "" ? undefined : record.uid;
    login.outcome = OUTCOMES.indexOf(record.outcome ?? "unknown");
    this.#write(USER, record.user);
    this.#write(TARGET_USER, record.targetUser || record.user);
    this.#write(SOURCE_HOST, record.sourceHost);
    this.#write(TARGET_HOST, record.targetHost);
    this.#write(AUTH_TYPE, record.authType);
    this.#write(LOGON_TYPE, record.logonType);
    login.evidence =
      record.evidence === undefined ? defaultEvidence(record) : EVIDENCE.indexOf(record.evidence);
    if (login.hasNameTooLong()) return NAME_TOO_LONG;
    if (record.activity === "evidence") {
      if (login.isAbsent(SOURCE_HOST)) return NO_SOURCE_HOST;
      if (record.outcome === "failure") return IGNORED_FAILED_REQUEST;
      login.clear(TARGET_HOST);
      if (record.evidence === undefined) login.evidence = STRONG;
      return this.#asEvidence;
    }
    return login.isAbsent(TARGET_HOST) ? NO_TARGET_HOST : this.#asLogin;
  }

  #write(column: number, text: string | undefined): void {
    if (text === undefined || text === "") {
      this.#login.clear(column);
      return;
    }
    const length = this.#scratch.write(text, this.#used, "utf8");
    this.#login.set(column, this.#scratch, this.#used, this.#used + length);
    this.#used += length;
  }
}

/** The rule of thumb for a record that does not say: by protocol, as for Windows logons. */
function defaultEvidence(record: Record): number {
  const auth = record.authType?.toLowerCase() ?? "";
  if (auth === "ntlm" || auth === "basic" || auth.startsWith("microsoft_authentication_package")) return WEAK;
  if (record.outcome === "failure") return NONE;
  if (auth === "kerberos") return STRONG;
  const logon = record.logonType?.toLowerCase() ?? "";
  const isLocal = record.sourceHost !== undefined && record.sourceHost === record.targetHost;
  return isLocal && (logon === "interactive" || logon === "unlock") ? STRONG : NONE;
}

function brief(text: string): string {
  return text.length <= DETAIL_CHARACTERS_MAX ? text : `${text.slice(0, DETAIL_CHARACTERS_MAX)}…`;
}

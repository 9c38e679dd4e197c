import { Buffer } from "node:buffer";
import { type Decoded, ignored, rejected } from "../decoded.ts";
import { NAME_BYTES_MAX } from "../login.ts";
import {
  AUTH_TYPE,
  FAILURE,
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

/** A record may be a login, or evidence: no login, but its account was seen at work on its source host. */
export const ACTIVITIES = ["login", "evidence"] as const;

/** In the place of a position in `EVIDENCE`: the record does not say. */
export const UNSAID = -1;

const NTLM = Buffer.from("ntlm");
const BASIC = Buffer.from("basic");
const MSV1_0_PREFIX = Buffer.from("microsoft_authentication_package");
const KERBEROS = Buffer.from("kerberos");
const INTERACTIVE = Buffer.from("interactive");
const CACHED_INTERACTIVE = Buffer.from("cachedinteractive");
const UNLOCK = Buffer.from("unlock");
/** The bit that tells a small ASCII letter from its capital. */
const SMALL = 0x20;

const NO_TARGET_HOST = rejected("no-target-host", "targetHost is absent");
const NO_SOURCE_HOST = rejected("invalid-login", "sourceHost: evidence needs the host it was seen on");
const NAME_TOO_LONG = rejected("name-too-long", `a name is longer than ${NAME_BYTES_MAX} bytes`);
const IGNORED_FAILED_REQUEST = ignored("failed-request");

/** A record in oddlink's own fields, and the rules that make a login of it, whatever it was encoded as. */
export class LoginRecord {
  /** Filled by the decoder: time, outcome, uid, and all six columns; `judge` does the rest. */
  readonly login: LoginBytes = new LoginBytes();
  readonly #asLogin: Decoded = { kind: "login", login: this.login };
  readonly #asEvidence: Decoded = { kind: "evidence", login: this.login };
  /** Room for all six names; a string holds at most three UTF-8 bytes for each of its units. */
  readonly #scratch = Buffer.alloc(6 * 3 * NAME_BYTES_MAX);
  #used = 0;

  /** To be called before the first `setText` of a record. */
  beginTexts(): void {
    this.#used = 0;
  }

  /** Sets a column from a string of at most `NAME_BYTES_MAX` units; empty: absent. */
  setText(column: number, text: string | undefined): void {
    const { login } = this;
    if (text === undefined || text === "") {
      login.clear(column);
      return;
    }
    const length = this.#scratch.write(text, this.#used, "utf8");
    login.set(column, this.#scratch, this.#used, this.#used + length);
    this.#used += length;
  }

  /**
   * @param isEvidence whether its activity is evidence
   * @param evidence position in `EVIDENCE`, or `UNSAID`
   */
  judge(isEvidence: boolean, evidence: number): Decoded {
    const { login } = this;
    if (login.isAbsent(TARGET_USER)) login.copy(TARGET_USER, USER);
    if (login.hasNameTooLong()) return NAME_TOO_LONG;
    if (isEvidence) {
      if (login.isAbsent(SOURCE_HOST)) return NO_SOURCE_HOST;
      if (login.outcome === FAILURE) return IGNORED_FAILED_REQUEST;
      login.clear(TARGET_HOST);
      login.evidence = evidence === UNSAID ? STRONG : evidence;
      return this.#asEvidence;
    }
    login.evidence = evidence === UNSAID ? defaultEvidence(login) : evidence;
    return login.isAbsent(TARGET_HOST) ? NO_TARGET_HOST : this.#asLogin;
  }
}

/** The rule of thumb for a record that does not say: by protocol, as for Windows logons. */
function defaultEvidence(login: LoginBytes): number {
  if (is(login, AUTH_TYPE, NTLM) || is(login, AUTH_TYPE, BASIC) || begins(login, AUTH_TYPE, MSV1_0_PREFIX)) {
    return WEAK;
  }
  if (login.outcome === FAILURE) return NONE;
  if (is(login, AUTH_TYPE, KERBEROS)) return STRONG;
  const isAtConsole =
    is(login, LOGON_TYPE, INTERACTIVE) ||
    is(login, LOGON_TYPE, CACHED_INTERACTIVE) ||
    is(login, LOGON_TYPE, UNLOCK);
  return isAtConsole && login.isSame(SOURCE_HOST, TARGET_HOST) ? STRONG : NONE;
}

function is(login: LoginBytes, column: number, word: Buffer): boolean {
  return login.ends[column]! - login.starts[column]! === word.length && begins(login, column, word);
}

function begins(login: LoginBytes, column: number, word: Buffer): boolean {
  return beginsWith(login.buffers[column]!, login.starts[column]!, login.ends[column]!, word);
}

/** Whether `bytes[start..end)` begins with an ASCII word in small letters, itself in letters of any case. */
export function beginsWith(bytes: Buffer, start: number, end: number, word: Buffer): boolean {
  if (end - start < word.length) return false;
  for (let i = 0; i < word.length; i++) if ((bytes[start + i]! | SMALL) !== (word[i]! | SMALL)) return false;
  return true;
}

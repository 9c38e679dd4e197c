import { Buffer } from "node:buffer";
import { type Decoded, ignored, rejected } from "../decoded.ts";
import {
  AUTH_TYPE,
  FAILURE,
  LOGON_TYPE,
  LoginBytes,
  NONE,
  SOURCE_HOST,
  STRONG,
  SUCCESS,
  TARGET_HOST,
  TARGET_USER,
  TICKET,
  UNKNOWN,
  USER,
  WEAK,
} from "../login-bytes.ts";
import type { Decoder, Format, FormatOptions } from "./format.ts";

const COMMA = 0x2c;
const QUESTION = 0x3f;
const ZERO = 0x30;
const NINE = 0x39;
const FIELD_COUNT = 9;
/** More digits than any plausible second; longer ones are not a time. */
const TIME_DIGITS_MAX = 12;

const KERBEROS = Buffer.from("Kerberos");
const NTLM = Buffer.from("NTLM");
const NEGOTIATE = Buffer.from("Negotiate");
/** LANL cuts this name off at several lengths; every prefix that long means the same package. */
const MSV1_0 = Buffer.from("MICROSOFT_AUTHENTICATION_PACKAGE_V1_0");
const MSV1_0_PREFIX = Buffer.from("MICROSOFT_AUTH");
const INTERACTIVE = Buffer.from("Interactive");
const CACHED_INTERACTIVE = Buffer.from("CachedInteractive");
const UNLOCK = Buffer.from("Unlock");
const LOG_ON = Buffer.from("LogOn");
const LOG_OFF = Buffer.from("LogOff");
const TGT = Buffer.from("TGT");
const TGS = Buffer.from("TGS");
const AUTH_MAP = Buffer.from("AuthMap");
const SCREEN_LOCK = Buffer.from("ScreenLock");
const SCREEN_UNLOCK = Buffer.from("ScreenUnlock");
const SUCCESS_WORD = Buffer.from("Success");
const FAIL_WORD = Buffer.from("Fail");

const IGNORED_LOG_OFF = ignored("log-off");
const IGNORED_AUTH_MAP = ignored("auth-map");
const IGNORED_SCREEN_LOCK = ignored("screen-lock");
const IGNORED_FAILED_REQUEST = ignored("failed-request");
const NO_USER = rejected("no-user", "columns 2 and 3 are both absent");
const NO_TARGET_HOST = rejected("no-target-host", "column 5 is absent");
const NAME_TOO_LONG = rejected("name-too-long", "a name is longer than 256 bytes");
const INVALID_TIME = rejected("invalid-time", "column 1 is not a whole number of seconds");
const UNKNOWN_ORIENTATION = rejected("unknown-orientation", "column 8 is no orientation of LANL auth");
const UNKNOWN_OUTCOME = rejected("unknown-outcome", "column 9 is neither Success nor Fail nor ?");

/**
 * LANL 2015 auth.txt: `time,user@domain,target user@domain,source,target,auth type,logon type,orientation,outcome`, no
 * header, no quoting, whole seconds.
 *
 * Only `LogOn` is a login. Ticket requests (TGT, TGS) and screen unlocks that did not fail are strong evidence that the
 * account is at work on the source host; their target column may hold pseudo hosts and is dropped. The rest is ignored.
 */
export const lanl: Format = {
  name: "lanl",
  page: {
    title: "LANL 2015 auth.txt",
    about:
      "Nine columns with commas between them, no header, no quoting; whole seconds since `input.lanlStartMs`. `?` is absent.",
    recognisedBy: "digits before the first comma, and eight commas",
    fields: {
      time: "column 1",
      user: "column 2, else 3",
      "target user": "column 3, else 2",
      "source host": "column 4",
      "target host": "column 5",
      "auth type":
        "column 6; what is left of MICROSOFT_AUTHENTICATION_PACKAGE_V1_0, cut off at several lengths, is that",
      "logon type": "column 7",
      outcome: "column 9",
      names: "as they are",
    },
    records: [
      [
        "LogOn",
        "login; strong evidence by Kerberos, or by Negotiate at the console; weak by NTLM, whatever came of it",
      ],
      [
        "TGT, TGS",
        "ticket request: strong evidence; its target may be no host, and is dropped; ignored if it failed",
      ],
      ["ScreenUnlock", "strong evidence"],
      ["LogOff", "ignored: log-off"],
      ["AuthMap", "ignored: auth-map"],
      ["ScreenLock", "ignored: screen-lock"],
    ],
  },
  recognises(bytes, start, end) {
    const digits = countDigits(bytes, start, end);
    if (digits === 0 || bytes[start + digits] !== COMMA) return false;
    let commas = 0;
    for (let i = start; i < end; i++) if (bytes[i] === COMMA) commas++;
    return commas === FIELD_COUNT - 1;
  },
  createDecoder: (options) => new LanlDecoder(options),
  timeMs(text, options) {
    return /^\d{1,12}$/.test(text) ? options.lanlStartMs + Number(text) * 1000 : Number.NaN;
  },
};

class LanlDecoder implements Decoder {
  readonly #startMs: number;
  readonly #login = new LoginBytes();
  readonly #asLogin: Decoded = { kind: "login", login: this.#login };
  readonly #asEvidence: Decoded = { kind: "evidence", login: this.#login };
  /** fieldEnds[i] is where field i ends; it starts one after the end of the field before. */
  readonly #fieldEnds = new Int32Array(FIELD_COUNT);

  constructor(options: FormatOptions) {
    this.#startMs = options.lanlStartMs;
  }

  decode(bytes: Buffer, start: number, end: number): Decoded {
    const ends = this.#fieldEnds;
    let fields = 0;
    for (let i = start; i < end; i++) {
      if (bytes[i] === COMMA) {
        if (fields === FIELD_COUNT - 1) return wrongColumnCount(bytes, start, end);
        ends[fields++] = i;
      }
    }
    if (fields !== FIELD_COUNT - 1) return wrongColumnCount(bytes, start, end);
    ends[FIELD_COUNT - 1] = end;

    const digits = countDigits(bytes, start, end);
    if (digits === 0 || digits > TIME_DIGITS_MAX || start + digits !== ends[0]) return INVALID_TIME;
    let seconds = 0;
    for (let i = start; i < ends[0]!; i++) seconds = seconds * 10 + bytes[i]! - ZERO;

    const login = this.#login;
    login.timeMs = this.#startMs + seconds * 1000;
    const outcomeStart = ends[7]! + 1;
    if (equals(bytes, outcomeStart, end, SUCCESS_WORD)) login.outcome = SUCCESS;
    else if (equals(bytes, outcomeStart, end, FAIL_WORD)) login.outcome = FAILURE;
    else if (end - outcomeStart === 1 && bytes[outcomeStart] === QUESTION) login.outcome = UNKNOWN;
    else return UNKNOWN_OUTCOME;

    const orientation = ends[6]! + 1;
    const orientationEnd = ends[7]!;
    if (equals(bytes, orientation, orientationEnd, LOG_OFF)) return IGNORED_LOG_OFF;
    if (equals(bytes, orientation, orientationEnd, LOG_ON)) return this.#logOn(bytes);
    if (equals(bytes, orientation, orientationEnd, AUTH_MAP)) return IGNORED_AUTH_MAP;
    if (equals(bytes, orientation, orientationEnd, SCREEN_LOCK)) return IGNORED_SCREEN_LOCK;
    if (equals(bytes, orientation, orientationEnd, TGS) || equals(bytes, orientation, orientationEnd, TGT))
      return this.#atWork(bytes, TICKET);
    if (equals(bytes, orientation, orientationEnd, SCREEN_UNLOCK)) return this.#atWork(bytes, STRONG);
    return UNKNOWN_ORIENTATION;
  }

  #logOn(bytes: Buffer): Decoded {
    const login = this.#login;
    if (!this.#users(bytes)) return NO_USER;
    this.#field(SOURCE_HOST, bytes, 3);
    this.#field(TARGET_HOST, bytes, 4);
    if (login.isAbsent(TARGET_HOST)) return NO_TARGET_HOST;
    this.#field(AUTH_TYPE, bytes, 5);
    this.#field(LOGON_TYPE, bytes, 6);
    const authStart = login.starts[AUTH_TYPE]!;
    const authEnd = login.ends[AUTH_TYPE]!;
    if (authEnd - authStart >= MSV1_0_PREFIX.length && startsWith(bytes, authStart, authEnd, MSV1_0_PREFIX)) {
      login.set(AUTH_TYPE, MSV1_0, 0, MSV1_0.length);
    }
    if (login.hasNameTooLong()) return NAME_TOO_LONG;
    login.evidence = this.#evidence();
    return this.#asLogin;
  }

  #atWork(bytes: Buffer, evidence: number): Decoded {
    const login = this.#login;
    if (login.outcome === FAILURE) return IGNORED_FAILED_REQUEST;
    if (!this.#users(bytes)) return NO_USER;
    this.#field(SOURCE_HOST, bytes, 3);
    if (login.isAbsent(SOURCE_HOST)) return IGNORED_FAILED_REQUEST;
    login.clear(TARGET_HOST);
    login.clear(AUTH_TYPE);
    login.clear(LOGON_TYPE);
    if (login.hasNameTooLong()) return NAME_TOO_LONG;
    login.evidence = evidence;
    return this.#asEvidence;
  }

  /** Reads both accounts, each standing in for the other where one is absent; false if both are. */
  #users(bytes: Buffer): boolean {
    this.#field(USER, bytes, 1);
    this.#field(TARGET_USER, bytes, 2);
    if (this.#login.isAbsent(TARGET_USER)) this.#login.copy(TARGET_USER, USER);
    if (this.#login.isAbsent(USER)) this.#login.copy(USER, TARGET_USER);
    return !this.#login.isAbsent(USER);
  }

  #field(column: number, bytes: Buffer, field: number): void {
    const start = this.#fieldEnds[field - 1]! + 1;
    const end = this.#fieldEnds[field]!;
    if (end - start === 1 && bytes[start] === QUESTION) this.#login.clear(column);
    else this.#login.set(column, bytes, start, end);
  }

  /** Kerberos and being at the console are strong unless they failed; NTLM is weak whatever came of it. */
  #evidence(): number {
    const login = this.#login;
    const auth = login.buffers[AUTH_TYPE]!;
    const start = login.starts[AUTH_TYPE]!;
    const end = login.ends[AUTH_TYPE]!;
    if (equals(auth, start, end, NTLM) || equals(auth, start, end, MSV1_0)) return WEAK;
    if (login.outcome === FAILURE) return NONE;
    if (equals(auth, start, end, KERBEROS)) return STRONG;
    if (!equals(auth, start, end, NEGOTIATE) || !login.isSame(SOURCE_HOST, TARGET_HOST)) return NONE;
    const logon = login.buffers[LOGON_TYPE]!;
    const logonStart = login.starts[LOGON_TYPE]!;
    const logonEnd = login.ends[LOGON_TYPE]!;
    const isAtConsole =
      equals(logon, logonStart, logonEnd, INTERACTIVE) ||
      equals(logon, logonStart, logonEnd, UNLOCK) ||
      equals(logon, logonStart, logonEnd, CACHED_INTERACTIVE);
    return isAtConsole ? STRONG : NONE;
  }
}

function wrongColumnCount(bytes: Buffer, start: number, end: number): Decoded {
  let commas = 0;
  for (let i = start; i < end; i++) if (bytes[i] === COMMA) commas++;
  return rejected("wrong-column-count", `${commas + 1} columns, expected ${FIELD_COUNT}`);
}

function countDigits(bytes: Buffer, start: number, end: number): number {
  let i = start;
  while (i < end && bytes[i]! >= ZERO && bytes[i]! <= NINE) i++;
  return i - start;
}

function equals(bytes: Buffer, start: number, end: number, word: Buffer): boolean {
  return end - start === word.length && startsWith(bytes, start, end, word);
}

function startsWith(bytes: Buffer, start: number, end: number, word: Buffer): boolean {
  if (end - start < word.length) return false;
  for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word[i]) return false;
  return true;
}

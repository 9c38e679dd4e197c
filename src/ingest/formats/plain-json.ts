import type { Buffer } from "node:buffer";
import { EVIDENCE, NAME_BYTES_MAX, OUTCOMES } from "../login.ts";
import {
  AUTH_TYPE,
  LOGON_TYPE,
  type LoginBytes,
  SOURCE_HOST,
  TARGET_HOST,
  TARGET_USER,
  UNKNOWN,
  USER,
} from "../login-bytes.ts";
import { ACTIVITIES, UNSAID } from "./login-record.ts";

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** From here on bytes are parts of longer characters. */
const BEYOND_ASCII = 0x80;
/** Whole numbers of so many digits are exact, and are times that a date can hold. */
const DIGITS_MAX = 15;

/** In the place of a column. */
const TIME = 6;
const OUTCOME = 7;
const EVIDENCE_STRENGTH = 8;
const ACTIVITY = 9;
const UID = 10;
const NONE = -1;

/** Instead of an activity. */
export const NOT_PLAIN = -1;

const KEYS: readonly { readonly bytes: Uint8Array; readonly field: number }[] = (
  [
    ["timeMs", TIME],
    ["user", USER],
    ["targetUser", TARGET_USER],
    ["sourceHost", SOURCE_HOST],
    ["targetHost", TARGET_HOST],
    ["authType", AUTH_TYPE],
    ["logonType", LOGON_TYPE],
    ["outcome", OUTCOME],
    ["evidence", EVIDENCE_STRENGTH],
    ["activity", ACTIVITY],
    ["uid", UID],
  ] as const
).map(([key, field]) => ({ bytes: new TextEncoder().encode(key), field }));
const OUTCOME_WORDS = encoded(OUTCOMES);
const EVIDENCE_WORDS = encoded(EVIDENCE);
const ACTIVITY_WORDS = encoded(ACTIVITIES);
const TIME_AND_USER = (1 << TIME) | (1 << USER);

/**
 * Reads the JSON of a login straight from its bytes, if it is as plain as nearly all are: the usual fields, each once, ASCII
 * text without escapes, time as a whole number. Names stay where they are, so nothing is allocated; a third of what parsing
 * and checking it in general takes.
 *
 * @returns position in `ACTIVITIES`; `NOT_PLAIN` if it is anything else, which may still be a login, or an error to be explained: `login` holds rubbish
 *   then. Its evidence is `UNSAID` where the record does not say
 */
export function readPlainJson(bytes: Buffer, start: number, end: number, login: LoginBytes): number {
  if (bytes[start] !== OPEN_BRACE || bytes[end - 1] !== CLOSE_BRACE) return NOT_PLAIN;
  for (let column = USER; column <= LOGON_TYPE; column++) login.clear(column);
  login.outcome = UNKNOWN;
  login.evidence = UNSAID;
  login.uid = undefined;
  let activity = 0;
  let seen = 0;
  let at = start + 1;
  for (let i = 0; ; i++) {
    const keyStart = at + 1;
    const keyEnd = endOfText(bytes, at, end);
    if (keyEnd === NONE || bytes[keyEnd + 1] !== COLON) return NOT_PLAIN;
    const field = fieldOf(bytes, keyStart, keyEnd, i);
    if (field === NONE || (seen & (1 << field)) !== 0) return NOT_PLAIN;
    seen |= 1 << field;
    at = keyEnd + 2;
    if (bytes[at] === SPACE) at++;
    if (field === TIME) {
      const digits = at;
      let timeMs = 0;
      for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO) {
        timeMs = timeMs * 10 + digit;
      }
      if (at === digits || at - digits > DIGITS_MAX || (bytes[digits] === ZERO && at > digits + 1))
        return NOT_PLAIN;
      login.timeMs = timeMs;
    } else {
      const valueStart = at + 1;
      const valueEnd = endOfText(bytes, at, end);
      if (valueEnd === NONE || valueEnd - valueStart > NAME_BYTES_MAX) return NOT_PLAIN;
      if (field === OUTCOME) {
        login.outcome = wordOf(OUTCOME_WORDS, bytes, valueStart, valueEnd);
        if (login.outcome === NONE) return NOT_PLAIN;
      } else if (field === EVIDENCE_STRENGTH) {
        login.evidence = wordOf(EVIDENCE_WORDS, bytes, valueStart, valueEnd);
        if (login.evidence === NONE) return NOT_PLAIN;
      } else if (field === ACTIVITY) {
        activity = wordOf(ACTIVITY_WORDS, bytes, valueStart, valueEnd);
        if (activity === NONE) return NOT_PLAIN;
      } else if (field === UID) {
        login.uid = valueEnd > valueStart ? bytes.toString("latin1", valueStart, valueEnd) : undefined;
      } else if (valueEnd > valueStart) {
        login.set(field, bytes, valueStart, valueEnd);
      }
      at = valueEnd + 1;
    }
    if (at === end - 1) break;
    if (bytes[at++] !== COMMA) return NOT_PLAIN;
    if (bytes[at] === SPACE) at++;
  }
  return (seen & TIME_AND_USER) === TIME_AND_USER && !login.isAbsent(USER) ? activity : NOT_PLAIN;
}

/** Where the closing quote is of a plain text whose opening quote is at `at`; `NONE` if there is none before `end`. */
function endOfText(bytes: Buffer, at: number, end: number): number {
  if (bytes[at] !== QUOTE) return NONE;
  for (let i = at + 1; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE) return i;
    if (byte < SPACE || byte === BACKSLASH || byte >= BEYOND_ASCII) return NONE;
  }
  return NONE;
}

/** `place`: how many fields came before; most records have all, in the order of the schema. */
function fieldOf(bytes: Buffer, start: number, end: number, place: number): number {
  const usual = KEYS[place];
  if (usual !== undefined && isSame(bytes, start, end, usual.bytes)) return usual.field;
  for (const key of KEYS) if (isSame(bytes, start, end, key.bytes)) return key.field;
  return NONE;
}

/** Position of a text in a list of words; `NONE` if it is none of them. */
function wordOf(words: readonly Uint8Array[], bytes: Buffer, start: number, end: number): number {
  for (let i = 0; i < words.length; i++) if (isSame(bytes, start, end, words[i]!)) return i;
  return NONE;
}

function encoded(words: readonly string[]): Uint8Array[] {
  return words.map((word) => new TextEncoder().encode(word));
}

function isSame(bytes: Buffer, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word[i]) return false;
  return true;
}

import { Buffer } from "node:buffer";
import { type Decoded, type NoLogin, rejected } from "../decoded.ts";
import type { Evidence, Login, Outcome } from "../login.ts";
import { EVIDENCE, NAME_BYTES_MAX, OUTCOMES, TIME_MS_MAX } from "../login.ts";
import { AUTH_TYPE, LOGON_TYPE, SOURCE_HOST, TARGET_HOST, TARGET_USER, USER } from "../login-bytes.ts";
import { isoTimeMs } from "../names.ts";
import type { Decoder, Format, FormatPage } from "./format.ts";
import { LoginRecord, UNSAID } from "./login-record.ts";

const OPEN_BRACE = 0x7b;
/** An error text may quote what the record held; keep it readable. */
const DETAIL_CHARACTERS_MAX = 200;

const NOT_AN_OBJECT = rejected("invalid-json", "the record is no JSON object");
const INVALID_TIME = rejected("invalid-time", "the record says no time that can be read");
const NO_USER = rejected("no-user", "the record names no account");
const NAME_TOO_LONG = rejected("name-too-long", `a name is longer than ${NAME_BYTES_MAX} bytes`);

export type JsonObject = { readonly [key: string]: unknown };

/**
 * What a format makes of a record: names as `accountOf` and `hostOf` give them, empty or left out where the record does not say. Evidence follows
 * from auth and logon type where it is left out, see `LoginRecord`.
 */
export type Reading = Partial<
  Pick<Login, "targetUser" | "sourceHost" | "targetHost" | "authType" | "logonType" | "uid">
> & {
  readonly kind: "login" | "evidence";
  readonly timeMs: number;
  readonly user: string;
  readonly outcome: Outcome;
  readonly evidence?: Evidence;
};

export type JsonFormat = {
  readonly name: string;
  /** Texts of which each of its records holds one at least, and records of other formats none: keys with their quotes, mostly. */
  readonly marks: readonly string[];
  /** Must not throw, whatever the record holds. */
  readonly read: (record: JsonObject) => Reading | NoLogin;
  readonly page: FormatPage;
};

/** A format whose records are JSON objects, one a line. */
export function jsonFormat({ name, marks, read, page }: JsonFormat): Format {
  const markBytes = marks.map((mark) => Buffer.from(mark));
  return {
    name,
    page,
    recognises(bytes, start, end) {
      if (bytes[start] !== OPEN_BRACE) return false;
      const record = bytes.subarray(start, end);
      return markBytes.some((mark) => record.includes(mark));
    },
    createDecoder: () => new JsonDecoder(read),
    timeMs: (text) => (/^\d{1,16}$/.test(text) ? Number(text) : isoTimeMs(text)),
  };
}

class JsonDecoder implements Decoder {
  readonly #read: JsonFormat["read"];
  readonly #record = new LoginRecord();

  constructor(read: JsonFormat["read"]) {
    this.#read = read;
  }

  decode(bytes: Buffer, start: number, end: number): Decoded {
    let parsed: unknown;
    try {
      parsed = JSON.parse(bytes.toString("utf8", start, end));
    } catch (error) {
      return rejected("invalid-json", brief((error as Error).message));
    }
    if (!isObject(parsed)) return NOT_AN_OBJECT;
    return decodedOf(this.#record, this.#read(parsed));
  }
}

/** What becomes of a reading, by the rules for all records; `record` is the decoder's own, and holds it afterwards. */
export function decodedOf(record: LoginRecord, reading: Reading | NoLogin): Decoded {
  if (reading.kind === "ignored" || reading.kind === "rejected") return reading;
  const { timeMs } = reading;
  if (!(timeMs >= 0 && timeMs <= TIME_MS_MAX)) return INVALID_TIME;
  if (reading.user === "") return NO_USER;
  const { login } = record;
  login.timeMs = timeMs;
  // Ids are remembered, to tell duplicates: long ones would fill the memory.
  if (reading.uid !== undefined && reading.uid.length > NAME_BYTES_MAX) return NAME_TOO_LONG;
  login.uid = reading.uid || undefined;
  login.outcome = OUTCOMES.indexOf(reading.outcome);
  const names = [
    [USER, reading.user],
    [TARGET_USER, reading.targetUser],
    [SOURCE_HOST, reading.sourceHost],
    [TARGET_HOST, reading.targetHost],
    [AUTH_TYPE, reading.authType],
    [LOGON_TYPE, reading.logonType],
  ] as const;
  record.beginTexts();
  for (const [column, text] of names) {
    if (text !== undefined && text.length > NAME_BYTES_MAX) return NAME_TOO_LONG;
    record.setText(column, text);
  }
  const evidence = reading.evidence === undefined ? UNSAID : EVIDENCE.indexOf(reading.evidence);
  return record.judge(reading.kind === "evidence", evidence);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The value at a path of keys with dots between them, whether they are nested or written as one key with dots, or both, in letters of any case;
 * undefined if there is none. Places of lists are keys: `events.0.name`.
 */
export function at(record: JsonObject, path: string): unknown {
  const direct = own(record, path);
  if (direct !== undefined) return direct;
  for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1)) {
    const inner = own(record, path.slice(0, dot));
    // A list has its places for keys.
    const isHolder = typeof inner === "object" && inner !== null;
    const found = isHolder ? at(inner as JsonObject, path.slice(dot + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function own(record: JsonObject, key: string): unknown {
  if (Object.hasOwn(record, key)) return record[key];
  const other = keysInSmall(record).get(key.toLowerCase());
  return other === undefined ? undefined : record[other];
}

let smallOf: JsonObject = {};
let smallKeys: ReadonlyMap<string, string> = new Map();

/** Keys by what they are in small letters. Formats ask one object for many keys that it has not: they are kept for the object that was asked last. */
function keysInSmall(record: JsonObject): ReadonlyMap<string, string> {
  if (smallOf !== record) {
    smallOf = record;
    smallKeys = new Map(Object.keys(record).map((key) => [key.toLowerCase(), key]));
  }
  return smallKeys;
}

function brief(text: string): string {
  return text.length <= DETAIL_CHARACTERS_MAX ? text : `${text.slice(0, DETAIL_CHARACTERS_MAX)}…`;
}

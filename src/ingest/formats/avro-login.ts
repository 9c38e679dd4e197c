import { Buffer } from "node:buffer";
import avsc from "avsc";
import { type Decoded, rejected } from "../decoded.ts";
import { EVIDENCE, NAME_BYTES_MAX, OUTCOMES, TIME_MS_MAX } from "../login.ts";
import {
  AUTH_TYPE,
  LOGON_TYPE,
  SOURCE_HOST,
  TARGET_HOST,
  TARGET_USER,
  UNKNOWN,
  USER,
} from "../login-bytes.ts";
import { AvroBody, type AvroShape, BYTES, ENUM, NULL, NUMBER, shapeOf, TEXT, UNION } from "./avro-body.ts";
import { ACTIVITIES, beginsWith, LoginRecord, UNSAID } from "./login-record.ts";

const optional = (name: string, doc: string, ...aliases: readonly string[]) => ({
  name,
  type: ["null", "string"],
  default: null,
  ...(aliases.length === 0 ? {} : { aliases }),
  doc,
});

/**
 * The published Avro schema of an input record, `schemas/login.avsc`: the fields of oddlink's JSON lines.
 *
 * What holds one of a few words is a string, for producers that write tables know no enums; enums are read as well.
 */
export const LOGIN_SCHEMA = {
  type: "record",
  name: "Login",
  namespace: "oddlink",
  doc: "One authentication. Besides time and user, one of the hosts must be said. Null and empty text: not said.",
  fields: [
    {
      name: "timeMs",
      type: { type: "long", logicalType: "timestamp-millis" },
      aliases: ["time_ms"],
      doc: "event time, milliseconds since 1970-01-01 UTC",
    },
    { name: "user", type: "string", doc: "the account that acts; at most 256 bytes, as for all names" },
    optional("targetUser", "the account that is logged in, if it is another", "target_user"),
    optional("sourceHost", "where the login comes from", "source_host"),
    optional("targetHost", "where the login lands", "target_host"),
    optional("authType", "NTLM, Kerberos, password, ...", "auth_type"),
    optional("logonType", "Network, Interactive, ...", "logon_type"),
    optional("outcome", "success, failure or unknown, in letters of any case"),
    optional(
      "evidence",
      "strong, weak or none: how surely the account's owner is there, or ticket: strong by a Kerberos ticket request; else authType decides",
    ),
    optional("activity", "login, or evidence: no login, but the account is at work on sourceHost"),
    optional("uid", "the record's own event id; a second record with the same one is a duplicate"),
  ],
};

/** Where a field goes: the positions of `LoginBytes` for names, then what is no name. */
const TIME = 6;
const OUTCOME = 7;
const EVIDENCE_STRENGTH = 8;
const ACTIVITY = 9;
const UID = 10;
const NOWHERE = -1;

const PLACES: Readonly<Record<string, number>> = {
  timeMs: TIME,
  user: USER,
  targetUser: TARGET_USER,
  sourceHost: SOURCE_HOST,
  targetHost: TARGET_HOST,
  authType: AUTH_TYPE,
  logonType: LOGON_TYPE,
  outcome: OUTCOME,
  evidence: EVIDENCE_STRENGTH,
  activity: ACTIVITY,
  uid: UID,
};

const OUTCOME_WORDS = OUTCOMES.map((word) => Buffer.from(word));
const EVIDENCE_WORDS = EVIDENCE.map((word) => Buffer.from(word));
const ACTIVITY_WORDS = ACTIVITIES.map((word) => Buffer.from(word));

const INVALID_BODY = rejected("invalid-avro", "the bytes are not one value of the writer's schema");
const NOT_UTF8 = rejected("invalid-utf8", "a text is not UTF-8");
const NO_TIME = rejected("invalid-time", "timeMs is absent");
const INVALID_TIME = rejected("invalid-time", "timeMs is before 1970 or beyond any date");
const NO_USER = rejected("no-user", "user is absent");
const UID_TOO_LONG = rejected("name-too-long", `uid is longer than ${NAME_BYTES_MAX} bytes`);

type PlannedField = { readonly name: string; readonly place: number; readonly shape: AvroShape };

/** What to do with each field of a writer, in the order in which they are written. */
export type LoginPlan = readonly PlannedField[];

/**
 * How records of a writer schema are read as logins, by Avro's rules of resolution with three liberties: a record may
 * have any name, any field may be nullable, and text may be an enum.
 *
 * @param schema the writer schema as JSON
 * @throws {Error} saying why they can't be
 */
export function loginPlanOf(schema: string): LoginPlan {
  // Defaults are the reader's affair, and avsc refuses some that other libraries write.
  const parsed = JSON.parse(schema, (key, value) => (key === "default" ? undefined : value));
  const writer = avsc.Type.forSchema(parsed);
  if (!avsc.Type.isType(writer, "record")) throw new Error("it is no record");
  const { fields } = writer as avsc.types.RecordType;
  const names = new Set(fields.map(({ name }) => name));
  const places = new Map<string, number>();
  for (const field of LOGIN_SCHEMA.fields) {
    const name = [field.name, ...("aliases" in field ? (field.aliases ?? []) : [])].find((n) => names.has(n));
    if (name !== undefined) places.set(name, PLACES[field.name]!);
    else if (!("default" in field)) throw new Error(`it has no field ${field.name}`);
  }
  const shapes = new Map<avsc.Type, AvroShape>();
  return fields.map(({ name, type }) => {
    const shape = shapeOf(type, shapes);
    const place = places.get(name) ?? NOWHERE;
    const branches = (shape.kind === UNION ? shape.parts : [shape]).filter(({ kind }) => kind !== NULL);
    if (place !== NOWHERE && branches.length > 0 && !branches.some(({ kind }) => isReadable(kind, place)))
      throw new Error(
        `its field ${name} is ${describe(type)}, expected ${place === TIME ? "long" : "string"}`,
      );
    return { name, place, shape };
  });
}

/** Reads records into one reused login: names stay where they lie in the record, and a good record allocates nothing. */
export class AvroLoginReader {
  readonly #record = new LoginRecord();
  readonly #body = new AvroBody();
  #evidence = UNSAID;
  #isEvidence = false;
  /** First thing wrong with what a field says; what is wrong with the bytes comes before it. */
  #problem: Decoded | undefined = undefined;

  /** Reads `bytes[start..end)`, an Avro body without header. */
  read(plan: LoginPlan, bytes: Buffer, start: number, end: number): Decoded {
    const { login } = this.#record;
    login.timeMs = Number.NaN;
    login.outcome = UNKNOWN;
    login.uid = undefined;
    for (let column = 0; column < TIME; column++) login.clear(column);
    this.#evidence = UNSAID;
    this.#isEvidence = false;
    this.#problem = undefined;

    const body = this.#body;
    body.open(bytes, start, end);
    for (let i = 0; i < plan.length && body.isSound; i++) {
      const field = plan[i]!;
      if (field.place === NOWHERE) body.skip(field.shape);
      else this.#readField(field, bytes);
    }
    if (!body.isSound || !body.isAtEnd) return INVALID_BODY;
    if (this.#problem !== undefined) return this.#problem;
    if (Number.isNaN(login.timeMs)) return NO_TIME;
    if (login.timeMs < 0 || login.timeMs > TIME_MS_MAX) return INVALID_TIME;
    if (login.isAbsent(USER)) return NO_USER;
    return this.#record.judge(this.#isEvidence, this.#evidence);
  }

  #readField(field: PlannedField, bytes: Buffer): void {
    const body = this.#body;
    const shape = field.shape.kind === UNION ? body.readBranch(field.shape) : field.shape;
    if (shape === undefined || shape.kind === NULL) return;
    if (!isReadable(shape.kind, field.place)) {
      body.skip(shape);
      this.#problem ??= rejected("invalid-login", `${field.name}: this branch of its union can't be read`);
    } else if (shape.kind === NUMBER) {
      this.#record.login.timeMs = body.readLong();
    } else if (shape.kind === ENUM) {
      const symbol = body.readSymbol(shape);
      if (symbol !== undefined) this.#take(field, symbol, 0, symbol.length);
    } else {
      body.readBytes();
      if (body.isText()) this.#take(field, bytes, body.start, body.end);
      else this.#problem ??= NOT_UTF8;
    }
  }

  #take({ name, place }: PlannedField, bytes: Buffer, start: number, end: number): void {
    const { login } = this.#record;
    if (start === end) return;
    if (place < TIME) {
      login.set(place, bytes, start, end);
    } else if (place === UID) {
      if (end - start > NAME_BYTES_MAX) this.#problem ??= UID_TOO_LONG;
      else login.uid = bytes.toString("utf8", start, end);
    } else if (place === OUTCOME) {
      login.outcome = this.#word(name, OUTCOME_WORDS, bytes, start, end);
    } else if (place === EVIDENCE_STRENGTH) {
      this.#evidence = this.#word(name, EVIDENCE_WORDS, bytes, start, end);
    } else {
      this.#isEvidence = this.#word(name, ACTIVITY_WORDS, bytes, start, end) === 1;
    }
  }

  #word(name: string, words: readonly Buffer[], bytes: Buffer, start: number, end: number): number {
    for (let i = 0; i < words.length; i++) {
      if (words[i]!.length === end - start && beginsWith(bytes, start, end, words[i]!)) return i;
    }
    this.#problem ??= rejected("invalid-login", `${name}: expected one of ${words.join(", ")}`);
    return 0;
  }
}

function isReadable(kind: number, place: number): boolean {
  return place === TIME ? kind === NUMBER : kind === TEXT || kind === BYTES || kind === ENUM;
}

function describe(type: avsc.Type): string {
  return type.typeName.startsWith("union") ? "a union without one" : type.typeName;
}

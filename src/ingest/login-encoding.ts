import { Buffer } from "node:buffer";
import avsc from "avsc";
import { LOGIN_SCHEMA } from "./formats/avro-login.ts";
import { ACTIVITIES } from "./formats/login-record.ts";
import { wireFormat } from "./formats/wire-format.ts";
import { EVIDENCE, OUTCOMES } from "./login.ts";
import {
  AUTH_TYPE,
  LOGON_TYPE,
  type LoginBytes,
  SOURCE_HOST,
  TARGET_HOST,
  TARGET_USER,
  USER,
} from "./login-bytes.ts";

/** How records are written to a topic. */
export const ENCODINGS = ["json", "avro"] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** A record of the topic of logins: what is not said is left out. */
type CanonicalLogin = {
  readonly timeMs: number;
  readonly user: string;
  readonly targetUser?: string | undefined;
  readonly sourceHost?: string | undefined;
  readonly targetHost?: string | undefined;
  readonly authType?: string | undefined;
  readonly logonType?: string | undefined;
  readonly outcome: string;
  readonly evidence: string;
  readonly activity?: string | undefined;
  readonly uid?: string | undefined;
};

/** `activity`: what the format made of the record. */
export type EncodeLogin = (login: LoginBytes, activity: (typeof ACTIVITIES)[number]) => Buffer;

/** As oddlink's JSON, with its fields in the order in which they are read fastest. */
export const encodeJsonLogin: EncodeLogin = (login, activity) =>
  Buffer.from(JSON.stringify(canonical(login, activity)));

/** As Avro in Confluent's wire format, with the published schema under the id that a registry gave it. */
export function avroLoginEncoder(schemaId: number): EncodeLogin {
  const type = avsc.Type.forSchema(LOGIN_SCHEMA as avsc.schema.RecordType);
  return (login, activity) => wireFormat(schemaId, type.toBuffer(canonical(login, activity)));
}

function canonical(login: LoginBytes, activity: (typeof ACTIVITIES)[number]): CanonicalLogin {
  const textOf = (column: number): string | undefined =>
    login.isAbsent(column) ? undefined : login.text(column);
  return {
    timeMs: Math.floor(login.timeMs),
    user: login.text(USER),
    targetUser: login.isSame(TARGET_USER, USER) ? undefined : textOf(TARGET_USER),
    sourceHost: textOf(SOURCE_HOST),
    targetHost: textOf(TARGET_HOST),
    authType: textOf(AUTH_TYPE),
    logonType: textOf(LOGON_TYPE),
    outcome: OUTCOMES[login.outcome]!,
    evidence: EVIDENCE[login.evidence]!,
    activity: activity === ACTIVITIES[0] ? undefined : activity,
    // Out of JSON it may hold halves of characters, which no UTF-8 has.
    uid: login.uid?.toWellFormed(),
  };
}

import { Buffer } from "node:buffer";
import { z } from "zod";
import { type Decoded, rejected } from "../decoded.ts";
import { EVIDENCE, OUTCOMES, sparseLoginSchema } from "../login.ts";
import { AUTH_TYPE, LOGON_TYPE, SOURCE_HOST, TARGET_HOST, TARGET_USER, USER } from "../login-bytes.ts";
import type { Decoder, Format } from "./format.ts";
import { ACTIVITIES, LoginRecord, UNSAID } from "./login-record.ts";
import { NOT_PLAIN, readPlainJson } from "./plain-json.ts";

const EVIDENCE_ACTIVITY = ACTIVITIES.indexOf("evidence");
const OPEN_BRACE = 0x7b;
const TIME_KEY = Buffer.from('"timeMs"');

/**
 * oddlink's own JSON lines: a login as `loginSchema` has it, where only `timeMs`, `user` and one of the hosts must be
 * said. `activity: "evidence"` marks a record that is no login but shows the account at work on `sourceHost`.
 */
export const recordSchema = sparseLoginSchema.extend({ activity: z.enum(ACTIVITIES).optional() });

/** The happy path of zod, compiled; falls back to the interpreter for its error texts. */
const compiled = z.compile(recordSchema);

/** An error text may quote what the record held; keep it readable. */
const DETAIL_CHARACTERS_MAX = 200;

export const oddlink: Format = {
  name: "oddlink",
  page: {
    title: "oddlink JSON",
    about:
      "One object a line, with the fields of `schemas/login.schema.json`; only `timeMs`, `user` and one of the hosts must be said.",
    recognisedBy: "`timeMs` among its keys",
    fields: {
      time: "`timeMs`, milliseconds since the epoch",
      user: "`user`",
      "target user": "`targetUser`, else `user`",
      "source host": "`sourceHost`",
      "target host": "`targetHost`",
      "auth type": "`authType`",
      "logon type": "`logonType`",
      outcome: "`outcome`, else unknown",
      uid: "`uid`",
      names: "as they are",
    },
    records: [
      [
        "all",
        "login; evidence as `evidence` says, else weak by NTLM or Basic, strong by Kerberos or at the console unless it failed",
      ],
      ['`activity: "evidence"`', "evidence, strong unless `evidence` says other; ignored if it failed"],
    ],
  },
  recognises: (bytes, start, end) =>
    bytes[start] === OPEN_BRACE && bytes.subarray(start, end).includes(TIME_KEY),
  createDecoder: () => new OddlinkDecoder(),
  timeMs: (text) => (/^\d{1,16}$/.test(text) ? Number(text) : Date.parse(text)),
};

export class OddlinkDecoder implements Decoder {
  readonly #record = new LoginRecord();

  decode(bytes: Buffer, start: number, end: number): Decoded {
    const activity = readPlainJson(bytes, start, end, this.#record.login);
    if (activity === NOT_PLAIN) return this.decodeAny(bytes, start, end);
    return this.#record.judge(activity === EVIDENCE_ACTIVITY, this.#record.login.evidence);
  }

  /** What `decode` does with records that are not plain, and would do with those that are. */
  decodeAny(bytes: Buffer, start: number, end: number): Decoded {
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
    const { login } = this.#record;
    const { data } = result;
    const record = this.#record;
    record.beginTexts();
    login.timeMs = data.timeMs;
    login.uid = data.uid || undefined;
    login.outcome = OUTCOMES.indexOf(data.outcome ?? "unknown");
    record.setText(USER, data.user);
    record.setText(TARGET_USER, data.targetUser);
    record.setText(SOURCE_HOST, data.sourceHost);
    record.setText(TARGET_HOST, data.targetHost);
    record.setText(AUTH_TYPE, data.authType);
    record.setText(LOGON_TYPE, data.logonType);
    const evidence = data.evidence === undefined ? UNSAID : EVIDENCE.indexOf(data.evidence);
    return this.#record.judge(data.activity === "evidence", evidence);
  }
}

function brief(text: string): string {
  return text.length <= DETAIL_CHARACTERS_MAX ? text : `${text.slice(0, DETAIL_CHARACTERS_MAX)}…`;
}

import { ignored, rejected } from "../decoded.ts";
import { hostOf, isoTimeMs, textOf, wholeNameOf } from "../names.ts";
import { at, isObject, type JsonFormat, type JsonObject, jsonFormat } from "./json-format.ts";

/** Types of events that are logins; `sapi` and the like are calls of the API, and exchanges of tokens follow a login. */
const LOGINS: ReadonlyMap<string, "success" | "failure"> = new Map([
  ["s", "success"],
  ["scoa", "success"],
  ["sens", "success"],
  ["ssa", "success"],
  ["f", "failure"],
  ["fp", "failure"],
  ["fu", "failure"],
  ["fcoa", "failure"],
  ["fens", "failure"],
  ["fsa", "failure"],
]);
const SILENT_FAILURE = "fsa";
const LOG_OFFS: ReadonlySet<string> = new Set(["slo", "flo"]);
/** What `performed_amr` of a prompt says once a second factor was passed. */
const MFA = "mfa";
const SERVICE = "auth0";

const LOG_OFF = ignored("log-off");
const NOT_A_LOGIN = ignored("not-a-login");
const NO_TYPE = rejected("unknown-event", "no type");

const definition: JsonFormat = {
  name: "auth0",
  marks: ['"log_id"'],
  read(record) {
    const data = [at(record, "data"), at(record, "detail.data")].find(isObject) ?? record;
    const text = (path: string): string => textOf(at(data, path));
    const type = text("type");
    if (type === "") return NO_TYPE;
    if (LOG_OFFS.has(type)) return LOG_OFF;
    const outcome = LOGINS.get(type);
    if (outcome === undefined) return NOT_A_LOGIN;
    const user = wholeNameOf(at(data, "user_name")) || wholeNameOf(at(data, "user_id"));
    if (type === SILENT_FAILURE && user === "") return NOT_A_LOGIN;
    return {
      kind: "login",
      timeMs: isoTimeMs(at(data, "date")),
      user,
      sourceHost: hostOf(at(data, "ip")),
      targetHost: wholeNameOf(at(data, "client_name")) || wholeNameOf(at(data, "client_id")) || SERVICE,
      authType: text("connection") || text("strategy"),
      outcome,
      evidence: outcome === "success" && hasPassedMfa(data) ? "strong" : "none",
      uid: textOf(at(record, "log_id")) || text("log_id") || textOf(at(record, "detail.log_id")),
    };
  },
  page: {
    title: "Auth0",
    about:
      "Tenant logs as log streams send them, `{log_id, data}`, one a line; such a record in `detail`, as EventBridge passes it on; and the log itself, as the Management API gives it.",
    recognisedBy: "`log_id` among its keys",
    fields: {
      time: "`data.date`; without a zone it is UTC",
      user: "`data.user_name`, else `data.user_id`",
      "target user": "the user",
      "source host": "`data.ip`",
      "target host": "`data.client_name`, else `data.client_id`, else `auth0`",
      "auth type": "`data.connection`, else `data.strategy`",
      outcome: "by `data.type`, below",
      evidence:
        "strong if it succeeded and `performed_amr` of one of `data.details.prompts` says mfa; none otherwise",
      uid: "`log_id`, the outer one first",
      names: "small letters, whole",
    },
    records: [
      ["s, scoa, sens, ssa", "login"],
      ["f, fp, fu, fcoa, fens, fsa", "login that failed"],
      [
        "fsa that names nobody",
        "ignored: not-a-login. A page asked whether somebody has a session, and nobody had",
      ],
      ["slo, flo", "ignored: log-off"],
      [
        "all others",
        "ignored: not-a-login. `sapi` is a call of the Management API, `gd_...` a step of MFA that names the account by its id only, and `limit_wc` and `pwd_leak` are warnings of logins that were stopped",
      ],
    ],
  },
};

export const auth0 = jsonFormat(definition);

function hasPassedMfa(data: JsonObject): boolean {
  const prompts = at(data, "details.prompts");
  if (!Array.isArray(prompts)) return false;
  return prompts.some((prompt: unknown) => {
    const performed = isObject(prompt) ? at(prompt, "performed_amr") : undefined;
    return Array.isArray(performed) && performed.includes(MFA);
  });
}

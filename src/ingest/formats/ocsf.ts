import { ignored, rejected } from "../decoded.ts";
import { logonTypeName } from "../logon-types.ts";
import { accountOf, hostOf, textOf } from "../names.ts";
import { at, type JsonFormat, type JsonObject, jsonFormat } from "./json-format.ts";

const AUTHENTICATION = "3002";
const LOG_ON = "1";
const LOG_OFF = "2";
/** An authentication ticket and a service ticket. */
const TICKETS: ReadonlySet<string> = new Set(["3", "4"]);
/** Times below that are in seconds: 1973, if they were milliseconds. */
const TIME_MS_MIN = 1e11;
const PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ["1", "NTLM"],
  ["2", "Kerberos"],
  ["3", "Digest"],
  ["4", "OpenID"],
  ["5", "SAML"],
  ["6", "OAUTH 2.0"],
  ["7", "PAP"],
  ["8", "CHAP"],
  ["9", "EAP"],
  ["10", "RADIUS"],
  ["11", "Basic Authentication"],
  ["12", "LDAP"],
]);
const OUTCOMES: ReadonlyMap<string, "success" | "failure"> = new Map([
  ["1", "success"],
  ["2", "failure"],
]);

const IGNORED_LOG_OFF = ignored("log-off");
const NOT_A_LOGIN = ignored("not-a-login");
const INVALID_TIME = rejected("invalid-time", "time is no plausible number of milliseconds since 1970");

const definition: JsonFormat = {
  name: "ocsf",
  marks: ['"class_uid"'],
  read(record) {
    const text = (path: string): string => textOf(at(record, path));
    if (text("class_uid") !== AUTHENTICATION) return NOT_A_LOGIN;
    const activity = text("activity_id");
    if (activity === LOG_OFF) return IGNORED_LOG_OFF;
    const isTicket = TICKETS.has(activity);
    if (activity !== LOG_ON && !isTicket) return NOT_A_LOGIN;
    const timeMs = at(record, "time");
    if (typeof timeMs !== "number" || timeMs < TIME_MS_MIN) return INVALID_TIME;
    const outcome = OUTCOMES.get(text("status_id")) ?? "unknown";
    const targetUser = accountAt(record, "user");
    const hasSecondFactor = at(record, "is_mfa") === true && outcome === "success";
    return {
      kind: isTicket ? "evidence" : "login",
      timeMs: Math.floor(timeMs),
      user: accountAt(record, "actor.user") || targetUser,
      targetUser,
      sourceHost: hostAt(record, "src_endpoint"),
      targetHost:
        hostAt(record, "dst_endpoint") ||
        text("service.name").toLowerCase() ||
        hostOf(at(record, "device.hostname")),
      authType: PROTOCOLS.get(text("auth_protocol_id")) ?? text("auth_protocol"),
      logonType: logonTypeName(text("logon_type_id")) || text("logon_type"),
      outcome,
      uid: text("metadata.uid"),
      ...(isTicket ? { evidence: "ticket" } : hasSecondFactor ? { evidence: "strong" } : {}),
    };
  },
  page: {
    title: "OCSF Authentication",
    about: "Class 3002 of the Open Cybersecurity Schema Framework.",
    recognisedBy: "`class_uid` among its keys",
    fields: {
      time: "`time`, a plausible number of milliseconds since 1970",
      user: "`actor.user`, else `user`: `name` with `domain`, else `email_addr`, else `uid`",
      "target user": "`user`",
      "source host": "`src_endpoint`: `hostname`, `name` or `ip`",
      "target host": "`dst_endpoint` likewise, else `service.name`, else `device.hostname`",
      "auth type": "name of `auth_protocol_id`, else `auth_protocol`",
      "logon type": "name of `logon_type_id`, else `logon_type`",
      outcome: "`status_id` 1 success, 2 failure, others unknown",
      uid: "`metadata.uid`",
      names: "small letters; hosts by their first label; an e-mail address whole",
    },
    records: [
      ["activity 1", "login; strong if it succeeded with `is_mfa`"],
      ["activity 3, 4", "ticket request: strong evidence; ignored if it failed"],
      ["activity 2", "ignored: log-off"],
      ["other activities, other classes", "ignored: not-a-login"],
    ],
  },
};

export const ocsf = jsonFormat(definition);

function accountAt(record: JsonObject, path: string): string {
  const text = (key: string): string => textOf(at(record, `${path}.${key}`)).toLowerCase();
  const name = text("name") || text("email_addr") || text("uid");
  // The domain of an address is no label of a Windows domain.
  return name.includes("@") ? name : accountOf(name, text("domain"));
}

function hostAt(record: JsonObject, path: string): string {
  for (const key of ["hostname", "name", "ip"]) {
    const host = hostOf(at(record, `${path}.${key}`));
    if (host !== "") return host;
  }
  return "";
}

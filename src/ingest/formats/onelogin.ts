import { ignored, rejected } from "../decoded.ts";
import type { Evidence } from "../login.ts";
import { hostOf, isoTimeMs, textOf, wholeNameOf } from "../names.ts";
import { at, isObject, type JsonFormat, jsonFormat } from "./json-format.ts";

/** A type of event that is a login. */
type Kind = {
  readonly outcome: "success" | "failure";
  /** How it was asked for, where the type says so. */
  readonly authType?: string;
  /** None, where it is left out. */
  readonly evidence?: Evidence;
};

const RADIUS = { authType: "RADIUS", evidence: "weak" } as const;
const LDAP = { authType: "LDAP", evidence: "weak" } as const;
const API = { authType: "API" } as const;
const LOGINS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  // The acting user takes the session of another.
  ["3", { outcome: "success" }],
  ["5", { outcome: "success" }],
  ["6", { outcome: "failure" }],
  // Into an application.
  ["8", { outcome: "success" }],
  ["68", { outcome: "success", ...RADIUS }],
  ["69", { outcome: "failure", ...RADIUS }],
  ["122", { outcome: "success", ...API }],
  ["123", { outcome: "failure", ...API }],
  ["129", { outcome: "failure", ...LDAP }],
  ["130", { outcome: "success", ...LDAP }],
]);
/** Out of OneLogin, and out of an application. */
const LOG_OFFS: ReadonlySet<string> = new Set(["7", "29"]);
const SERVICE = "onelogin";

const LOG_OFF = ignored("log-off");
const NOT_A_LOGIN = ignored("not-a-login");
const NO_TYPE = rejected("unknown-event", "no event_type_id");

const definition: JsonFormat = {
  name: "onelogin",
  marks: ['"event_type_id"'],
  read(record) {
    const inner = at(record, "event");
    const event = isObject(inner) ? inner : record;
    const text = (key: string): string => textOf(at(event, key));
    const name = (key: string): string => wholeNameOf(at(event, key));
    const type = text("event_type_id");
    if (type === "") return NO_TYPE;
    if (LOG_OFFS.has(type)) return LOG_OFF;
    const kind = LOGINS.get(type);
    if (kind === undefined) return NOT_A_LOGIN;
    const targetUser = name("user_name") || name("user_id");
    // A part of OneLogin itself may act, under its own name.
    const actor = name("actor_user_name") === name("actor_system") ? "" : name("actor_user_name");
    return {
      kind: "login",
      timeMs: isoTimeMs(text("created_at") || text("event_timestamp")),
      user: actor || targetUser,
      targetUser,
      sourceHost: hostOf(at(event, "ipaddr")),
      targetHost: name("app_name") || SERVICE,
      authType: text("authentication_factor_description") || (kind.authType ?? ""),
      outcome: kind.outcome,
      evidence: kind.evidence ?? "none",
      uid: text("uuid") || text("id"),
    };
  },
  page: {
    title: "OneLogin",
    about:
      "Events as the Events API gives them, and as an event broadcaster sends them, one a line (SIEM, NDJSON), where they lie one level down, in `event`.",
    recognisedBy: "`event_type_id` among its keys",
    fields: {
      time: "`created_at`, else `event_timestamp`; without a zone it is UTC",
      user: "`actor_user_name`, unless that is `actor_system`; else the target user",
      "target user": "`user_name`, else `user_id`. It is the name that is shown, which two people may share",
      "source host": "`ipaddr`",
      "target host": "`app_name`, else `onelogin`",
      "auth type":
        "`authentication_factor_description`, else RADIUS, API or LDAP where `event_type_id` says it",
      outcome: "by `event_type_id`, below",
      evidence:
        "weak by RADIUS and LDAP, which carry a password; none otherwise: a record may name a factor, not that it was passed",
      uid: "`uuid`, else `id`",
      names: "small letters, whole",
    },
    records: [
      ["5, 8", "login to OneLogin, to an application"],
      ["6", "login that failed"],
      ["3", "login: the acting user assumed the target user"],
      ["68, 69", "login by RADIUS, and one that failed"],
      ["122, 123", "login by the API, and one that failed"],
      ["130, 129", "login by LDAP, and one that failed"],
      ["7, 29", "ignored: log-off"],
      ["all others", "ignored: not-a-login"],
    ],
  },
};

export const onelogin = jsonFormat(definition);

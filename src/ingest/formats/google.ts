import { ignored } from "../decoded.ts";
import { hostOf, isoTimeMs, textOf, wholeNameOf } from "../names.ts";
import { at, isObject, type JsonFormat, type JsonObject, jsonFormat } from "./json-format.ts";

/** Reports that hold logins: to the account itself, and to applications by SAML. */
const APPLICATIONS: ReadonlySet<string> = new Set(["login", "saml"]);
const SAML = "saml";
/** A warning may have the name of a login, and another type. */
const LOGIN_TYPE = "login";
const LOGINS: ReadonlyMap<string, "success" | "failure"> = new Map([
  ["login_success", "success"],
  ["login_failure", "failure"],
]);
const LOGOUT = "logout";
/** Challenges that are passed with a device of the user's; codes that can be written down, and questions, are none. */
const SECOND_FACTORS: ReadonlySet<string> = new Set([
  "google_authenticator",
  "google_prompt",
  "idv_preregistered_phone",
  "internal_two_factor",
  "offline_otp",
  "passkey",
  "security_key",
  "security_key_otp",
]);
const UNKNOWN = "unknown";
const SERVICE = "google";

const LOG_OFF = ignored("log-off");
const NOT_A_LOGIN = ignored("not-a-login");

const definition: JsonFormat = {
  name: "google",
  marks: [
    '"admin#reports#activity"',
    '"uniqueQualifier"',
    '"id":{"applicationName"',
    '"id": {"applicationName"',
  ],
  read(record) {
    const text = (path: string): string => textOf(at(record, path));
    const application = text("id.applicationName").toLowerCase();
    if (!APPLICATIONS.has(application)) return NOT_A_LOGIN;
    const events = eventsOf(record).filter((event) => textOf(at(event, "type")) === LOGIN_TYPE);
    const event = events.find((one) => LOGINS.has(nameOf(one)));
    if (event === undefined) return events.some((one) => nameOf(one) === LOGOUT) ? LOG_OFF : NOT_A_LOGIN;
    const outcome = LOGINS.get(nameOf(event)) ?? "unknown";
    const timeMs = isoTimeMs(text("id.time"));
    const qualifier = text("id.uniqueQualifier");
    const loginType = textOf(parameter(event, "login_type"));
    return {
      kind: "login",
      timeMs,
      user: wholeNameOf(at(record, "actor.email")) || wholeNameOf(parameter(event, "affected_email_address")),
      sourceHost: hostOf(at(record, "ipAddress")),
      targetHost: wholeNameOf(parameter(event, "application_name")) || SERVICE,
      authType: loginType === "" || loginType === UNKNOWN ? (application === SAML ? SAML : "") : loginType,
      outcome,
      evidence: outcome === "success" && hasPassedSecondFactor(event) ? "strong" : "none",
      // It tells apart only what happened at one time.
      uid: qualifier === "" || Number.isNaN(timeMs) ? "" : `${application}/${timeMs}/${qualifier}`,
    };
  },
  page: {
    title: "Google Workspace",
    about:
      "Activities of the Reports API, one a line, as it gives them, `events[].parameters[]` with `name` and a value, or flattened by a collector, with `name`, `type` and `parameters` of one event. Of several events in a record the first login is read.",
    recognisedBy:
      "`uniqueQualifier`, `id.applicationName` first in its `id`, or kind `admin#reports#activity`",
    fields: {
      time: "`id.time`; without a zone it is UTC",
      user: "`actor.email`, else the parameter `affected_email_address`",
      "target user": "the user",
      "source host": "`ipAddress`",
      "target host": "the parameter `application_name` (SAML), else `google`",
      "auth type": "the parameter `login_type`, else saml for a login to an application",
      outcome: "by the event's `name`, below",
      evidence:
        "strong if it succeeded and `login_challenge_method` names one with a device of the user's (google_authenticator, google_prompt, idv_preregistered_phone, internal_two_factor, offline_otp, passkey, security_key, security_key_otp); none otherwise",
      uid: "application, time and `id.uniqueQualifier`",
      names: "small letters, whole",
    },
    records: [
      ["application login or saml, type login, `login_success`", "login"],
      ["the same with `login_failure`", "login that failed"],
      ["the same with `logout`", "ignored: log-off"],
      ["type account_warning, even where the name is `login_success`", "ignored: not-a-login"],
      ["all others: challenges, other applications", "ignored: not-a-login"],
    ],
  },
};

export const google = jsonFormat(definition);

/** The events of an activity; a flattened one is its own. */
function eventsOf(record: JsonObject): readonly JsonObject[] {
  const events = at(record, "events");
  return Array.isArray(events) ? events.filter(isObject) : [record];
}

function nameOf(event: JsonObject): string {
  return textOf(at(event, "name"));
}

/** The value of a parameter of that name, whatever it is of: a text, a list or a yes or no. */
function parameter(event: JsonObject, name: string): unknown {
  const parameters = at(event, "parameters");
  if (!Array.isArray(parameters)) return isObject(parameters) ? at(parameters, name) : undefined;
  const found = parameters.filter(isObject).find((one) => nameOf(one) === name);
  if (found === undefined) return undefined;
  return at(found, "value") ?? at(found, "multiValue") ?? at(found, "boolValue");
}

function hasPassedSecondFactor(event: JsonObject): boolean {
  const methods = parameter(event, "login_challenge_method");
  const list: readonly unknown[] = Array.isArray(methods) ? methods : [methods];
  return list.some((method) => SECOND_FACTORS.has(textOf(method)));
}

import { ignored, rejected } from "../decoded.ts";
import type { Outcome } from "../login.ts";
import { hostOf, isoTimeMs, textOf, wholeNameOf } from "../names.ts";
import { at, isObject, type JsonFormat, type JsonObject, jsonFormat, type Reading } from "./json-format.ts";

/** The target where a record names no application. */
const SERVICE = "okta";
const SESSION_START = "user.session.start";
const SINGLE_SIGN_ON = "user.authentication.sso";
/** `user.authentication.auth_via_IDP`, `…_radius` and others: who checked the account. */
const AUTHENTICATED_VIA = "user.authentication.auth_via_";
const SECOND_FACTOR = "user.authentication.auth_via_mfa";
const LOG_OFFS: ReadonlySet<string> = new Set([
  "user.session.end",
  "user.session.clear",
  "user.session.expire",
  "user.authentication.slo",
  "user.authentication.universal_logout",
]);
/** Actors that sign in; others are applications, addresses and Okta itself. */
const PERSON = "user";
/** What stands in the place of a name that Okta does not know. */
const NOBODY = "unknown";
const OUTCOMES: ReadonlyMap<string, Outcome> = new Map([
  ["success", "success"],
  ["allow", "success"],
  ["failure", "failure"],
  ["deny", "failure"],
]);
/** A factor that is a password is the first one: newer organisations write it as if it were another. */
const PASSWORD = /^password/i;

const NOT_A_LOGIN = ignored("not-a-login");
const LOG_OFF = ignored("log-off");
const CREDENTIAL_CHECK = ignored("credential-check");
const NO_EVENT_TYPE = rejected("unknown-event", "no event type");

type Result = ReturnType<JsonFormat["read"]>;

const definition: JsonFormat = {
  name: "okta",
  marks: ['"alternateId"', '"alternateid"', '"legacyEventType"', '"legacyeventtype"'],
  read(record) {
    const event = textOf(at(record, "eventType")).toLowerCase();
    if (event === "") return NO_EVENT_TYPE;
    if (LOG_OFFS.has(event)) return LOG_OFF;
    const isLogin =
      event === SESSION_START || event === SINGLE_SIGN_ON || event.startsWith(AUTHENTICATED_VIA);
    if (!isLogin || !isOfPerson(record)) return NOT_A_LOGIN;
    return event === SECOND_FACTOR ? secondFactor(record) : login(record, event);
  },
  page: {
    title: "Okta System Log",
    about:
      "Events as the System Log API gives them, one a line; the keys may be in letters of any case. One sign-in writes several: a session, a factor for each one asked for, and a single sign-on for each application.",
    recognisedBy: "`alternateId` or `legacyEventType` among its keys",
    fields: {
      time: "`published`; without a zone it is UTC",
      user: "`actor.alternateId`, else `actor.id`",
      "target user": "the user; by what name the application knows him is not read",
      "source host": "`device.id`, which devices have that are registered with Okta, else `client.ipAddress`",
      "target host":
        "`displayName` of the first target that is an `AppInstance`, else its `alternateId`, else `okta`",
      "auth type":
        "`debugContext.debugData.factor` or `.signOnMode`, else `authenticationContext.credentialType`",
      "logon type": "`eventType`",
      outcome:
        "`outcome.result`: SUCCESS and ALLOW are success, FAILURE and DENY failure, CHALLENGE and all others unknown",
      uid: "`uuid`",
      names: "small letters, whole; applications by the name that people see",
    },
    records: [
      [
        "user.session.start",
        "login onto Okta; strong if it succeeded on a device that is managed, none otherwise: whether a second factor was passed is in records of its own",
      ],
      [
        "user.authentication.sso",
        "login onto the application, no evidence: the session stands for the person, who may not be there",
      ],
      ["user.authentication.auth_via_IDP, _radius, _AD_agent and others", "login, as by user.session.start"],
      [
        "user.authentication.auth_via_mfa that succeeded",
        "strong evidence of the account at its source; if the factor is the password itself ignored: credential-check",
      ],
      ["user.authentication.auth_via_mfa that failed or was denied", "login that failed"],
      ["user.authentication.auth_via_mfa that is a challenge", "ignored: not-a-login, nobody answered yet"],
      ["the same events of an actor that is no user, or is called unknown", "ignored: not-a-login"],
      [
        "user.session.end, .clear and .expire, user.authentication.slo and .universal_logout",
        "ignored: log-off",
      ],
      [
        "policy.evaluate_sign_on, app.oauth2…, rate limits, account and group events and all others",
        "ignored: not-a-login",
      ],
    ],
  },
};

export const okta = jsonFormat(definition);

function isOfPerson(record: JsonObject): boolean {
  const type = textOf(at(record, "actor.type")).toLowerCase();
  return (type === "" || type === PERSON) && userOf(record) !== NOBODY;
}

function login(record: JsonObject, event: string): Reading {
  const reading = common(record);
  // A session signs on by itself, as long as it lasts.
  const isPersonAsked = event !== SINGLE_SIGN_ON && reading.outcome === "success";
  const isManaged = at(record, "device.managed") === true;
  return { ...reading, kind: "login", evidence: isPersonAsked && isManaged ? "strong" : "none" };
}

function secondFactor(record: JsonObject): Result {
  const reading = common(record);
  if (reading.outcome === "failure") return { ...reading, kind: "login", evidence: "none" };
  if (reading.outcome !== "success") return NOT_A_LOGIN;
  return PASSWORD.test(reading.authType ?? "")
    ? CREDENTIAL_CHECK
    : { ...reading, kind: "evidence", evidence: "strong" };
}

function common(record: JsonObject): Omit<Reading, "kind" | "evidence"> {
  const text = (path: string): string => textOf(at(record, path));
  return {
    timeMs: isoTimeMs(at(record, "published")),
    user: userOf(record),
    sourceHost: wholeNameOf(at(record, "device.id")) || hostOf(at(record, "client.ipAddress")),
    targetHost: applicationOf(at(record, "target")) || SERVICE,
    authType:
      text("debugContext.debugData.factor") ||
      text("debugContext.debugData.signOnMode") ||
      text("authenticationContext.credentialType"),
    logonType: text("eventType"),
    outcome: OUTCOMES.get(text("outcome.result").toLowerCase()) ?? "unknown",
    uid: text("uuid"),
  };
}

function userOf(record: JsonObject): string {
  return wholeNameOf(at(record, "actor.alternateId")) || wholeNameOf(at(record, "actor.id"));
}

function applicationOf(targets: unknown): string {
  if (!Array.isArray(targets)) return "";
  const application = targets
    .filter(isObject)
    .find((target) => textOf(at(target, "type")).toLowerCase() === "appinstance");
  if (application === undefined) return "";
  return wholeNameOf(at(application, "displayName")) || wholeNameOf(at(application, "alternateId"));
}

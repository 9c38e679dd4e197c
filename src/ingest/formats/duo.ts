import { ignored } from "../decoded.ts";
import type { Outcome } from "../login.ts";
import { accountOf, hostOf, isoTimeMs, textOf, wholeNameOf } from "../names.ts";
import { at, type JsonFormat, type JsonObject, jsonFormat } from "./json-format.ts";

const AUTHENTICATION = "authentication";
/** Numbers from here on are milliseconds: as seconds they would lie beyond the year 5000. */
const MILLISECONDS_FROM = 1e11;
const OUTCOMES: ReadonlyMap<string, Outcome> = new Map([
  ["success", "success"],
  ["denied", "failure"],
  ["failure", "failure"],
  ["fraud", "failure"],
]);
/** Reasons of a success that say that the factor itself was passed; all others say why nobody was asked for it. */
const PASSED: ReadonlySet<string> = new Set(["user_approved", "valid_passcode", "verification_code_correct"]);
/** A code that an administrator hands out, so that somebody gets in without his device. */
const BYPASS_CODE = "bypass_code";
/** What Duo writes where an application does not tell it from where the user came. */
const NO_ADDRESS = "0.0.0.0";
const SERVICE = "duo";

const NOT_A_LOGIN = ignored("not-a-login");

const definition: JsonFormat = {
  name: "duo",
  marks: ['"access_device"', '"auth_device"', '"isotimestamp"'],
  read(record) {
    const text = (path: string): string => textOf(at(record, path));
    const eventType = (text("event_type") || text("eventtype")).toLowerCase();
    if (eventType !== AUTHENTICATION) return NOT_A_LOGIN;
    const outcome = OUTCOMES.get(text("result").toLowerCase()) ?? "unknown";
    const factor = text("factor");
    const isPassed =
      outcome === "success" &&
      PASSED.has(text("reason").toLowerCase()) &&
      factor.toLowerCase() !== BYPASS_CODE;
    const address = text("access_device.ip");
    return {
      kind: "login",
      timeMs: timeMsOf(record),
      user: userOf(text("user.name") || text("user.key")),
      sourceHost: address === NO_ADDRESS ? "" : hostOf(address),
      targetHost: wholeNameOf(at(record, "application.name")) || SERVICE,
      authType: factor,
      outcome,
      evidence: isPassed ? "strong" : "none",
      uid: text("txid"),
    };
  },
  page: {
    title: "Duo",
    about:
      "The authentication log as the Admin API's version 2 and Duo's log sync write it, one record a line. A login is the second factor that an application asks for.",
    recognisedBy: "`access_device`, `auth_device` or `isotimestamp` among its keys",
    fields: {
      time: "`isotimestamp`, else `timestamp` in seconds, or milliseconds where it is that large",
      user: "`user.name`, else `user.key`",
      "target user": "the user",
      "source host":
        "`access_device.ip`, from where the application is used; 0.0.0.0 is nobody. Its `hostname` is not read, as only some applications tell it and the source would have two names; `auth_device` is the phone",
      "target host": "`application.name`, else `duo`",
      "auth type": "`factor`",
      outcome: "`result`: success; denied, failure or fraud is a failure; others unknown",
      evidence:
        "strong if it succeeded because `reason` says that the factor was passed (user_approved, valid_passcode, verification_code_correct) and `factor` is no bypass_code; none otherwise: a remembered device, a trusted network or a user who may bypass shows nobody",
      uid: "`txid`",
      names: "small letters; an e-mail address whole, `DOMAIN\\name` as `name@domain`; applications whole",
    },
    records: [
      ["`event_type` authentication", "login"],
      ["`event_type` enrollment", "ignored: not-a-login"],
      [
        "the other logs, of administrators, telephony and so on",
        "ignored: not-a-login. An `admin_login` too: where it came from is JSON in a text",
      ],
    ],
  },
};

export const duo = jsonFormat(definition);

function timeMsOf(record: JsonObject): number {
  const isoMs = isoTimeMs(at(record, "isotimestamp"));
  if (!Number.isNaN(isoMs)) return isoMs;
  const text = textOf(at(record, "timestamp"));
  if (!/^\d+(?:\.\d+)?$/.test(text)) return isoTimeMs(text);
  const number = Number(text);
  return Math.floor(number < MILLISECONDS_FROM ? number * 1000 : number);
}

/** Duo keeps names as applications send them: addresses, Windows accounts, or plain names. */
function userOf(name: string): string {
  return name.includes("@") && !name.includes("\\") ? wholeNameOf(name) : accountOf(name);
}

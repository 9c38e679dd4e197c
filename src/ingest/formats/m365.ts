import { ignored, rejected } from "../decoded.ts";
import type { Outcome } from "../login.ts";
import { hostOf, isoTimeMs, textOf, wholeNameOf } from "../names.ts";
import { isInterrupt, isLegacyAgent } from "./entra.ts";
import type { Format } from "./format.ts";
import { at, isObject, type JsonFormat, type JsonObject, jsonFormat } from "./json-format.ts";

const LOGGED_IN = "userloggedin";
const LOGIN_FAILED = "userloginfailed";
/** Names of `LogonError` that say that something was asked for on the way, where the number is not there to say it. */
const INTERRUPT = /interrupt$/i;
/** What stands in the place of a name that the service does not know. */
const NOBODY: ReadonlySet<string> = new Set(["not available", "unknown"]);
/** An address with the port behind it; of IPv6 in brackets. */
const WITH_PORT = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/;

const NOT_A_LOGIN = ignored("not-a-login");
const NO_OPERATION = rejected("unknown-event", "no operation");

/** Records of Beats hold the audit record in one of their own. */
const OF_BEATS = '"o365"';

const definition: JsonFormat = {
  name: "m365",
  marks: ['"UserKey"', '"userkey"'],
  read(record) {
    const text = (path: string): string => textOf(at(record, path));
    const operation = text("Operation").toLowerCase();
    if (operation === "") return NO_OPERATION;
    if (operation !== LOGGED_IN && operation !== LOGIN_FAILED) return NOT_A_LOGIN;
    const user = wholeNameOf(at(record, "UserId"));
    if (NOBODY.has(user)) return NOT_A_LOGIN;
    return {
      kind: "login",
      timeMs: isoTimeMs(at(record, "CreationTime")),
      user,
      sourceHost:
        wholeNameOf(property(record, "DeviceProperties", "id")) ||
        addressOf(text("ClientIP")) ||
        addressOf(text("ActorIpAddress")),
      targetHost: wholeNameOf(text("ApplicationId") || text("Workload")),
      logonType: property(record, "ExtendedProperties", "requesttype"),
      outcome:
        operation === LOGGED_IN
          ? "success"
          : outcomeOfError(text("ErrorNumber") || text("ErrorCode"), text("LogonError")),
      evidence: isLegacyAgent(property(record, "ExtendedProperties", "useragent")) ? "weak" : "none",
      uid: text("Id"),
    };
  },
  page: {
    title: "Microsoft 365 audit",
    about:
      "The unified audit log as the Management Activity API gives it, one record a line; the keys may be in letters of any case. It holds the sign-ins to Entra ID as well, with less said than in Entra's own log: where there is one, read that.",
    recognisedBy: "`UserKey` among its keys",
    fields: {
      time: "`CreationTime`; without a zone it is UTC",
      user: "`UserId`",
      "target user": "the user",
      "source host":
        "`Id` of `DeviceProperties`, else `ClientIP`, else `ActorIpAddress`, both without their port",
      "target host":
        "`ApplicationId`, else `Workload`: the record does not name the application, so that it is another than in Entra's log",
      "auth type": "none: the record numbers the methods, and nobody says what the numbers mean",
      "logon type": "`RequestType` of `ExtendedProperties`: `OAuth2:Token` is a renewal by token",
      outcome:
        "`Operation`, never `ResultStatus`, which is Success for failures; a failure whose `ErrorNumber`, `ErrorCode` or `LogonError` is an interruption is unknown",
      uid: "`Id`",
      names: "small letters, whole",
    },
    records: [
      [
        "UserLoggedIn, UserLoginFailed",
        "login; no evidence, as the record says neither whether a second factor was passed nor whether a person was there; weak if the user agent is Exchange with the password of an old client (BAV2ROPC, CBAInPROD)",
      ],
      [
        "the same of an account that is called Not Available or Unknown",
        "ignored: not-a-login, it names no account",
      ],
      ["MailboxLogin, TeamsSessionStarted and all other operations", "ignored: not-a-login"],
    ],
  },
};

const json = jsonFormat(definition);

export const m365: Format = {
  ...json,
  recognises: (bytes, start, end) =>
    json.recognises(bytes, start, end) && !bytes.subarray(start, end).includes(OF_BEATS),
};

/** The value of a property in a list of `{Name, Value}`. */
function property(record: JsonObject, list: string, name: string): string {
  const properties = at(record, list);
  if (!Array.isArray(properties)) return "";
  const found = properties
    .filter(isObject)
    .find((candidate) => textOf(at(candidate, "Name")).toLowerCase() === name);
  return found === undefined ? "" : textOf(at(found, "Value"));
}

function outcomeOfError(errorNumber: string, logonError: string): Outcome {
  return isInterrupt(errorNumber) || INTERRUPT.test(logonError) ? "unknown" : "failure";
}

function addressOf(text: string): string {
  const [, six, four] = WITH_PORT.exec(text) ?? [];
  return hostOf(six ?? four ?? text);
}

import { ignored, rejected } from "../decoded.ts";
import type { Evidence, Outcome } from "../login.ts";
import { hostOf, isoTimeMs, textOf, wholeNameOf } from "../names.ts";
import { at, isObject, type JsonFormat, type JsonObject, jsonFormat, type Reading } from "./json-format.ts";

/** The name of the target where a record names no application. */
const SERVICE = "entra id";
const SIGN_IN_CATEGORY = /signinlogs$/;
const SIGN_IN_OPERATION = "sign-in activity";
const NON_INTERACTIVE = "noninteractiveusersigninlogs";
const SERVICE_PRINCIPAL = "serviceprincipalsigninlogs";
/** Sign-ins that Azure makes by itself, on its own machines: nobody holds their secrets, and no source is named. */
const OF_AZURE_ITSELF: ReadonlySet<string> = new Set([
  "managedidentitysigninlogs",
  "microsoftserviceprincipalsigninlogs",
]);

/**
 * Error codes that are a step on the way, not a failure: the password was right or not asked for yet, and the sign-in goes on with a second factor, a
 * registration, a consent or a question, or is given up there.
 */
const INTERRUPTS: ReadonlySet<string> = new Set([
  "50058",
  "50072",
  "50074",
  "50076",
  "50079",
  "50097",
  "50125",
  "50127",
  "50129",
  "50140",
  "50203",
  "65001",
]);

/** Clients that send the password itself with each connection; older records write `Other clients; IMAP`. */
const LEGACY_CLIENTS: ReadonlySet<string> = new Set([
  "authenticated smtp",
  "autodiscover",
  "exchange activesync",
  "exchange online powershell",
  "exchange web services",
  "imap",
  "imap4",
  "mapi over http",
  "offline address book",
  "other clients",
  "outlook anywhere (rpc over http)",
  "pop",
  "pop3",
  "reporting web services",
  "smtp",
]);
/** The grant by which an application asks for the password, and passes it on. */
const PASSWORD_GRANT = "ropc";
/** What Exchange calls itself where it signs in with a password that an old client gave it. */
const LEGACY_AGENT = /^(?:bav2ropc|cbain)/i;

/** Methods that are two factors at once: a key that its device gives away for a finger, a face or a PIN. */
const TWO_FACTORS_AT_ONCE = /^(?:windows hello|fido2|passkey)/;
/** What the status says of a second factor that was passed in this sign-in. */
const PASSED_NOW =
  /^mfa (?:requirement )?(?:successfully )?(?:completed|satisfied (?:in the cloud|by strong|by multi))/;
/** A second factor that was passed earlier, or elsewhere, or let off, says nothing of who is there now. */
const PASSED_EARLIER = /claim|previously|by token|remembered|skipped|expired|not required/;
const PRIMARY_STEP = /^primary/;

const NOT_A_LOGIN = ignored("not-a-login");
const SEVERAL_RECORDS = rejected("unknown-format", "a list of records: split it, one a line");

const definition: JsonFormat = {
  name: "entra",
  marks: [
    '"AADTenantId"',
    '"OperationVersion"',
    '"operationVersion"',
    '"operationversion"',
    '"callerIpAddress"',
    '"calleripaddress"',
    '"conditionalAccessStatus"',
    '"clientAppUsed"',
  ],
  read(record) {
    if (Array.isArray(at(record, "records"))) return SEVERAL_RECORDS;
    const category = textOf(at(record, "category")).toLowerCase();
    const operation = textOf(at(record, "operationName")).toLowerCase();
    if (category === "" && operation === "" && isOfGraph(record)) {
      const own = graphCategory(record);
      return OF_AZURE_ITSELF.has(own) ? NOT_A_LOGIN : signIn(record, own);
    }
    const isSignIn = category === "" ? operation === SIGN_IN_OPERATION : SIGN_IN_CATEGORY.test(category);
    if (!isSignIn || OF_AZURE_ITSELF.has(category)) return NOT_A_LOGIN;
    return signIn(record, category);
  },
  page: {
    title: "Microsoft Entra ID",
    about:
      "Sign-ins as rows of Log Analytics (SigninLogs, AADNonInteractiveUserSignInLogs, AADServicePrincipalSignInLogs) as the diagnostic stream to an event hub or a storage account, and as Microsoft Graph and the download of the portal have them, one record a line; the keys may be in letters of any case. The same sign-in may be written twice, with the same id and more said later: the first counts (`input.duplicatesMax`).",
    recognisedBy:
      "`AADTenantId`, `operationVersion`, `callerIpAddress`, `conditionalAccessStatus` or `clientAppUsed` among its keys",
    fields: {
      time: "`createdDateTime`, else `time` or `TimeGenerated`; without a zone it is UTC",
      user: "`userPrincipalName`, else `userId`; of service principals `appId`, else `servicePrincipalId`: names of them are not unique",
      "target user": "the user",
      "source host":
        "`deviceDetail.deviceId`, which devices have that the tenant knows; else `ipAddress`, else `callerIpAddress`",
      "target host":
        "`appDisplayName`, else `resourceDisplayName`, else `appId`, else `entra id`; of service principals the resource first",
      "auth type": "`authenticationProtocol` unless it is `none`, else `clientAppUsed`",
      "logon type": "interactiveUser, nonInteractiveUser or servicePrincipal",
      outcome:
        "`status.errorCode`, else `resultType`, else `resultSignature`: 0 and Success are success, codes of an interruption (a second factor is asked for, a consent, whether to stay signed in) unknown, all others failure",
      uid: "`id`",
      names: "small letters, whole; applications by the name that people see",
    },
    records: [
      [
        "interactive sign-in",
        "login; strong if it succeeded, and this record says that a second factor was passed in it (a step of `authenticationDetails`, `mfaDetail`, `status.additionalDetails`) or that the device is managed or compliant; none otherwise",
      ],
      [
        "sign-in of a legacy client (IMAP, POP, SMTP and the like) or by the password grant (ropc)",
        "login, weak evidence",
      ],
      [
        "non-interactive sign-in: a client renews a token for a user",
        "login, no evidence whatever its second factor: whoever holds the token gets it renewed, so a stolen one shows up here as a login from elsewhere",
      ],
      [
        "second factor satisfied by a claim in the token, by a remembered device and the like",
        "no evidence: it was passed earlier, not here",
      ],
      ["sign-in of a service principal", "login of the application, no evidence: no person is there"],
      [
        "sign-in of a managed identity or of Microsoft's own service principals",
        "ignored: not-a-login, Azure makes them by itself",
      ],
      ["audit logs and all other categories", "ignored: not-a-login"],
      ['`{"records": […]}`', "rejected: unknown-format, it has to be split, one record a line"],
    ],
  },
};

export const entra = jsonFormat(definition);

/** Whether an error code of a sign-in says that it was interrupted, not refused. */
export function isInterrupt(errorCode: string): boolean {
  return INTERRUPTS.has(errorCode);
}

/** Whether a user agent is Exchange with the password of an old client. */
export function isLegacyAgent(userAgent: string): boolean {
  return LEGACY_AGENT.test(userAgent);
}

/** As Microsoft Graph and the download of the portal have sign-ins: these alone, so no category says what they are. */
function isOfGraph(record: JsonObject): boolean {
  return textOf(at(record, "createdDateTime")) !== "" && objectOf(at(record, "status")) !== undefined;
}

/** What Graph calls a kind of sign-in, by the name of the log that would hold it. */
function graphCategory(record: JsonObject): string {
  const types = at(record, "signInEventTypes");
  const [type] = Array.isArray(types) ? types.map((one) => textOf(one).toLowerCase()) : [];
  if (type === "serviceprincipal") return SERVICE_PRINCIPAL;
  if (type === "noninteractiveuser") return NON_INTERACTIVE;
  return type === "managedidentity" ? "managedidentitysigninlogs" : "";
}

function signIn(record: JsonObject, category: string): Reading {
  const inner = objectOf(at(record, "properties")) ?? record;
  const first = (...paths: string[]): string => firstText(inner, paths) || firstText(record, paths);
  const device = objectOf(at(inner, "deviceDetail")) ?? {};
  const status = objectOf(at(inner, "status")) ?? {};
  const isServicePrincipal = category === SERVICE_PRINCIPAL;
  const isInteractive =
    category !== NON_INTERACTIVE && !isServicePrincipal && !isFalse(at(inner, "isInteractive"));
  const protocol = first("authenticationProtocol");
  const client = first("clientAppUsed");
  const outcome = outcomeOf(first, status);
  const isLegacy = isLegacyClient(client, protocol) || isLegacyAgent(first("userAgent"));
  const isProved = isInteractive && outcome === "success" && (passedMfa(inner, status) || isManaged(device));
  const evidence: Evidence = isServicePrincipal ? "none" : isLegacy ? "weak" : isProved ? "strong" : "none";
  const targets = isServicePrincipal
    ? ["resourceDisplayName", "appDisplayName"]
    : ["appDisplayName", "resourceDisplayName"];
  return {
    kind: "login",
    timeMs: isoTimeMs(first("createdDateTime", "time", "TimeGenerated")),
    user: wholeNameOf(
      isServicePrincipal ? first("appId", "servicePrincipalId") : first("userPrincipalName", "userId"),
    ),
    sourceHost: wholeNameOf(at(device, "deviceId")) || hostOf(first("ipAddress", "callerIpAddress")),
    targetHost: wholeNameOf(first(...targets, "appId")) || SERVICE,
    authType: protocol.toLowerCase() === "none" || protocol === "" ? client : protocol,
    logonType: isServicePrincipal
      ? "servicePrincipal"
      : isInteractive
        ? "interactiveUser"
        : "nonInteractiveUser",
    outcome,
    evidence,
    uid: first("id"),
  };
}

function outcomeOf(first: (...paths: string[]) => string, status: JsonObject): Outcome {
  const code = textOf(at(status, "errorCode")) || first("resultType") || first("resultSignature");
  if (code === "" || code.toLowerCase() === "none" || isInterrupt(code)) return "unknown";
  return code === "0" || code.toLowerCase() === "success" ? "success" : "failure";
}

function isLegacyClient(client: string, protocol: string): boolean {
  const name = client.toLowerCase().split(";", 1)[0]!.trim();
  return LEGACY_CLIENTS.has(name) || protocol.toLowerCase() === PASSWORD_GRANT;
}

/** Whether the record says that a second factor was passed in this very sign-in. */
function passedMfa(inner: JsonObject, status: JsonObject): boolean {
  const detail = textOf(at(status, "additionalDetails")).toLowerCase();
  if (PASSED_NOW.test(detail)) return true;
  if (PASSED_EARLIER.test(detail)) return false;
  const steps = parsed(at(inner, "authenticationDetails"));
  if (Array.isArray(steps) && steps.length > 0) return steps.some(isSecondFactor);
  return textOf(at(objectOf(at(inner, "mfaDetail")) ?? {}, "authMethod")) !== "";
}

function isSecondFactor(step: unknown): boolean {
  if (!isObject(step) || !isTrue(at(step, "succeeded"))) return false;
  const text = (key: string): string => textOf(at(step, key)).toLowerCase();
  const method = text("authenticationMethod");
  if (PASSED_EARLIER.test(method) || PASSED_EARLIER.test(text("authenticationStepResultDetail")))
    return false;
  const requirement = text("authenticationStepRequirement");
  const isSecond = requirement !== "" && !PRIMARY_STEP.test(requirement) && !method.includes("password");
  return isSecond || TWO_FACTORS_AT_ONCE.test(method);
}

function isManaged(device: JsonObject): boolean {
  const isKnown = textOf(at(device, "deviceId")) !== "";
  return isKnown && (isTrue(at(device, "isManaged")) || isTrue(at(device, "isCompliant")));
}

function firstText(record: JsonObject, paths: readonly string[]): string {
  for (const path of paths) {
    const text = textOf(at(record, path));
    if (text !== "") return text;
  }
  return "";
}

/** An object, or the one that a text holds: some tables keep what is nested as text. */
function objectOf(value: unknown): JsonObject | undefined {
  const object = parsed(value);
  return isObject(object) ? object : undefined;
}

function parsed(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

function isTrue(value: unknown): boolean {
  return value === true || textOf(value).toLowerCase() === "true";
}

function isFalse(value: unknown): boolean {
  return value === false || textOf(value).toLowerCase() === "false";
}

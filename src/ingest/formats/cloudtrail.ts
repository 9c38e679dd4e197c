import { isIP } from "node:net";
import { ignored, rejected } from "../decoded.ts";
import type { Outcome } from "../login.ts";
import { hostOf, isoTimeMs, textOf, wholeNameOf } from "../names.ts";
import { at, isObject, type JsonFormat, type JsonObject, jsonFormat, type Reading } from "./json-format.ts";

/** The target where a record names no AWS account; before its number where it does. */
const SERVICE = "aws";
const ROOT = "root";
const ASSUMED_ROLE = "assumedrole";
/** What AWS writes for a name that does not exist: somebody may have typed the password there. */
const HIDDEN = "hidden_due_to_security_reasons";
/** Account and resource of `arn:aws:iam::111122223333:user/Ann`. */
const ARN = /^arn:[^:]*:[^:]*:[^:]*:([^:]*):(.+)$/i;

const NOT_A_LOGIN = ignored("not-a-login");
const LOG_OFF = ignored("log-off");
const CREDENTIAL_CHECK = ignored("credential-check");
const FAILED_REQUEST = ignored("failed-request");
const NO_EVENT_NAME = rejected("unknown-event", "no event name");
const SEVERAL_RECORDS = rejected("unknown-format", "a file of Records: split it, one event a line");

type Result = ReturnType<JsonFormat["read"]>;

const READERS: ReadonlyMap<string, (event: JsonObject) => Result> = new Map<
  string,
  (event: JsonObject) => Result
>([
  ["consolelogin", consoleLogin],
  ["switchrole", switchRole],
  ["exitrole", () => LOG_OFF],
  ["checkmfa", () => CREDENTIAL_CHECK],
]);

const definition: JsonFormat = {
  name: "cloudtrail",
  marks: ['"awsRegion"'],
  read(record) {
    if (Array.isArray(at(record, "Records"))) return SEVERAL_RECORDS;
    const detail = at(record, "detail");
    const event = isObject(detail) ? detail : record;
    const name = textOf(at(event, "eventName")).toLowerCase();
    if (name === "") return NO_EVENT_NAME;
    return READERS.get(name)?.(event) ?? NOT_A_LOGIN;
  },
  page: {
    title: "AWS CloudTrail",
    about:
      'Logins to the console, one event a line: as a log group or an event bus gives them; those of the bus lie one level down, in `detail`. Files in S3 hold one line, `{"Records": […]}`, and have to be split first (`jq -c ".Records[]"`).',
    recognisedBy: "`awsRegion` among its keys",
    fields: {
      time: "`eventTime`",
      user: "`root@ACCOUNT`; `userIdentity.userName`, else the last piece of `.arn` or of `.principalId`; of an assumed role that piece is the session's name, `ROLE/SESSION@ACCOUNT`, or whole if it is an e-mail address, as of people who come by IAM Identity Center: whoever assumes a role may choose it; of SwitchRole `additionalEventData.SwitchFrom`",
      "target user": "of an assumed role the role, `ROLE@ACCOUNT`; else the user",
      "source host": "`sourceIPAddress` if it is an address: services write their names there",
      "target host": "`aws/ACCOUNT` by `recipientAccountId`, else `userIdentity.accountId`",
      "auth type": "`userIdentity.type`: Root, IAMUser, AssumedRole, …",
      "logon type": "`eventName`",
      outcome:
        "`responseElements`: Success or Failure, else failure where there is an `errorMessage` or `errorCode`, else unknown",
      uid: "`eventID`",
      names: "small letters; `NAME@ACCOUNT`, an e-mail address whole",
    },
    records: [
      [
        "ConsoleLogin",
        "login; strong if it succeeded with `MFAUsed`, none otherwise, as for federated users, whose second factor is their provider's to tell",
      ],
      [
        "ConsoleLogin of a name that AWS hides, as there is no such user",
        "ignored: failed-request, it names no account",
      ],
      ["SwitchRole", "login of whoever switches as the role, no evidence: the session shows nobody"],
      ["ExitRole", "ignored: log-off"],
      ["CheckMfa", "ignored: credential-check, the ConsoleLogin that follows says it too"],
      [
        "AssumeRole, AssumeRoleWithSAML, GetSigninToken, GetSessionToken and the like",
        "ignored: not-a-login, programs and services ask for credentials so, all day; who logs in to the console with them says so by ConsoleLogin",
      ],
      [
        "sign-ins to IAM Identity Center's own portal (UserAuthentication, Federate)",
        "ignored: not-a-login, the login to the console of each account is a ConsoleLogin",
      ],
      ["all others", "ignored: not-a-login"],
      ['`{"Records": […]}`', "rejected: unknown-format, it has to be split, one event a line"],
    ],
  },
};

export const cloudtrail = jsonFormat(definition);

/** Who did it, and as whom: empty if as himself. */
type Identity = { readonly user: string; readonly role: string };

function consoleLogin(event: JsonObject): Result {
  if (wholeNameOf(at(event, "userIdentity.userName")) === HIDDEN) return FAILED_REQUEST;
  const { user, role } = identityOf(event);
  const reading = common(event, "ConsoleLogin");
  const isByMfa = textOf(at(event, "additionalEventData.MFAUsed")).toLowerCase() === "yes";
  return {
    ...reading,
    kind: "login",
    user,
    targetUser: role,
    evidence: isByMfa && reading.outcome === "success" ? "strong" : "none",
  };
}

function switchRole(event: JsonObject): Result {
  const { user, role } = identityOf(event);
  const from = principalOf(textOf(at(event, "additionalEventData.SwitchFrom")));
  return {
    ...common(event, "SwitchRole"),
    kind: "login",
    user: from === undefined ? user : named(from.name, from.account),
    targetUser: role,
    evidence: "none",
  };
}

function common(event: JsonObject, name: string): Omit<Reading, "kind" | "user" | "evidence"> {
  const text = (path: string): string => textOf(at(event, path));
  const source = hostOf(text("sourceIPAddress"));
  const account = text("recipientAccountId") || text("userIdentity.accountId");
  return {
    timeMs: isoTimeMs(text("eventTime")),
    sourceHost: isIP(source) === 0 ? "" : source,
    targetHost: account === "" ? SERVICE : `${SERVICE}/${account.toLowerCase()}`,
    authType: text("userIdentity.type"),
    logonType: name,
    outcome: outcomeOf(text(`responseElements.${name}`), text("errorMessage") || text("errorCode")),
    uid: text("eventID"),
  };
}

function identityOf(event: JsonObject): Identity {
  const text = (key: string): string => wholeNameOf(at(event, `userIdentity.${key}`));
  const type = text("type");
  const principal = principalOf(text("arn"));
  const account = text("accountId") || (principal?.account ?? "");
  if (type === ROOT) return { user: named(ROOT, account), role: "" };
  const last = principal?.name || text("principalId").replace(/^[^:]*:/, "");
  if (type !== ASSUMED_ROLE) return { user: named(text("userName") || last, account), role: "" };
  const role = text("sessionContext.sessionIssuer.userName") || (principal?.role ?? "");
  return { user: sessionOf(last, role, account), role: named(role, account) };
}

/** A session is called what its beginner likes: `root` there is not to be taken for root, nor a user's name for the user. */
function sessionOf(name: string, role: string, account: string): string {
  return name === "" || name.includes("@") ? name : named(`${role}/${name}`, account);
}

function outcomeOf(response: string, error: string): Outcome {
  const text = response.toLowerCase();
  if (text === "success") return "success";
  return text === "failure" || error !== "" ? "failure" : "unknown";
}

type Principal = { readonly account: string; readonly name: string; readonly role: string };

/** Account and name of a user, a session or a role's session by its ARN; undefined if it is none. */
function principalOf(arn: string): Principal | undefined {
  const [, account = "", resource] = ARN.exec(arn.toLowerCase()) ?? [];
  if (resource === undefined) return undefined;
  const pieces = resource.split("/");
  return {
    account,
    name: pieces.at(-1) ?? "",
    role: pieces[0] === "assumed-role" ? (pieces.at(-2) ?? "") : "",
  };
}

/** A name in its AWS account; an e-mail address says by itself whose it is. */
function named(name: string, account: string): string {
  return name === "" || account === "" || name.includes("@") ? name : `${name}@${account}`;
}

import { ignored, rejected } from "../decoded.ts";
import { logonTypeName } from "../logon-types.ts";
import { accountOf, hostOf, isoTimeMs, textOf } from "../names.ts";
import { at, isObject, type JsonFormat, type JsonObject, jsonFormat, type Reading } from "./json-format.ts";

/** Logons that come from the host itself unless they say otherwise. */
const LOCAL_TYPES: ReadonlySet<string> = new Set(["0", "2", "4", "5", "7", "9", "11", "13"]);
const NEW_CREDENTIALS = "9";
/** The system's own session, in whose name consoles, services and unlocks are asked for. */
const SYSTEM_SESSION = "0x3e7";
/** Accounts that each host has for itself: together they would be hubs. */
const BUILT_IN_DOMAINS: ReadonlySet<string> = new Set([
  "nt authority",
  "nt service",
  "window manager",
  "font driver host",
  "iis apppool",
  "nt virtual machine",
]);
const BUILT_IN_NAMES: ReadonlySet<string> = new Set([
  "system",
  "local service",
  "network service",
  "anonymous logon",
]);
/** `ElevatedToken` of the weaker of two tokens that one login gets. */
const NOT_ELEVATED = "%%1843";

const LOG_OFF = ignored("log-off");
const SCREEN_LOCK = ignored("screen-lock");
const LINKED_LOGON = ignored("linked-logon");
const CREDENTIAL_CHECK = ignored("credential-check");
const FAILED_REQUEST = ignored("failed-request");
const NOT_A_LOGIN = ignored("not-a-login");
const NO_EVENT_ID = rejected("unknown-event", "no event id");
const NO_DATA = rejected("no-user", "the event has no data");

/** Of an event one level down, in `event`; that of ECS has none of them. */
const WRAPPED_KEYS = ["EventID", "event_id", "event_data", "winlog"];

/** A record of one event, whichever collector wrote it. */
type Event = {
  readonly id: string;
  readonly timeMs: number;
  /** The computer that logged it. */
  readonly computer: string;
  readonly uid: string;
  readonly field: (name: string) => string;
};

type Result = ReturnType<JsonFormat["read"]>;

const definition: JsonFormat = {
  name: "windows",
  // SharePoint's audit records have an EventData too, which is text.
  marks: ['"EventID"', '"event_data"', '"EventData":{', '"EventData": {', '"winlog"', '"winlog.event_id"'],
  read(record) {
    const event = eventOf(record);
    if (event.id === "") return NO_EVENT_ID;
    return READERS.get(event.id)?.(event) ?? NOT_A_LOGIN;
  },
  page: {
    title: "Windows Security events",
    about:
      "As Winlogbeat 6 and 7 (ECS) write them, NXLog and others as flat JSON, EVTX exported to JSON, and Log Analytics. An event may lie one level down, in `event`.",
    recognisedBy: "`EventID`, `event_data`, `EventData` that is an object or `winlog` among its keys",
    fields: {
      time: "`TimeCreated`, `@timestamp`, `TimeCreatedUtc` or `TimeGenerated`, in this order; without a zone it is UTC",
      user: "`TargetUserName@TargetDomainName`; of 4648, and where the subject is a person, the subject; of 4624 type 9 the account that is used outwards is the target user",
      "target user": "`TargetUserName@TargetDomainName`",
      "source host":
        "`WorkstationName`, else `IpAddress`; loopback is the computer itself, and so is what says nothing of a logon at the console, of a service or a batch; a link-local address is nobody",
      "target host": "the computer that logged it, never the collector; of 4648 `TargetServerName`",
      "auth type": "`AuthenticationPackageName`",
      "logon type": "name of `LogonType`",
      outcome: "4624 success, 4625 failure, 4648 unknown: an attempt",
      uid: "computer and record id",
      names:
        "small letters; of domains and hosts the first label; machine accounts keep their `$`; accounts that each host has (SYSTEM, ANONYMOUS LOGON, DWM-1) belong to their host",
    },
    records: [
      ["4624", "login"],
      ["4625", "login that failed"],
      ["4648", "login with explicit credentials, as an attempt, from the computer that logged it"],
      [
        "4768, 4769",
        "ticket request: strong evidence of the account on the host that asked; ignored if it failed",
      ],
      ["4771", "ignored: failed-request"],
      [
        "4776",
        "ignored: credential-check. It says neither domain nor target, and the source calls itself what it likes; the login itself is a 4624 or 4625",
      ],
      ["4624 of the weaker of two linked tokens", "ignored: linked-logon, it is the same login once more"],
      ["4634, 4647", "ignored: log-off"],
      ["4800 to 4803", "ignored: screen-lock"],
      ["all others", "ignored: not-a-login"],
    ],
  },
};

export const windows = jsonFormat(definition);

const READERS: ReadonlyMap<string, (event: Event) => Result> = new Map<string, (event: Event) => Result>([
  ["4624", (event) => logon(event, "success")],
  ["4625", (event) => logon(event, "failure")],
  ["4648", explicitCredentials],
  ["4768", ticketRequest],
  ["4769", ticketRequest],
  ["4771", () => FAILED_REQUEST],
  ["4776", () => CREDENTIAL_CHECK],
  ["4634", () => LOG_OFF],
  ["4647", () => LOG_OFF],
  ["4800", () => SCREEN_LOCK],
  ["4801", () => SCREEN_LOCK],
  ["4802", () => SCREEN_LOCK],
  ["4803", () => SCREEN_LOCK],
]);

function eventOf(record: JsonObject): Event {
  const inner = record["event"];
  const isWrapped = isObject(inner) && WRAPPED_KEYS.some((key) => key in inner);
  const outer = isWrapped ? inner : record;
  const data =
    ["event_data", "winlog.event_data", "EventData"].map((path) => at(outer, path)).find(isObject) ?? outer;
  const first = (...paths: string[]): string => {
    for (const path of paths) {
      const text = textOf(at(outer, path));
      if (text !== "") return text;
    }
    return "";
  };
  const computer = hostOf(first("winlog.computer_name", "computer_name", "Computer", "Hostname"));
  const recordId = first("winlog.record_id", "record_number", "EventRecordID", "RecordNumber");
  return {
    id: first("winlog.event_id", "EventID", "event_id", "event.code"),
    timeMs: isoTimeMs(first("TimeCreated", "@timestamp", "TimeCreatedUtc", "TimeGenerated")),
    computer,
    uid: recordId === "" || computer === "" ? "" : `${computer}/${recordId}`,
    field: (name) => textOf(at(data, name) ?? at(outer, `winlog.event_data.${name}`)),
  };
}

function logon(event: Event, outcome: "success" | "failure"): Result {
  const { field, computer } = event;
  const isWeakerToken =
    field("ElevatedToken") === NOT_ELEVATED && !["", "0x0"].includes(field("TargetLinkedLogonId"));
  if (isWeakerToken) return LINKED_LOGON;
  if (field("TargetUserName") === "" && field("LogonType") === "") return NO_DATA;
  const logonType = field("LogonType");
  const isOutwards = logonType === NEW_CREDENTIALS && field("TargetOutboundUserName") !== "";
  const target = account(event, "Target");
  const asked = personAsking(event);
  const targetUser = isOutwards ? account(event, "TargetOutbound") : target;
  return {
    ...common(event),
    kind: "login",
    user: asked ?? target,
    targetUser,
    sourceHost: sourceOf(event, logonType),
    targetHost: computer,
    authType: field("AuthenticationPackageName"),
    logonType: logonTypeName(logonType),
    outcome,
  };
}

/** Somebody used an account that is not his own, or his own by name. */
function explicitCredentials(event: Event): Result {
  const { field, computer } = event;
  return {
    ...common(event),
    kind: "login",
    user: account(event, "Subject"),
    targetUser: account(event, "Target"),
    sourceHost: computer,
    targetHost: hostOf(field("TargetServerName"), computer) || hostOf(field("TargetInfo"), computer),
    outcome: "unknown",
    evidence: "none",
  };
}

function ticketRequest(event: Event): Result {
  const { field, computer } = event;
  if (!["", "0x0", "0"].includes(field("Status").toLowerCase())) return FAILED_REQUEST;
  return {
    ...common(event),
    kind: "evidence",
    user: account(event, "Target"),
    sourceHost: hostOf(field("IpAddress"), computer),
    outcome: "success",
    evidence: "ticket",
  };
}

function common({ timeMs, uid }: Event): Pick<Reading, "timeMs" | "uid"> {
  return { timeMs, uid };
}

function account({ field, computer }: Event, whose: "Target" | "Subject" | "TargetOutbound"): string {
  const name = field(`${whose}UserName`);
  const domain = field(`${whose}DomainName`);
  const isBuiltIn = BUILT_IN_DOMAINS.has(domain.toLowerCase()) || BUILT_IN_NAMES.has(name.toLowerCase());
  return isBuiltIn ? accountOf(name, computer) : accountOf(name, domain);
}

/** Who asked for a logon, if that is a person: for most it is the network, or the machine itself. */
function personAsking(event: Event): string | undefined {
  const { field } = event;
  const name = field("SubjectUserName");
  const isMachine =
    name === "" || name.endsWith("$") || field("SubjectLogonId").toLowerCase() === SYSTEM_SESSION;
  if (isMachine || BUILT_IN_DOMAINS.has(field("SubjectDomainName").toLowerCase())) return undefined;
  return account(event, "Subject");
}

function sourceOf({ field, computer }: Event, logonType: string): string {
  const named = hostOf(field("WorkstationName"), computer) || hostOf(field("IpAddress"), computer);
  return named === "" && LOCAL_TYPES.has(logonType) ? computer : named;
}

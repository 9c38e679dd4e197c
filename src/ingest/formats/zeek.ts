import type { Buffer } from "node:buffer";
import { type Decoded, ignored, type NoLogin } from "../decoded.ts";
import type { Outcome } from "../login.ts";
import { accountOf, hostOf, isoTimeMs, textOf } from "../names.ts";
import type { Decoder, Format } from "./format.ts";
import { at, decodedOf, type JsonObject, jsonFormat, type Reading } from "./json-format.ts";
import { LoginRecord } from "./login-record.ts";
import { ZeekTsvReader } from "./zeek-tsv.ts";

const OPEN_BRACE = 0x7b;
/** Seconds since the epoch above this one are milliseconds, as Zeek's JSON can be told to write them: it is the year 5138. */
const SECONDS_MAX = 1e11;
/** So much of a line tells whether it is Zeek's: a time and the id of a connection, or a word of its header. */
const BEGINNING_BYTES = 64;
const BEGINNING =
  /^(?:#(?:separator|set_separator|empty_field|unset_field|path|open|fields|types|close)[ \t]|\d{1,12}\.\d{1,9}\t[CF][0-9A-Za-z]{8,24}\t)/;

/** Fields that only one log has, for records that do not name theirs. */
const LOGS_BY_FIELD: Readonly<Record<string, string>> = {
  request_type: "kerberos",
  server_nb_computer_name: "ntlm",
  server_dns_computer_name: "ntlm",
  domainname: "ntlm",
  security_protocol: "rdp",
  cookie: "rdp",
};
/** What a connection by RDP came to, if it was not refused: whether somebody logged in is not to be seen. */
const RDP_RESULTS: ReadonlySet<string> = new Set(["", "encrypted", "success"]);
const PREAUTH_REQUIRED = "KDC_ERR_PREAUTH_REQUIRED";

const NOT_A_LOGIN = ignored("not-a-login");
const FAILED_REQUEST = ignored("failed-request");

/** A record of a log, whichever way it was written. */
type Entry = {
  readonly log: string;
  readonly field: (name: string) => string;
};

const json = jsonFormat({
  name: "zeek",
  marks: ['"id.orig_h"', '"id_orig_h"'],
  read: (record) => readingOf(jsonEntry(record)),
  page: {
    title: "Zeek",
    about:
      "The logs ntlm, kerberos and rdp, as JSON lines, or as columns whose header lines (`#fields`, `#path`, `#unset_field`, `#empty_field`) say what they are. After a restart in the middle of a file of columns, its lines are rejected until the next header: give those as JSON. Zeek sees connections, not sessions: the source is an address where other formats may know its name.",
    recognisedBy:
      "`id.orig_h` or `id_orig_h` among the keys; a line of Zeek's header; a time with a fraction, a tab, and the id of a connection",
    fields: {
      time: "`ts`, seconds since the epoch with a fraction; in JSON also milliseconds or ISO 8601",
      user: "ntlm: `username@domainname`; kerberos: `client`, `name/REALM`; rdp: `cookie`, which the client claims before it logs in, and may have cut to nine letters",
      "target user": "the user",
      "source host": "`id.orig_h`; never `hostname` or `client_name`, which are what the client likes",
      "target host":
        "ntlm: `server_dns_computer_name`, else `server_nb_computer_name`, else `id.resp_h`; rdp: `id.resp_h`",
      "auth type": "NTLM; rdp: `security_protocol`",
      "logon type": "rdp",
      outcome: "ntlm: `success`, where nothing is unknown; rdp: unknown",
      uid: "log, `uid` and `ts`: one connection has many records",
      names: "small letters; of domains, realms and hosts the first label",
    },
    records: [
      ["ntlm", "login, weak evidence; ignored as not-a-login if it names no account"],
      [
        "kerberos, a request (AS, TGS) that succeeded",
        "ticket request: strong evidence of the account on the host that asked",
      ],
      [
        "kerberos, error KDC_ERR_PREAUTH_REQUIRED",
        "ignored: not-a-login, it is the usual first step and no failure",
      ],
      ["kerberos, other errors", "ignored: failed-request"],
      [
        "kerberos without account, type of request or success",
        "ignored: not-a-login: a ticket shown, an answer not seen, or a scan",
      ],
      ["rdp with a cookie", "login, an attempt; no evidence"],
      ["rdp that was refused while negotiating", "ignored: failed-request"],
      ["rdp without a cookie", "ignored: not-a-login, it names no account"],
      ["ssh, smb_mapping", "ignored: not-a-login, they name no account and so are nobody's"],
      ["dce_rpc, conn and all others", "ignored: not-a-login"],
      ["lines that begin with `#`", "ignored: header"],
    ],
  },
});

export const zeek: Format = {
  ...json,
  recognises: (bytes, start, end) =>
    bytes[start] === OPEN_BRACE
      ? json.recognises(bytes, start, end)
      : BEGINNING.test(bytes.toString("latin1", start, Math.min(end, start + BEGINNING_BYTES))),
  createDecoder: (options) => new ZeekDecoder(json.createDecoder(options)),
  timeMs: zeekTimeMs,
};

class ZeekDecoder implements Decoder {
  readonly #json: Decoder;
  readonly #tsv = new ZeekTsvReader();
  readonly #record = new LoginRecord();

  constructor(jsonDecoder: Decoder) {
    this.#json = jsonDecoder;
  }

  decode(bytes: Buffer, start: number, end: number): Decoded {
    if (bytes[start] === OPEN_BRACE) return this.#json.decode(bytes, start, end);
    const line = this.#tsv.read(bytes.toString("utf8", start, end));
    if ("kind" in line) return line;
    const log = line.log || logByField((name) => line.names.has(name));
    const reading = readingOf({ log, field: (name) => textOf(line.field(name)) });
    return decodedOf(this.#record, reading);
  }
}

function jsonEntry(record: JsonObject): Entry {
  const field = (name: string): string => {
    const value = at(record, name) ?? at(record, name.replace(".", "_"));
    return typeof value === "boolean" ? String(value) : textOf(value);
  };
  const log = field("@stream") || field("_path");
  return { log: log.toLowerCase() || logByField((name) => field(name) !== ""), field };
}

function logByField(has: (name: string) => boolean): string {
  return Object.entries(LOGS_BY_FIELD).find(([name]) => has(name))?.[1] ?? "";
}

function readingOf(entry: Entry): Reading | NoLogin {
  if (entry.log === "ntlm") return ntlm(entry);
  if (entry.log === "kerberos") return kerberos(entry);
  return entry.log === "rdp" ? rdp(entry) : NOT_A_LOGIN;
}

function ntlm(entry: Entry): Reading | NoLogin {
  const { field } = entry;
  const user = accountOf(field("username"), field("domainname"));
  if (user === "") return NOT_A_LOGIN;
  const targetHost =
    hostOf(field("server_dns_computer_name")) ||
    hostOf(field("server_nb_computer_name")) ||
    hostOf(field("id.resp_h"));
  return { ...common(entry), kind: "login", user, targetHost, authType: "NTLM", outcome: outcomeOf(field) };
}

function kerberos(entry: Entry): Reading | NoLogin {
  const { field } = entry;
  if (!["AS", "TGS"].includes(field("request_type").toUpperCase())) return NOT_A_LOGIN;
  const error = field("error_msg");
  if (error === PREAUTH_REQUIRED) return NOT_A_LOGIN;
  const outcome = outcomeOf(field);
  if (outcome === "failure" || error !== "") return FAILED_REQUEST;
  const client = field("client");
  const slash = client.lastIndexOf("/");
  const user = slash < 0 ? accountOf(client) : accountOf(client.slice(0, slash), client.slice(slash + 1));
  if (user === "" || outcome === "unknown") return NOT_A_LOGIN;
  return { ...common(entry), kind: "evidence", user, outcome, evidence: "ticket" };
}

function rdp(entry: Entry): Reading | NoLogin {
  const { field } = entry;
  if (!RDP_RESULTS.has(field("result").toLowerCase())) return FAILED_REQUEST;
  const user = accountOf(field("cookie"));
  if (user === "") return NOT_A_LOGIN;
  return {
    ...common(entry),
    kind: "login",
    user,
    targetHost: hostOf(field("id.resp_h")),
    authType: field("security_protocol"),
    logonType: "rdp",
    outcome: "unknown",
    evidence: "none",
  };
}

function common({ log, field }: Entry): Pick<Reading, "timeMs" | "uid" | "sourceHost"> {
  const connection = field("uid");
  return {
    timeMs: zeekTimeMs(field("ts")),
    uid: connection === "" ? "" : `${log}/${connection}/${field("ts")}`,
    sourceHost: hostOf(field("id.orig_h")),
  };
}

/** `T` and `F` in columns, `true` and `false` in JSON. */
function outcomeOf(field: Entry["field"]): Outcome {
  const text = field("success").toLowerCase();
  if (text === "t" || text === "true") return "success";
  return text === "f" || text === "false" ? "failure" : "unknown";
}

function zeekTimeMs(text: string): number {
  if (!/^\d{1,16}(?:\.\d*)?$/.test(text)) return isoTimeMs(text);
  const number = Number(text);
  return Math.floor(number > SECONDS_MAX ? number : number * 1000);
}

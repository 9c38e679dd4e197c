import type { Buffer } from "node:buffer";
import { type Decoded, ignored, type NoLogin, rejected } from "../decoded.ts";
import { accountOf, hostOf, isoTimeMs } from "../names.ts";
import type { Decoder, Format, FormatOptions } from "./format.ts";
import { decodedOf, type Reading } from "./json-format.ts";
import { LoginRecord } from "./login-record.ts";

const DAY_MS = 86_400_000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const JANUARY = 0;
const DECEMBER = 11;
/** So much of a line tells whether it is syslog. */
const BEGINNING_BYTES = 64;

const DAY_TIME = `(?:${MONTHS.join("|")}) [ \\d]?\\d \\d\\d:\\d\\d:\\d\\d`;
const ISO_TIME = "\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d:\\d\\d(?:[.,]\\d{1,9})?(?:Z|[+-]\\d\\d:?\\d\\d)?";
/** Priority and version are there where a line came over the network: RFC 5424 has a version, RFC 3164 none. */
export const BEGINNING = new RegExp(`^(?:<\\d{1,3}>(1 )?)?(${DAY_TIME}|${ISO_TIME}) (?=\\S)`);
const IN_YEAR = /^(\w{3}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)$/;
/** Host, process and what it says. */
const REST = /^(\S+) sshd(?:-session|-auth)?(?:\[\d+\])?: (.*)$/s;
/** The same in RFC 5424: host, process, its number, a message id, structured data, and what it says. */
const REST_5424 = /^(\S+) sshd(?:-session|-auth)? \S+ \S+ (?:-|(?:\[(?:[^\]\\]|\\.)*\])+) \ufeff?(.*)$/s;
const REPEATED = /^message repeated \d+ times: \[ (.*)\]$/s;
/** Clients name accounts as they like, blanks and ` from ` among it: what counts is the last source. */
const ATTEMPT =
  /^(Accepted|Failed) (\S+) for (?:invalid user )?(.*) from (\S+) port \d+(?: ssh\d?)?(?:: .*)?$/s;
const PAM_FAILURE = /^(?:pam_\w+\(sshd[^)]*\): authentication failure|PAM \d+ more authentication failure)/;
const SESSION_CLOSED = /^pam_\w+\(sshd[^)]*\): session closed /;
/** What sshd writes where it has no address. */
const NO_ADDRESS = "UNKNOWN";

const NOT_A_LOGIN = ignored("not-a-login");
const LOG_OFF = ignored("log-off");
const CREDENTIAL_CHECK = ignored("credential-check");
const FAILED_REQUEST = ignored("failed-request");
const NOT_SYSLOG = rejected("unknown-format", "the line does not begin with a time as syslog writes it");

export const sshd: Format = {
  name: "sshd",
  page: {
    title: "sshd in syslog",
    about:
      "Lines of OpenSSH's `sshd` and `sshd-session` in `auth.log` or `secure`, with the time of RFC 3164 (`Mar 27 13:06:56`) or of RFC 3339, and messages of RFC 5424. RFC 3164 says neither year nor zone: the year is `input.syslogYear`, else this one, or the one before if that lies more than a day ahead of now; from December to January it counts up. A run that goes on after a restart begins with that year again: after a New Year set it anew. Of logs older than a year it must be set.",
    recognisedBy: "the time of syslog at its beginning; lines of other processes too",
    fields: {
      time: "as said above; without a zone it is UTC",
      user: "the account's name at the host that wrote the line; `name@domain` and `DOMAIN\\name` where the client says one",
      "target user": "the user",
      "source host": "the address after the last `from`; loopback is the host itself",
      "target host": "the host that wrote the line",
      "auth type": "the method: `password`, `publickey`, …",
      "logon type": "ssh",
      outcome: "Accepted: success; Failed: failure",
      uid: "none",
      names:
        "small letters; of domains and hosts the first label; accounts that do not exist are accounts of the host as well",
    },
    records: [
      [
        "Accepted, Failed",
        "login; no evidence, by key neither: a key shows that its file is there, not its owner",
      ],
      ["message repeated N times: [ Failed … ]", "one login: how often it was repeated can't be expressed"],
      ["Failed none", "ignored: failed-request, clients ask so which methods there are"],
      ["Accepted or Failed for an empty name", "ignored: not-a-login, it names no account"],
      ["authentication failure of PAM", "ignored: credential-check, it is the failed login once more"],
      ["session closed", "ignored: log-off"],
      [
        "Invalid user, maximum authentication attempts exceeded, Connection closed, Partial and all others",
        "ignored: not-a-login",
      ],
      ["lines of other processes", "ignored: not-a-login"],
    ],
  },
  recognises: (bytes, start, end) =>
    BEGINNING.test(bytes.toString("latin1", start, Math.min(end, start + BEGINNING_BYTES))),
  createDecoder: (options) => new SshdDecoder(options),
  timeMs: (text, options) =>
    /^\d{1,16}$/.test(text) ? Number(text) : new SyslogClock(options.syslogYear).timeMs(text),
};

/** Gives the times of syslog their year, line after line. */
export class SyslogClock {
  #year: number | undefined;
  readonly #nowMs: number;
  #month = -1;

  constructor(year: number | undefined, nowMs: number = Date.now()) {
    this.#year = year;
    this.#nowMs = nowMs;
  }

  /** Milliseconds since the epoch; NaN if it can't be read. */
  timeMs(text: string): number {
    const [, name, day, hour, minute, second] = IN_YEAR.exec(text) ?? [];
    if (name === undefined) return isoTimeMs(text);
    const month = MONTHS.indexOf(name);
    const timeIn = (year: number): number => {
      const timeMs = Date.UTC(year, month, Number(day), Number(hour), Number(minute), Number(second));
      return new Date(timeMs).getUTCDate() === Number(day) ? timeMs : Number.NaN;
    };
    if (month < 0) return Number.NaN;
    this.#year ??= yearOf(timeIn, this.#nowMs);
    // A line of the old year that comes late, after the first of the new one.
    if (this.#month === JANUARY && month === DECEMBER) return timeIn(this.#year - 1);
    if (this.#month === DECEMBER && month === JANUARY) this.#year++;
    this.#month = month;
    return timeIn(this.#year);
  }
}

function yearOf(timeIn: (year: number) => number, nowMs: number): number {
  const year = new Date(nowMs).getUTCFullYear();
  return timeIn(year) > nowMs + DAY_MS ? year - 1 : year;
}

class SshdDecoder implements Decoder {
  readonly #clock: SyslogClock;
  readonly #record = new LoginRecord();

  constructor({ syslogYear }: FormatOptions) {
    this.#clock = new SyslogClock(syslogYear);
  }

  decode(bytes: Buffer, start: number, end: number): Decoded {
    const line = bytes.toString("utf8", start, end).trimEnd();
    const [beginning, version, time] = BEGINNING.exec(line) ?? [];
    if (beginning === undefined || time === undefined) return NOT_SYSLOG;
    // Of lines that are ignored too: one of them may be the first of the year.
    const timeMs = this.#clock.timeMs(time);
    const rest = version === undefined ? REST : REST_5424;
    const [, host, text] = rest.exec(line.slice(beginning.length)) ?? [];
    if (host === undefined || text === undefined) return NOT_A_LOGIN;
    const reading = readingOf(timeMs, hostOf(host), REPEATED.exec(text)?.[1] ?? text);
    return decodedOf(this.#record, reading);
  }
}

function readingOf(timeMs: number, here: string, text: string): Reading | NoLogin {
  const [, result, method, name, source] = ATTEMPT.exec(text) ?? [];
  if (result === undefined) {
    if (PAM_FAILURE.test(text)) return CREDENTIAL_CHECK;
    return SESSION_CLOSED.test(text) ? LOG_OFF : NOT_A_LOGIN;
  }
  if (result === "Failed" && method === "none") return FAILED_REQUEST;
  const account = accountOf(name);
  if (account === "") return NOT_A_LOGIN;
  return {
    kind: "login",
    timeMs,
    // Not by `accountOf`: the host may be an address, which has no first label.
    user: account.includes("@") || here === "" ? account : `${account}@${here}`,
    sourceHost: source === NO_ADDRESS ? "" : hostOf(source, here),
    targetHost: here,
    authType: method ?? "",
    logonType: "ssh",
    outcome: result === "Accepted" ? "success" : "failure",
    evidence: "none",
  };
}

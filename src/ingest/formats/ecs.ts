import type { Buffer } from "node:buffer";
import { ignored, type NoLogin } from "../decoded.ts";
import { OUTCOMES } from "../login.ts";
import { accountOf, hostOf, isoTimeMs, textOf, wholeNameOf } from "../names.ts";
import type { Format } from "./format.ts";
import { isObject, type JsonFormat, type JsonObject, jsonFormat } from "./json-format.ts";
import { windows } from "./windows.ts";

const AUTHENTICATION = "authentication";
/** What a login is, and what an attempt at one may be. */
const BEGINNINGS: readonly string[] = ["start", "info"];
/** Copies of an event as a detection quotes it have another kind. */
const EVENT = "event";
/** Auditbeat and Elastic Agent: one login of Linux is half a dozen records of this category, and one of `sudo` nearly as many. */
const AUDITD = "auditd";
/** The records that stand for the whole, by what Auditbeat and by what Filebeat calls them. */
const AUDITD_LOGINS: readonly string[] = ["logged-in", "user_login"];
const AUDITD_ENDS: readonly string[] = ["logged-out", "ended-session", "user_logout", "user_end"];
/** Modules that read the logs of a host whose accounts are its own, as the lines of sshd's own log are read. */
const LOCAL_MODULES: ReadonlySet<string> = new Set(["system", AUDITD]);
/** What Filebeat calls sshd's `Invalid user`, which a failed attempt follows. */
const INVALID = "invalid";
/** How a client of ssh asks which methods there are. */
const NO_METHOD = "none";

const LOG_OFF = ignored("log-off");
const CREDENTIAL_CHECK = ignored("credential-check");
const FAILED_REQUEST = ignored("failed-request");
const NOT_A_LOGIN = ignored("not-a-login");

const definition: JsonFormat = {
  name: "ecs",
  marks: ['"ecs":', '"ecs.version"', '"event.category"'],
  read(outer) {
    const inner = outer["_source"];
    const record = isObject(inner) ? inner : outer;
    const why = whyNoLogin(record);
    if (why !== undefined) return why;
    const targetHost =
      hostAt(record, "destination", ["domain", "address", "ip"]) ||
      hostAt(record, "host", ["hostname", "name"]) ||
      hostAt(record, "observer", ["hostname", "name"]) ||
      wholeNameOf(first(record, "service.name")) ||
      wholeNameOf(first(record, "event.module"));
    const domain = LOCAL_MODULES.has(smallOf(record, "event.module")) ? targetHost : "";
    const target = accountAt(record, "user.target", domain) || accountAt(record, "user.effective", domain);
    const user = accountAt(record, "user", domain);
    const said = smallOf(record, "event.outcome");
    return {
      kind: "login",
      timeMs: isoTimeMs(first(record, "@timestamp")),
      user: accountAt(record, "source.user", domain) || user || target,
      targetUser: target || user,
      sourceHost:
        hostAt(record, "source", ["domain", "address", "ip"], targetHost) ||
        hostAt(record, "client", ["domain", "address", "ip"], targetHost),
      targetHost,
      authType: textOf(first(record, "system.auth.ssh.method")),
      outcome: OUTCOMES.find((outcome) => outcome === said) ?? "unknown",
      evidence: "none",
      uid: textOf(first(record, "event.id")) || textOf(outer["_id"]),
    };
  },
  page: {
    title: "ECS",
    about:
      "Logins in the Elastic Common Schema, as Filebeat, Auditbeat and Elastic Agent write them: keys nested or with dots, lists or a single text, and hits of a search with the record in `_source`. Windows events of Winlogbeat are read as Windows Security events, as they say more.",
    recognisedBy: "`ecs`, `ecs.version` or `event.category` among its keys, and nothing of Windows",
    fields: {
      time: "`@timestamp`; without a zone it is UTC",
      user: "`source.user`, else `user`: `name` with `domain`, else `email`, else `id`; a name without a domain is of the target host where `event.module` is `system` or `auditd`",
      "target user": "`user.target`, else `user.effective`, else `user`",
      "source host":
        "`source`, else `client`: `domain`, `address` or `ip`; loopback is the target host itself",
      "target host":
        "`destination`: `domain`, `address` or `ip`; else `host`, else `observer`: `hostname` or `name`; else `service.name`, else `event.module`, which a cloud service goes by",
      "auth type": "`system.auth.ssh.method`; the schema has no field for it",
      "logon type": "none: the schema has no field for it",
      outcome: "`event.outcome`, else unknown",
      uid: "`event.id`, else `_id` of a hit",
      names: "small letters; hosts by their first label; an e-mail address and the name of a service whole",
    },
    records: [
      [
        "`event.category` authentication with `event.type` start, or info as an attempt",
        "login; no evidence: the schema does not say how the person was known",
      ],
      ["authentication with `event.type` end", "ignored: log-off"],
      [
        "of auditd all actions but `logged-in` (`user_login`)",
        "ignored: log-off for `logged-out` and `ended-session`, credential-check for the steps of a login or of sudo",
      ],
      [
        "an attempt of ssh by the method `none`",
        "ignored: failed-request, clients ask so which methods there are",
      ],
      [
        "sshd's `Invalid user`, which a failed attempt follows; other categories and types, such as sudo and changes of accounts; `event.kind` other than event, such as the copy in a detection",
        "ignored: not-a-login",
      ],
    ],
  },
};

const json = jsonFormat(definition);

/** Winlogbeat 7 writes ECS too. */
export const ecs: Format = {
  ...json,
  recognises: (bytes: Buffer, start, end) =>
    json.recognises(bytes, start, end) && !windows.recognises(bytes, start, end),
};

function whyNoLogin(record: JsonObject): NoLogin | undefined {
  if (!["", EVENT].includes(smallOf(record, "event.kind"))) return NOT_A_LOGIN;
  if (!listOf(record, "event.category").includes(AUTHENTICATION)) return NOT_A_LOGIN;
  const types = listOf(record, "event.type");
  if (types.includes("end")) return LOG_OFF;
  if (!BEGINNINGS.some((type) => types.includes(type))) return NOT_A_LOGIN;
  if (smallOf(record, "event.module").startsWith(AUDITD)) {
    const action = smallOf(record, "event.action");
    if (AUDITD_ENDS.includes(action)) return LOG_OFF;
    if (!AUDITD_LOGINS.includes(action)) return CREDENTIAL_CHECK;
  }
  if (smallOf(record, "system.auth.ssh.event") === INVALID) return NOT_A_LOGIN;
  return smallOf(record, "system.auth.ssh.method") === NO_METHOD ? FAILED_REQUEST : undefined;
}

/** The value at a path, nested or with dots, or both; the schema knows no capitals, so that keys need not be looked for in them. */
function atExactly(record: JsonObject, path: string): unknown {
  if (Object.hasOwn(record, path)) return record[path];
  for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1)) {
    const key = path.slice(0, dot);
    const inner = Object.hasOwn(record, key) ? record[key] : undefined;
    const found = isObject(inner) ? atExactly(inner, path.slice(dot + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Texts of a list in small letters; a single text is a list of one. */
function listOf(record: JsonObject, path: string): readonly string[] {
  const value = atExactly(record, path);
  return (Array.isArray(value) ? value : [value]).map((one: unknown) => textOf(one).toLowerCase());
}

/** The value at a path, of a list the first. */
function first(record: JsonObject, path: string): unknown {
  const value = atExactly(record, path);
  return Array.isArray(value) ? (value as readonly unknown[])[0] : value;
}

function smallOf(record: JsonObject, path: string): string {
  return textOf(first(record, path)).toLowerCase();
}

/** @param domain that of a name that says none */
function accountAt(record: JsonObject, path: string, domain: string): string {
  const name = ["name", "email", "id"].map((key) => smallOf(record, `${path}.${key}`)).find((text) => text);
  if (name === undefined) return "";
  // The domain of an address is no label of a Windows domain.
  return name.includes("@") ? name : accountOf(name, textOf(first(record, `${path}.domain`)) || domain);
}

function hostAt(record: JsonObject, path: string, keys: readonly string[], here = ""): string {
  for (const key of keys) {
    const host = hostOf(first(record, `${path}.${key}`), here);
    if (host !== "") return host;
  }
  return "";
}

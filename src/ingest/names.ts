import { isIP } from "node:net";

/** What sources write where they have nothing to say. */
const ABSENT: ReadonlySet<string> = new Set([
  "",
  "-",
  "?",
  "(empty)",
  "null",
  "s-1-0-0",
  "00000000-0000-0000-0000-000000000000",
  "{00000000-0000-0000-0000-000000000000}",
]);

const V4_IN_V6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;
const LINK_LOCAL = /^fe[89ab][0-9a-f]:/;
const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|0:0:0:0:0:0:0:1|localhost)$/;

/** The text of a field that is a text or a number, trimmed; empty if it is neither, or stands for "absent". */
export function textOf(value: unknown): string {
  const text = typeof value === "number" ? String(value) : typeof value === "string" ? value.trim() : "";
  return ABSENT.has(text.toLowerCase()) ? "" : text;
}

/**
 * A host as the graph knows it: of a name the first label, in small letters, as one host is written with its domain or without; an address as it is,
 * IPv4 out of IPv6. Empty for an address that names nobody outside its segment. Loopback is `here`.
 *
 * @param here name of the host that wrote the record, as this function gives it
 */
export function hostOf(value: unknown, here = ""): string {
  // UNC paths and some 4776 records begin with backslashes; an IPv6 address may have a zone.
  const text = textOf(value).toLowerCase().replace(/^\\+/, "").replace(/%.*$/s, "");
  const address = V4_IN_V6.exec(text)?.[1] ?? text;
  if (LOOPBACK.test(address)) return here;
  if (isIP(address) !== 0) return LINK_LOCAL.test(address) ? "" : address;
  return address.split(".", 1)[0]!;
}

/**
 * An account as the graph knows it: `name@domain` in small letters, of the domain the first label; the name alone where nobody says the domain.
 * Reads `DOMAIN\name` and `name@domain` too. Machine accounts keep their `$`. Empty without a name.
 */
export function accountOf(name: unknown, domain: unknown = ""): string {
  const text = textOf(name).toLowerCase();
  if (text === "") return "";
  const slash = text.lastIndexOf("\\");
  const at = text.lastIndexOf("@");
  const [plain, own] =
    slash >= 0
      ? [text.slice(slash + 1), text.slice(0, slash)]
      : at > 0
        ? [text.slice(0, at), text.slice(at + 1)]
        : [text, textOf(domain).toLowerCase()];
  const label = own.split(".", 1)[0]!;
  if (plain === "") return "";
  return label === "" ? plain : `${plain}@${label}`;
}

/**
 * A name in small letters, whole: of an application, which is no host whose domain could be cut off, or of an account of the cloud, whose e-mail address
 * has no label of a Windows domain.
 */
export function wholeNameOf(value: unknown): string {
  return textOf(value).toLowerCase();
}

const ZONELESS = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d+))?$/;
const ZONED = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d+))?\s*(Z|UTC|[+-]\d\d:?\d\d)$/i;

/** Milliseconds since the epoch of an ISO 8601 time of any precision; NaN if it is none. What has no zone is UTC. */
export function isoTimeMs(value: unknown): number {
  const text = textOf(value);
  const [, day, clock, fraction = "", zone = "Z"] = ZONED.exec(text) ?? ZONELESS.exec(text) ?? [];
  if (day === undefined) return Number.NaN;
  const offset = /^(?:z|utc)$/i.test(zone) ? "Z" : zone.replace(/^(...)(\d\d)$/, "$1:$2");
  return Date.parse(`${day}T${clock}.${fraction.slice(0, 3).padEnd(3, "0")}${offset}`);
}

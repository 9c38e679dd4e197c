import type { DetectionFinding, Endpoint } from "./detection-finding.ts";

const VERSION = 0;
/** Longest message that the format allows, in characters. */
const MESSAGE_MAX = 1023;
/** OCSF's severities run from 1 to 5, those here to 10. */
const PER_SEVERITY = 2;

/**
 * A finding as one line of ArcSight's Common Event Format, for collectors of syslog. Names of fields are those of its dictionary: `suser` acts, `duser`
 * is logged in, `externalId` is the alert's uid, `cs1` to `cs4` are incident, signal, score and what looks like it.
 */
export function toCef(finding: DetectionFinding): string {
  const { finding_info: info, metadata } = finding;
  const [{ actor, user, src_endpoint: source, dst_endpoint: destination, data }] = finding.evidences;
  const { name, vendor_name, version } = metadata.product;
  const severity = String(Math.min(10, finding.severity_id * PER_SEVERITY));
  const header = [`CEF:${VERSION}`, vendor_name, name, version, info.analytic.uid, info.title, severity].map(
    headerText,
  );
  const extension: readonly (readonly [key: string, value: unknown])[] = [
    ["rt", finding.time],
    ["start", finding.start_time],
    ["end", finding.end_time],
    ["externalId", metadata.uid],
    ["cat", "authentication"],
    ["outcome", data["outcome"]],
    ["cnt", finding.count],
    ["suser", actor?.user.name],
    ["duser", user?.name],
    ...endpointFields(source, "src", "shost", 2, "Source"),
    ...endpointFields(destination, "dst", "dhost", 3, "Destination"),
    ["cs1Label", "incident"],
    ["cs1", info.uid],
    ["cs2Label", "signal"],
    ["cs2", info.analytic.name],
    ["cs3Label", "score"],
    ["cs3", data["score"]],
    ["cs4Label", "techniques"],
    ["cs4", info.attacks.map(({ technique, sub_technique }) => (sub_technique ?? technique).uid).join(" ")],
    ["msg", finding.message.slice(0, MESSAGE_MAX)],
  ];
  const fields = extension
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([key, value]) => `${key}=${extensionText(String(value))}`);
  return `${header.join("|")}|${fields.join(" ")}`;
}

/** An address of IPv6 has a field of its own. */
function endpointFields(
  endpoint: Endpoint | undefined,
  address: string,
  host: string,
  addressV6: number,
  label: string,
): (readonly [string, string])[] {
  if (endpoint === undefined) return [];
  if (!("ip" in endpoint)) return [[host, endpoint.hostname]];
  return endpoint.ip.includes(":")
    ? [
        [`c6a${addressV6}Label`, `${label} IPv6 Address`],
        [`c6a${addressV6}`, endpoint.ip],
      ]
    : [[address, endpoint.ip]];
}

function headerText(text: string): string {
  return oneLine(text).replace(/[\\|]/g, "\\$&");
}

function extensionText(text: string): string {
  return oneLine(text).replace(/[\\=]/g, "\\$&");
}

/** Names may hold anything: a line break would begin an event of its own. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ");
}

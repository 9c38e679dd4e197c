import { isClosing } from "./closing.ts";
import type { Attack, DetectionFinding, Endpoint, Evidence, User } from "./detection-finding.ts";

/** Version of the Elastic Common Schema that the fields are of. */
export const ECS_VERSION = "9.4.0";
const FRAMEWORK = "MITRE ATT&CK";

interface EcsUser {
  readonly name: string;
  readonly domain?: string;
}

/** `address` is the login's own word; `ip` takes addresses only, and `domain` takes names. */
interface EcsEndpoint {
  readonly address: string;
  readonly ip?: string;
  readonly domain?: string;
}

interface IdsAndNames {
  readonly id: readonly string[];
  readonly name: readonly string[];
}

/** The part of the Elastic Common Schema that an alert has; field names are its own. */
export interface EcsSignal {
  readonly "@timestamp": string;
  readonly ecs: { readonly version: string };
  readonly message: string;
  readonly tags: readonly string[];
  /** Texts: the schema has no fields for these. */
  readonly labels: Readonly<Record<string, string>>;
  readonly event: {
    readonly kind: "signal";
    readonly category: readonly ["authentication"];
    readonly type: readonly ["start" | "end"];
    readonly action: "odd-login" | "incident-closed";
    readonly id: string;
    readonly module: "oddlink";
    readonly dataset: "oddlink.alerts";
    readonly provider: "oddlink";
    readonly outcome: string;
    readonly reason: string;
    readonly severity: number;
    readonly risk_score: number;
    readonly risk_score_norm: number;
    readonly created?: string;
    readonly start?: string;
    readonly end?: string;
  };
  readonly rule: {
    readonly id: string;
    readonly name: string;
    readonly description: string;
    readonly ruleset: "oddlink";
    readonly version?: string;
  };
  readonly user?: EcsUser & { readonly target?: EcsUser };
  readonly source?: EcsEndpoint;
  readonly destination?: EcsEndpoint;
  readonly host?: { readonly name: string };
  readonly related: {
    readonly user?: readonly string[];
    readonly hosts?: readonly string[];
    readonly ip?: readonly string[];
  };
  readonly threat: {
    readonly framework: string;
    readonly tactic: IdsAndNames;
    readonly technique: IdsAndNames & { readonly subtechnique?: IdsAndNames };
  };
}

/**
 * A finding as an alert of the Elastic Common Schema: `event.kind` signal, of category authentication. What the schema has no field for, and a search
 * wants, is among the labels: the incident and how many alerts it has, score, threshold and signal.
 *
 * A pure function, and the order of keys is that of the code: equal input gives equal JSON, byte for byte.
 */
export function toEcsSignal(finding: DetectionFinding): EcsSignal {
  const { finding_info: info, metadata } = finding;
  const [{ actor, user: target, src_endpoint: source, dst_endpoint: destination, data }] = finding.evidences;
  return {
    "@timestamp": timeText(finding.time),
    ecs: { version: ECS_VERSION },
    message: finding.message,
    tags: ["oddlink", ...(metadata.labels ?? []), ...(finding.status_id === 3 ? ["suppressed"] : [])],
    labels: {
      signal: info.analytic.name,
      detector: String(data["detector"]),
      ...labelsOf({ score: data["score"], threshold: data["threshold"] }),
      incident: info.uid,
      incident_alerts: String(finding.count),
      is_first: String(finding.is_alert),
      confidence: finding.confidence,
      ...labelsOf({ auth_type: data["authType"], logon_type: data["logonType"] }),
      original_event: metadata.original_event_uid,
      ...comparedLabels(data),
      ...(finding.status_detail !== undefined && { status_detail: finding.status_detail }),
    },
    event: {
      kind: "signal",
      category: ["authentication"],
      type: [isClosing(finding) ? "end" : "start"],
      action: isClosing(finding) ? "incident-closed" : "odd-login",
      id: metadata.uid,
      module: "oddlink",
      dataset: "oddlink.alerts",
      provider: "oddlink",
      outcome: String(data["outcome"] ?? "unknown"),
      reason: info.title,
      severity: finding.severity_id,
      risk_score: finding.risk_score,
      risk_score_norm: finding.risk_score,
      ...(metadata.processed_time !== undefined && { created: timeText(metadata.processed_time) }),
      ...(finding.start_time !== undefined && { start: timeText(finding.start_time) }),
      ...(finding.end_time !== undefined && { end: timeText(finding.end_time) }),
    },
    rule: {
      id: info.analytic.uid,
      name: `oddlink ${info.analytic.name}`,
      description: info.analytic.desc,
      ruleset: "oddlink",
      ...(info.analytic.version !== undefined && { version: info.analytic.version }),
    },
    ...usersOf(actor?.user, target),
    ...(source && { source: endpointOf(source) }),
    ...(destination && { destination: endpointOf(destination) }),
    ...(destination && !("ip" in destination) && { host: { name: destination.hostname } }),
    related: relatedOf([actor?.user, target], [source, destination]),
    threat: threatOf(info.attacks),
  };
}

/** Of what is there: what closes an incident is about no login. */
function labelsOf(values: Readonly<Record<string, unknown>>): Record<string, string> {
  const there = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(there.map(([name, value]) => [name, String(value)]));
}

/** The sentences that an alert has about what it was held against. */
function comparedLabels({
  nearestLogin,
  expectedPeers,
  lastSeen,
}: Evidence["data"]): Readonly<Record<string, string>> {
  const all = { nearest_login: [nearestLogin], expected_peers: expectedPeers, last_seen: lastSeen };
  return Object.fromEntries(
    Object.entries(all).flatMap(([label, told]) => {
      const texts = (Array.isArray(told) ? told : []).flatMap(
        (one: { text?: string } | undefined) => one?.text ?? [],
      );
      return texts.length === 0 ? [] : [[label, texts.join("; ")]];
    }),
  );
}

/** Who acts is the user; who is logged in stands beside it if that is another. */
function usersOf(actor: User | undefined, target: User | undefined): Pick<EcsSignal, "user"> {
  const user = actor ?? target;
  if (user === undefined) return {};
  const other = target !== undefined && target.name !== user.name ? { target: userOf(target) } : {};
  return { user: { ...userOf(user), ...other } };
}

function userOf({ name, domain }: User): EcsUser {
  return { name, ...(domain !== undefined && { domain }) };
}

function endpointOf(endpoint: Endpoint): EcsEndpoint {
  return "ip" in endpoint
    ? { address: endpoint.name, ip: endpoint.ip }
    : { address: endpoint.name, domain: endpoint.hostname };
}

function relatedOf(
  users: readonly (User | undefined)[],
  endpoints: readonly (Endpoint | undefined)[],
): EcsSignal["related"] {
  const there = endpoints.filter((endpoint) => endpoint !== undefined);
  const user = distinct(users.flatMap((one) => (one === undefined ? [] : [one.name])));
  const hosts = distinct(there.flatMap((one) => ("ip" in one ? [] : [one.hostname])));
  const ip = distinct(there.flatMap((one) => ("ip" in one ? [one.ip] : [])));
  return {
    ...(user.length > 0 && { user }),
    ...(hosts.length > 0 && { hosts }),
    ...(ip.length > 0 && { ip }),
  };
}

function threatOf(attacks: readonly Attack[]): EcsSignal["threat"] {
  const subtechniques = attacks.flatMap(({ sub_technique }) => sub_technique ?? []);
  return {
    framework: FRAMEWORK,
    tactic: idsAndNames(attacks.map(({ tactic }) => tactic)),
    technique: {
      ...idsAndNames(attacks.map(({ technique }) => technique)),
      ...(subtechniques.length > 0 && { subtechnique: idsAndNames(subtechniques) }),
    },
  };
}

/** In parallel lists, each technique once. */
function idsAndNames(named: readonly { readonly uid: string; readonly name: string }[]): IdsAndNames {
  const names = new Map(named.map(({ uid, name }) => [uid, name]));
  return { id: [...names.keys()], name: [...names.values()] };
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

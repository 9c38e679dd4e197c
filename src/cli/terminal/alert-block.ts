import { COMPARED } from "../../alerts/anomaly.ts";
import { oddsText, scoreText } from "./numbers.ts";
import { nameText, sentenceText } from "./outside-text.ts";
import { type Paint, painted, type Screen, screenOf } from "./screen.ts";
import { wrapped } from "./wrap.ts";

/** As many as are read in a minute; the finding holds them all. */
const REASONS_MAX = 3;
const USUAL_LINES_MAX = 2;
const USUAL_VALUES_MAX = 3;
const NEXT_STEPS_LENGTH_MAX = 200;
const UID_LENGTH = 8;

const SEVERITIES: ReadonlyMap<unknown, readonly [word: string, paint: Paint]> = new Map([
  [1, ["INFORMATIONAL", "dim"]],
  [2, ["LOW", "cyan"]],
  [3, ["MEDIUM", "yellow"]],
  [4, ["HIGH", "red"]],
  [5, ["CRITICAL", "red"]],
  [6, ["FATAL", "red"]],
]);

type Observed = {
  readonly observation_parameter?: unknown;
  readonly observation_type?: unknown;
  readonly observed_pattern?: unknown;
  readonly observations?: readonly { readonly value?: unknown; readonly count?: unknown }[];
};
type Endpoint = { readonly hostname?: string; readonly name?: string; readonly ip?: string };

/**
 * The fields of an OCSF Detection Finding (class 2004) that are shown. All may be missing and those of `data` may be anything:
 * findings also come from files that somebody else has written.
 */
export type FindingView = {
  readonly time?: number;
  readonly severity_id?: number;
  readonly count?: number;
  readonly message?: string;
  readonly finding_info?: {
    readonly uid?: string;
    readonly title?: string;
    readonly analytic?: { readonly name?: string; readonly version?: string };
  };
  readonly evidences?: readonly {
    readonly actor?: { readonly user?: { readonly name?: string } };
    readonly user?: { readonly name?: string };
    readonly src_endpoint?: Endpoint;
    readonly dst_endpoint?: Endpoint;
    readonly data?: Readonly<Record<string, unknown>>;
  }[];
  readonly anomaly_analyses?: readonly { readonly baselines?: readonly Observed[] }[];
  readonly remediation?: { readonly desc?: string };
};

/**
 * One alert as a block of six to ten lines, wrapped to the width of a terminal and left whole in a file:
 *
 *   2015-01-02 17:57:16 UTC  HIGH  presence  score 3.2e-7, one login in 3,100,000
 *     alice as root -> C17693 -> C305 (NTLM, Network, success)
 *     1. why
 *     2. why else
 *     usual for user alice: sourceHost C1 (900), C2 (303)
 *     nearest normal login: the same account from C1 to the same host, at most 900 times, ...
 *     next: what to do
 *     finding 3f2a9c1d, epoch 2, presence 3.2e-7, surprise 0.0031
 *
 * @returns lines joined by line breaks, none at the end
 */
export function renderAlert(finding: FindingView, screen: Screen = screenOf(process.stdout)): string {
  const { score, threshold } = dataOf(finding);
  const head = [timeText(finding.time), severityText(finding, screen), signalText(finding, screen)];
  const isBelow = typeof threshold === "number" ? `, threshold ${scoreText(threshold)}` : "";
  // A presence alert is raised by a rule: its score orders, but is no share of logins.
  const isRule = finding.finding_info?.analytic?.name === "presence";
  head.push(`${isRule ? `score ${scoreText(numberOf(score))}` : scoreAndOdds(score)}${isBelow}`);
  const body = [
    painted(screen, "bold", routeText(finding)),
    ...reasonLines(finding),
    ...usualLines(finding),
    ...nearestLines(finding),
    ...nextLines(finding),
    painted(screen, "dim", originText(finding)),
  ];
  return [head.join("  "), ...body.map((line) => wrapped(line, screen, 2))].join("\n");
}

/** A later alert of an incident already shown, in one line. */
export function renderRepeatedAlert(finding: FindingView, screen: Screen = screenOf(process.stdout)): string {
  const count = countOf(finding);
  return [
    timeText(finding.time),
    severityText(finding, screen),
    signalText(finding, screen),
    routeText(finding),
    `score ${scoreText(numberOf(dataOf(finding).score))}`,
    painted(screen, "dim", `alert ${count ?? "?"} of finding ${uidText(finding)}`),
  ].join("  ");
}

function dataOf(finding: FindingView): Readonly<Record<string, unknown>> {
  return finding.evidences?.[0]?.data ?? {};
}

/** `2015-01-02 17:57:16 UTC`. */
function timeText(time: unknown): string {
  const date = new Date(numberOf(time));
  if (Number.isNaN(date.getTime())) return "time unknown";
  return `${date
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "")} UTC`;
}

function severityText({ severity_id }: FindingView, screen: Screen): string {
  const [word, paint] = SEVERITIES.get(severity_id) ?? ["UNKNOWN", "dim" as const];
  return painted(screen, paint, word);
}

function signalText({ finding_info }: FindingView, screen: Screen): string {
  return painted(screen, "bold", nameText(finding_info?.analytic?.name));
}

function scoreAndOdds(score: unknown): string {
  const number = numberOf(score);
  return Number.isNaN(number) ? "score unknown" : `score ${scoreText(number)}, ${oddsText(number)}`;
}

/** Who -> from where -> to where, and how. */
function routeText(finding: FindingView): string {
  const evidence = finding.evidences?.[0];
  const who = nameText(evidence?.actor?.user?.name);
  const target = evidence?.user?.name;
  const as = target === undefined || target === evidence?.actor?.user?.name ? "" : ` as ${nameText(target)}`;
  const { authType, logonType, outcome } = dataOf(finding);
  const how = [authType, logonType, outcome === "unknown" ? "outcome unknown" : outcome]
    .filter((word) => typeof word === "string" && word !== "")
    .map(nameText);
  const manner = how.length === 0 ? "" : ` (${how.join(", ")})`;
  return `${who}${as} -> ${hostText(evidence?.src_endpoint)} -> ${hostText(evidence?.dst_endpoint)}${manner}`;
}

function hostText(endpoint: Endpoint | undefined): string {
  return nameText(endpoint?.hostname ?? endpoint?.name ?? endpoint?.ip);
}

/** Numbered, the strongest first; without any, the finding's own sentence. */
function reasonLines(finding: FindingView): string[] {
  const reasons = listOf(dataOf(finding).reasons)
    .map((reason) => sentenceText((reason as { text?: unknown } | null)?.text))
    .filter((text) => text !== "");
  if (reasons.length === 0) {
    const message = sentenceText(finding.message) || sentenceText(finding.finding_info?.title);
    return message === "" ? [] : [message];
  }
  const lines = reasons.slice(0, REASONS_MAX).map((text, i) => `${i + 1}. ${text}`);
  const more = reasons.length - lines.length;
  if (more > 0) lines[lines.length - 1] += ` (and ${more} more)`;
  return lines;
}

/**
 * Baselines of the same entity in one line: the pattern names it, the parameters follow. Those without a pattern repeat
 * what a reason says, and are shown only if there are no others.
 */
function usualLines(finding: FindingView): string[] {
  const baselines = listOf(finding.anomaly_analyses?.[0]?.baselines) as readonly Observed[];
  const byPattern = new Map<string, string[]>();
  for (const baseline of baselines) {
    if (COMPARED.has(String(baseline?.observation_type))) continue;
    const pattern = sentenceText(baseline?.observed_pattern, 100) || "usual";
    const values = listOf(baseline?.observations).slice(0, USUAL_VALUES_MAX).map(observationText);
    if (values.length === 0) continue;
    const parts = byPattern.get(pattern) ?? [];
    parts.push(`${nameText(baseline.observation_parameter)} ${values.join(", ")}`);
    byPattern.set(pattern, parts);
  }
  if (byPattern.size > 1) byPattern.delete("usual");
  return [...byPattern]
    .slice(0, USUAL_LINES_MAX)
    .map(([pattern, parts]) => `${pattern}: ${parts.slice(0, USUAL_VALUES_MAX).join("; ")}`);
}

function nearestLines(finding: FindingView): string[] {
  const { nearestLogin } = dataOf(finding);
  const text = sentenceText((nearestLogin as { text?: unknown } | null | undefined)?.text);
  return text === "" ? [] : [`${text.slice(0, 1).toLowerCase()}${text.slice(1)}`];
}

function observationText(observation: unknown): string {
  const { value, count } = (observation ?? {}) as { value?: unknown; count?: unknown };
  return typeof count === "number"
    ? `${nameText(value)} (${count.toLocaleString("en-US")})`
    : nameText(value);
}

/** Whole sentences as far as they fit: half of an instruction is worse than none. */
function nextLines({ remediation }: FindingView): string[] {
  const text = sentenceText(remediation?.desc, 2 * NEXT_STEPS_LENGTH_MAX);
  if (text === "") return [];
  let steps = "";
  for (const sentence of text.split(/(?<=[.!?]) +/)) {
    if (steps !== "" && steps.length + sentence.length > NEXT_STEPS_LENGTH_MAX) break;
    steps += steps === "" ? sentence : ` ${sentence}`;
  }
  return [`next: ${steps}`];
}

/** Which finding, which model, and what each signal said. */
function originText(finding: FindingView): string {
  const { epoch, signals, learning } = dataOf(finding);
  const parts = [`finding ${uidText(finding)}`];
  const count = countOf(finding);
  if (count !== undefined && count > 1) parts.push(`alert ${count} of it`);
  const number = typeof epoch === "object" && epoch !== null ? (epoch as { number?: unknown }).number : epoch;
  const version = finding.finding_info?.analytic?.version;
  if (typeof number === "number") parts.push(`epoch ${number}`);
  else if (version !== undefined) parts.push(`epoch ${nameText(version)}`);
  if (typeof signals === "object" && signals !== null) {
    for (const [name, value] of Object.entries(signals).slice(0, 8)) {
      if (typeof value === "number") parts.push(`${nameText(name)} ${scoreText(value)}`);
    }
  }
  if (typeof learning === "string" && learning !== "")
    parts.push(`still learning: ${sentenceText(learning, 100)}`);
  return parts.join(", ");
}

function uidText({ finding_info }: FindingView): string {
  return nameText(finding_info?.uid).slice(0, UID_LENGTH);
}

function countOf({ count }: FindingView): number | undefined {
  return typeof count === "number" ? count : undefined;
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : Number.NaN;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

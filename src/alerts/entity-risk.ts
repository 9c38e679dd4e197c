import type { Graph } from "../graph-state/graph.ts";
import type { Leg, Story } from "../graph-state/stories.ts";
import { TOLD } from "./story.ts";
import type { Verdicts } from "./verdicts.ts";

export type RiskyKind = "user" | "host";

const MS_PER_DAY = 86_400_000;
/** What an incident counts for falls by half in so many days. */
export const RISK_HALF_LIFE_DAYS = 7;
/** Of one incident that nobody has answered: it alone makes nobody critical. */
const INCIDENT_WEIGHT = 0.8;
/** Incidents that are named, the newest. */
const INCIDENTS_MAX = 10;
/** Names and lower bounds of OCSF's risk_level_id, 0 to 4. */
const LEVELS = [
  ["Info", 0],
  ["Low", 20],
  ["Medium", 40],
  ["High", 70],
  ["Critical", 90],
] as const;

/** What the incidents of the window come to for an account or a host: the value of the topic `entity-risk`. */
export type EntityRisk = {
  readonly kind: RiskyKind;
  readonly name: string;
  /** 0 to 100. */
  readonly riskScore: number;
  /** OCSF's. */
  readonly riskLevelId: number;
  readonly riskLevel: string;
  /** Alerts of all these incidents, of others in them too; and uids of the newest. */
  readonly incidentAlerts: number;
  readonly incidentCount: number;
  readonly incidents: readonly string[];
  /** Event time, ms since 1970. */
  readonly lastAlertMs: number;
  readonly asOfMs: number;
};

/**
 * Risk of an account or a host by the incidents it takes part in, as source or target: the chance that one of them at least is what it looks like, if they were
 * independent and each as likely as its highest risk score says, times 0.8, and half of that for each week since. What an analyst has found benign or a
 * false positive counts for nothing, a true positive for certain.
 *
 * @returns undefined if it takes part in none
 */
export function entityRisk(
  graph: Graph,
  verdicts: Verdicts,
  kind: RiskyKind,
  name: string,
): EntityRisk | undefined {
  const { watermarkMs: asOfMs } = graph.window;
  const stories = storiesOf(graph, kind, name);
  if (stories.length === 0) return undefined;
  let harmless = 1;
  for (const { uid, risk, lastMs } of stories) {
    if (verdicts.isExcused(uid)) continue;
    const isConfirmed = verdicts.of(uid).at(-1)?.verdict === "true-positive";
    const share = isConfirmed ? 1 : (INCIDENT_WEIGHT * risk) / 100;
    const ageDays = Math.max(0, asOfMs - lastMs) / MS_PER_DAY;
    harmless *= 1 - share * 0.5 ** (ageDays / RISK_HALF_LIFE_DAYS);
  }
  const riskScore = Math.round(100 * (1 - harmless));
  const riskLevelId = LEVELS.findLastIndex(([, from]) => riskScore >= from);
  return {
    kind,
    name,
    riskScore,
    riskLevelId,
    riskLevel: LEVELS[riskLevelId]![0],
    incidentAlerts: stories.reduce((sum, { alerts }) => sum + alerts, 0),
    incidentCount: stories.length,
    incidents: stories.slice(0, INCIDENTS_MAX).map(({ uid }) => uid),
    lastAlertMs: Math.max(...stories.map(({ lastMs }) => lastMs)),
    asOfMs,
  };
}

/** The incidents that an account or a host takes part in, the newest first. */
export function storiesOf({ stories }: Graph, kind: RiskyKind, name: string): Story[] {
  const found =
    kind === "user"
      ? stories.with(TOLD, "user", name)
      : [...stories.with(TOLD, "sourceHost", name), ...stories.with(TOLD, "targetHost", name)];
  const distinct = new Map(found.map((story) => [story.uid, story]));
  return [...distinct.values()].toSorted((a, b) => b.lastMs - a.lastMs || (a.uid < b.uid ? -1 : 1));
}

/** Whose risk an alert changes. */
export function riskyEntities({ user, sourceHost, targetHost }: Leg): { kind: RiskyKind; name: string }[] {
  const hosts = [...new Set([sourceHost, targetHost])];
  return [
    { kind: "user" as const, name: user },
    ...hosts.map((name) => ({ kind: "host" as const, name })),
  ].filter(({ name }) => name !== "");
}

import { LRUCache } from "lru-cache";
import type { DetectionFinding } from "../alerts/detection-finding.ts";
import type { Suppression } from "../alerts/suppression.ts";

/** Incidents kept, and alerts of each: the newest. Some 4 kB an alert. */
export const INCIDENTS_MAX = 10_000;
/** Those that a rule suppresses have a room of their own, so that a busy rule pushes nothing out that is to be looked into. */
export const SUPPRESSED_MAX = 2000;
const ALERTS_MAX = 20;
/** Alerts that who was away for a moment is told of again, and so many suppressed ones. */
const RECENT_MAX = 1000;

/** What is asked for: incidents that were told, those that a rule suppressed, or both. */
export const FEED_STATES = ["told", "suppressed", "all"] as const;
export type FeedState = (typeof FEED_STATES)[number];

/** An incident as far as this process has seen its alerts. */
export type FeedIncident = {
  readonly uid: string;
  /** As the alerts say, or as many as were seen: where an incident goes on another day, they count anew. */
  readonly alertCount: number;
  readonly seen: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** The rule by which the newest alert is suppressed; undefined for one that was told. */
  readonly suppression: Suppression | undefined;
  /** How many findings there had been before its newest: incidents of both kinds in one order. */
  readonly order: number;
  /** The oldest first; of many the newest only. */
  readonly alerts: readonly DetectionFinding[];
};

export type FeedEvent = {
  readonly id: string;
  readonly order: number;
  readonly isSuppressed: boolean;
  readonly finding: DetectionFinding;
};

type Kept = { readonly incidents: LRUCache<string, FeedIncident>; readonly recent: FeedEvent[] };

/**
 * The newest incidents, bounded, and whoever wants to hear of new alerts. What a rule suppresses is kept beside what was told, and marked: it is
 * nobody's to look into, and never gone. An incident is of one kind: a suppressed alert has an incident of its own.
 */
export class IncidentFeed {
  readonly #told = keptOf(INCIDENTS_MAX);
  readonly #suppressed = keptOf(SUPPRESSED_MAX);
  readonly #listeners = new Set<(event: FeedEvent) => void>();
  #order = 0;

  /** An alert that is known already is not added again, nor is what an epoch in the shadow would have raised. */
  add(finding: DetectionFinding): void {
    if (finding.metadata.labels?.includes("shadow")) return;
    const { uid } = finding.finding_info;
    const id = finding.metadata.uid;
    const suppression = suppressionOf(finding);
    const { incidents, recent } = suppression === undefined ? this.#told : this.#suppressed;
    const before = incidents.get(uid);
    if (before?.alerts.some(({ metadata }) => metadata.uid === id)) return;
    const seen = (before?.seen ?? 0) + 1;
    const order = this.#order++;
    incidents.set(uid, {
      uid,
      seen,
      alertCount: Math.max(before?.alertCount ?? 0, finding.count, seen),
      firstMs: Math.min(before?.firstMs ?? finding.time, finding.start_time ?? finding.time),
      lastMs: Math.max(before?.lastMs ?? finding.time, finding.time),
      suppression,
      order,
      alerts: [...(before?.alerts ?? []), finding].slice(-ALERTS_MAX),
    });
    const event = { id, order, isSuppressed: suppression !== undefined, finding };
    recent.push(event);
    if (recent.length > RECENT_MAX) recent.shift();
    for (const listener of this.#listeners) listener(event);
  }

  /** The newest first, those before the place `offset` left out. */
  list(countMax: number, state: FeedState = "told", offset = 0): FeedIncident[] {
    const all = this.#kept(state).flatMap(({ incidents }) => [...incidents.values()]);
    if (state === "all") all.sort((a, b) => b.order - a.order);
    return all.slice(offset, offset + countMax);
  }

  size(state: FeedState = "told"): number {
    return this.#kept(state).reduce((sum, { incidents }) => sum + incidents.size, 0);
  }

  find(uid: string): FeedIncident | undefined {
    return this.#told.incidents.peek(uid) ?? this.#suppressed.incidents.peek(uid);
  }

  /** What came after an alert that was told, if that is known still; nothing otherwise. */
  since(id: string, state: FeedState = "told"): readonly FeedEvent[] {
    const last = this.#told.recent.findLast((event) => event.id === id);
    if (last === undefined) return [];
    return this.#kept(state)
      .flatMap(({ recent }) => recent.filter(({ order }) => order > last.order))
      .sort((a, b) => a.order - b.order);
  }

  /** @returns ends it */
  subscribe(listener: (event: FeedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #kept(state: FeedState): readonly Kept[] {
    if (state === "all") return [this.#told, this.#suppressed];
    return [state === "told" ? this.#told : this.#suppressed];
  }
}

function keptOf(max: number): Kept {
  return { incidents: new LRUCache<string, FeedIncident>({ max }), recent: [] };
}

/** The rule that a finding is suppressed by; undefined if it was told. */
function suppressionOf({ status_id, status_detail, evidences }: DetectionFinding): Suppression | undefined {
  if (status_id === undefined) return undefined;
  const written = evidences[0].data["suppression"] as Partial<Suppression> | undefined;
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return {
    id: text(written?.id),
    owner: text(written?.owner),
    reason: text(written?.reason ?? status_detail),
    until: text(written?.until),
  };
}

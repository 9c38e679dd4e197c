import { LRUCache } from "lru-cache";
import type { DetectionFinding } from "../alerts/detection-finding.ts";

/** Incidents kept, and alerts of each: the newest. Some 4 kB an alert. */
const INCIDENTS_MAX = 10_000;
const ALERTS_MAX = 20;
/** Alerts that who was away for a moment is told of again. */
const RECENT_MAX = 1000;

/** An incident as far as this process has seen its alerts. */
export type FeedIncident = {
  readonly uid: string;
  /** As the alerts say, or as many as were seen: where an incident goes on another day, they count anew. */
  readonly alertCount: number;
  readonly seen: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** The oldest first; of many the newest only. */
  readonly alerts: readonly DetectionFinding[];
};

export type FeedEvent = { readonly id: string; readonly finding: DetectionFinding };

/** The newest incidents, bounded, and whoever wants to hear of new alerts. */
export class IncidentFeed {
  readonly #incidents = new LRUCache<string, FeedIncident>({ max: INCIDENTS_MAX });
  readonly #recent: FeedEvent[] = [];
  readonly #listeners = new Set<(event: FeedEvent) => void>();

  /** An alert that is known already is not added again. */
  add(finding: DetectionFinding): void {
    const { uid } = finding.finding_info;
    const id = finding.metadata.uid;
    const before = this.#incidents.get(uid);
    if (before?.alerts.some(({ metadata }) => metadata.uid === id)) return;
    const seen = (before?.seen ?? 0) + 1;
    this.#incidents.set(uid, {
      uid,
      seen,
      alertCount: Math.max(before?.alertCount ?? 0, finding.count, seen),
      firstMs: Math.min(before?.firstMs ?? finding.time, finding.start_time ?? finding.time),
      lastMs: Math.max(before?.lastMs ?? finding.time, finding.time),
      alerts: [...(before?.alerts ?? []), finding].slice(-ALERTS_MAX),
    });
    const event = { id, finding };
    this.#recent.push(event);
    if (this.#recent.length > RECENT_MAX) this.#recent.shift();
    for (const listener of this.#listeners) listener(event);
  }

  /** The newest first. */
  list(countMax: number): FeedIncident[] {
    return [...this.#incidents.values()].slice(0, countMax);
  }

  get size(): number {
    return this.#incidents.size;
  }

  find(uid: string): FeedIncident | undefined {
    return this.#incidents.peek(uid);
  }

  /** What came after an alert, if that is known still; nothing otherwise. */
  since(id: string): readonly FeedEvent[] {
    const place = this.#recent.findLastIndex((event) => event.id === id);
    return place < 0 ? [] : this.#recent.slice(place + 1);
  }

  /** @returns ends it */
  subscribe(listener: (event: FeedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

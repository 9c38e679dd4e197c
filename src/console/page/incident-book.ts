import type { Finding, Incident } from "./api.ts";

/** As many of each kind as the process keeps. */
export const TOLD_MAX = 10_000;
export const SUPPRESSED_MAX = 2000;

export const FILTERS = ["told", "suppressed", "all"] as const;
export type Filter = (typeof FILTERS)[number];

/** An incident, and its place among the others: the highest is the newest. */
type Entry = { readonly incident: Incident; readonly place: number };

/** The incidents that the page knows of, bounded, in the order in which something was heard of them last. */
export class IncidentBook {
  readonly #told = new Map<string, Entry>();
  readonly #suppressed = new Map<string, Entry>();
  #place = 0;

  get(uid: string): Incident | undefined {
    return (this.#told.get(uid) ?? this.#suppressed.get(uid))?.incident;
  }

  countOf(filter: Filter): number {
    const [told, suppressed] = [this.#told.size, this.#suppressed.size];
    return filter === "told" ? told : filter === "suppressed" ? suppressed : told + suppressed;
  }

  /** The newest first: a merge of two lists that are in order already. */
  uids(filter: Filter): string[] {
    if (filter !== "all") return [...(filter === "told" ? this.#told : this.#suppressed).keys()].reverse();
    const [told, suppressed] = [[...this.#told], [...this.#suppressed]];
    const uids: string[] = [];
    for (let next = told.pop(), other = suppressed.pop(); next !== undefined || other !== undefined; ) {
      if (other === undefined || (next !== undefined && next[1].place > other[1].place)) {
        uids.push(next![0]);
        next = told.pop();
      } else {
        uids.push(other[0]);
        other = suppressed.pop();
      }
    }
    return uids;
  }

  /** What an alert says of its incident, which is the newest now. */
  take(finding: Finding): void {
    const { uid, title, analytic } = finding.finding_info;
    const before = this.get(uid);
    this.put({
      uid,
      title,
      signal: analytic.name,
      severity: higher(finding.severity, before?.severity),
      alertCount: Math.max(finding.count, before?.alertCount ?? 0),
      firstMs: Math.min(finding.time, before?.firstMs ?? finding.time),
      lastMs: Math.max(finding.time, before?.lastMs ?? finding.time),
      suppression: finding.evidences[0].data.suppression ?? null,
      verdict: before?.verdict ?? null,
      isClosed: false,
    });
  }

  /** What is known of an incident changes, and not when something was heard of it. */
  amend(uid: string, change: Partial<Incident>): void {
    for (const kept of [this.#told, this.#suppressed]) {
      const entry = kept.get(uid);
      if (entry !== undefined) kept.set(uid, { ...entry, incident: { ...entry.incident, ...change } });
    }
  }

  /** The incident is the newest now. */
  put(incident: Incident): void {
    const [kept, max] =
      incident.suppression === null ? [this.#told, TOLD_MAX] : [this.#suppressed, SUPPRESSED_MAX];
    kept.delete(incident.uid);
    kept.set(incident.uid, { incident, place: this.#place++ });
    if (kept.size > max) kept.delete(kept.keys().next().value!);
  }

  /** What comes from now on has a place at or after this one. */
  get nextPlace(): number {
    return this.#place;
  }

  /**
   * Puts what the process knows, the newest first, in the place of all that was here but for what was heard since `place`, which is newer
   * than the answer.
   */
  replace(incidents: readonly Incident[], place: number): void {
    const newer = [...this.#told.values(), ...this.#suppressed.values()]
      .filter((entry) => entry.place >= place)
      .sort((a, b) => a.place - b.place)
      .map(({ incident }) => incident);
    const heard = new Set(newer.map(({ uid }) => uid));
    const known = new Map(incidents.map((incident) => [incident.uid, incident]));
    this.#told.clear();
    this.#suppressed.clear();
    for (const incident of incidents.toReversed()) if (!heard.has(incident.uid)) this.put(incident);
    for (const incident of newer) this.put(together(incident, known.get(incident.uid)));
  }
}

const SEVERITIES = ["Unknown", "Informational", "Low", "Medium", "High", "Critical"];

/** An incident is as severe as its most severe alert. */
function higher(severity: string, before: string | undefined): string {
  return before !== undefined && SEVERITIES.indexOf(before) > SEVERITIES.indexOf(severity)
    ? before
    : severity;
}

/** An incident of which two things are known: each counts, and begins, where either says so. */
function together(one: Incident, other: Incident | undefined): Incident {
  if (other === undefined) return one;
  return {
    ...one,
    alertCount: Math.max(one.alertCount, other.alertCount),
    firstMs: Math.min(one.firstMs, other.firstMs),
    lastMs: Math.max(one.lastMs, other.lastMs),
  };
}

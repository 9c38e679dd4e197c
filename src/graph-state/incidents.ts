/**
 * One story of odd logins so far: those of one user from one source host within one slot of time, in one tier.
 *
 * A monoid like everything in a segment: counts add, `peak` (how odd the oddest login was) and `alertedPeak` take the
 * maximum, `partition` the minimum. Whole numbers: thousandths of -ln score.
 */
export type Incident = {
  readonly tier: string;
  readonly user: string;
  readonly sourceHost: string;
  readonly slotStartMs: number;
  readonly slotEndMs: number;
  /** Alerts raised. */
  alerts: number;
  peak: number;
  alertedPeak: number;
  /** The input partition its logins came from; the lowest of several. */
  partition: number;
};

/** Open incidents at most: a flood of new names may make each login one of its own. Some 50 MB. */
export const OPEN_INCIDENTS_MAX = 100_000;

/**
 * The incidents whose slot has not ended; ended ones are handed back once. Beyond a bound further ones are not kept: each of
 * their logins then stands for itself.
 */
export class OpenIncidents {
  readonly #open = new Map<string, Incident>();
  #delta = new Map<string, Incident>();
  /** No slot ends before this: most calls of `close` need look no further. */
  #nextEndMs = Number.POSITIVE_INFINITY;

  /** The incident of a login as it stands, or undefined if it would be its first. */
  find(tier: string, user: string, sourceHost: string, slotStartMs: number): Incident | undefined {
    return this.#open.get(keyOf(tier, user, sourceHost, slotStartMs));
  }

  /** Adds to an incident, which is opened if need be, and returns it. */
  add(change: Incident): Incident {
    const { tier, user, sourceHost, slotStartMs } = change;
    if (this.#isFull && this.find(tier, user, sourceHost, slotStartMs) === undefined) return { ...change };
    merge(this.#delta, change);
    return this.#mergeOpen(change);
  }

  /** Takes out the incidents whose slot has ended at `watermarkMs`, in a fixed order. */
  close(watermarkMs: number): Incident[] {
    const closed: Incident[] = [];
    if (watermarkMs < this.#nextEndMs) return closed;
    this.#nextEndMs = Number.POSITIVE_INFINITY;
    for (const [key, incident] of this.#open) {
      if (incident.slotEndMs > watermarkMs) {
        this.#nextEndMs = Math.min(this.#nextEndMs, incident.slotEndMs);
        continue;
      }
      closed.push(incident);
      this.#open.delete(key);
    }
    return closed.sort((a, b) => a.slotEndMs - b.slotEndMs || compareText(sortKey(a), sortKey(b)));
  }

  /**
   * Adds what a segment carries. Incidents that ended by its watermark were closed, and counted, by whoever wrote it.
   */
  addAll(changes: readonly Incident[], watermarkMs: number): void {
    this.close(watermarkMs);
    for (const change of changes) {
      if (change.slotEndMs > watermarkMs && !this.#isFull) this.#mergeOpen(change);
    }
  }

  get #isFull(): boolean {
    return this.#open.size >= OPEN_INCIDENTS_MAX;
  }

  #mergeOpen(change: Incident): Incident {
    this.#nextEndMs = Math.min(this.#nextEndMs, change.slotEndMs);
    return merge(this.#open, change);
  }

  /** The open ones, in a fixed order. */
  all(): Incident[] {
    return sorted(this.#open);
  }

  takeDelta(): Incident[] {
    const delta = sorted(this.#delta);
    this.#delta = new Map();
    return delta;
  }
}

function sorted(incidents: ReadonlyMap<string, Incident>): Incident[] {
  return [...incidents.values()].sort((a, b) => compareText(sortKey(a), sortKey(b)));
}

function merge(into: Map<string, Incident>, change: Incident): Incident {
  const key = keyOf(change.tier, change.user, change.sourceHost, change.slotStartMs);
  const incident = into.get(key);
  if (incident === undefined) {
    const copy = { ...change };
    into.set(key, copy);
    return copy;
  }
  incident.alerts += change.alerts;
  incident.peak = Math.max(incident.peak, change.peak);
  incident.alertedPeak = Math.max(incident.alertedPeak, change.alertedPeak);
  incident.partition = Math.min(incident.partition, change.partition);
  return incident;
}

/** Lengths first: names are an attacker's choice and may hold any separator. */
function keyOf(tier: string, user: string, sourceHost: string, slotStartMs: number): string {
  return `${tier}/${slotStartMs}/${user.length}/${user}${sourceHost}`;
}

function sortKey(incident: Incident): string {
  return keyOf(incident.tier, incident.user, incident.sourceHost, incident.slotStartMs);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

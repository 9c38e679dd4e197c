/**
 * Odd logins of one user from one source host within one slot of time, in one tier: what a budget counts. Which groups are one incident is
 * said by stories.
 *
 * A monoid like everything in a segment: counts add, `peak` (how odd the oddest login was) and `alertedPeak` take the
 * maximum, `partition` the minimum. Whole numbers: thousandths of -ln score.
 */
export type AlertGroup = {
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

/** Open groups at most: a flood of new names may make each login one of its own. Some 50 MB. */
export const ALERT_GROUPS_MAX = 100_000;

/**
 * The groups whose slot has not ended; ended ones are handed back once. Beyond a bound further ones are not kept: each of
 * their logins then stands for itself.
 */
export class OpenAlertGroups {
  readonly #open = new Map<string, AlertGroup>();
  #delta = new Map<string, AlertGroup>();
  /** No slot ends before this: most calls of `close` need look no further. */
  #nextEndMs = Number.POSITIVE_INFINITY;

  /** The group of a login as it stands, or undefined if it would be its first. */
  find(tier: string, user: string, sourceHost: string, slotStartMs: number): AlertGroup | undefined {
    return this.#open.get(keyOf(tier, user, sourceHost, slotStartMs));
  }

  /** Adds to a group, which is opened if need be, and returns it. */
  add(change: AlertGroup): AlertGroup {
    const { tier, user, sourceHost, slotStartMs } = change;
    if (this.#isFull && this.find(tier, user, sourceHost, slotStartMs) === undefined) return { ...change };
    merge(this.#delta, change);
    return this.#mergeOpen(change);
  }

  /** Takes out the groups whose slot has ended at `watermarkMs`, in a fixed order. */
  close(watermarkMs: number): AlertGroup[] {
    const closed: AlertGroup[] = [];
    if (watermarkMs < this.#nextEndMs) return closed;
    this.#nextEndMs = Number.POSITIVE_INFINITY;
    for (const [key, group] of this.#open) {
      if (group.slotEndMs > watermarkMs) {
        this.#nextEndMs = Math.min(this.#nextEndMs, group.slotEndMs);
        continue;
      }
      closed.push(group);
      this.#open.delete(key);
    }
    return closed.sort((a, b) => a.slotEndMs - b.slotEndMs || compareText(sortKey(a), sortKey(b)));
  }

  /**
   * Adds what a segment carries. Groups that ended by its watermark were closed, and counted, by whoever wrote it.
   */
  addAll(changes: readonly AlertGroup[], watermarkMs: number): void {
    this.close(watermarkMs);
    for (const change of changes) {
      if (change.slotEndMs > watermarkMs && !this.#isFull) this.#mergeOpen(change);
    }
  }

  get #isFull(): boolean {
    return this.#open.size >= ALERT_GROUPS_MAX;
  }

  #mergeOpen(change: AlertGroup): AlertGroup {
    this.#nextEndMs = Math.min(this.#nextEndMs, change.slotEndMs);
    return merge(this.#open, change);
  }

  /** The open ones, in a fixed order. */
  all(): AlertGroup[] {
    return sorted(this.#open);
  }

  takeDelta(): AlertGroup[] {
    const delta = sorted(this.#delta);
    this.#delta = new Map();
    return delta;
  }
}

function sorted(groups: ReadonlyMap<string, AlertGroup>): AlertGroup[] {
  return [...groups.values()].sort((a, b) => compareText(sortKey(a), sortKey(b)));
}

function merge(into: Map<string, AlertGroup>, change: AlertGroup): AlertGroup {
  const key = keyOf(change.tier, change.user, change.sourceHost, change.slotStartMs);
  const group = into.get(key);
  if (group === undefined) {
    const copy = { ...change };
    into.set(key, copy);
    return copy;
  }
  group.alerts += change.alerts;
  group.peak = Math.max(group.peak, change.peak);
  group.alertedPeak = Math.max(group.alertedPeak, change.alertedPeak);
  group.partition = Math.min(group.partition, change.partition);
  return group;
}

/** Lengths first: names are an attacker's choice and may hold any separator. */
function keyOf(tier: string, user: string, sourceHost: string, slotStartMs: number): string {
  return `${tier}/${slotStartMs}/${user.length}/${user}${sourceHost}`;
}

function sortKey(group: AlertGroup): string {
  return keyOf(group.tier, group.user, group.sourceHost, group.slotStartMs);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

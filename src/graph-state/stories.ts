import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

const MS_PER_HOUR = 3_600_000;
/** A story without an alert for so long, in event time, is closed. */
export const CLOSE_AFTER_MS = 24 * MS_PER_HOUR;
/** How often it is looked for open stories that are due and not closed, in event time. */
const LOOK_MS = 60_000;
/** Stories kept: beyond, those without an alert for the longest go. Some 4 kB each at most. */
export const STORIES_MAX = 10_000;
/** So many go at once. */
const STORIES_FORGOTTEN = 500;
/** Who and where, kept of one story; of more those with the lowest checksums, so that any order of adding keeps the same. */
export const LEGS_MAX = 32;

/** Who came from where, to where, in an alert; empty where it does not say, or is not about that. */
export type Leg = { readonly user: string; readonly sourceHost: string; readonly targetHost: string };
export const LEG_ENDS = ["user", "sourceHost", "targetHost"] as const;
export type LegEnd = (typeof LEG_ENDS)[number];

/**
 * Alerts that belong together: what an analyst looks into as one incident.
 *
 * A monoid like everything in a segment: alerts add, `risk`, `severity`, `lastMs` and `closed` take the maximum, `firstMs` and `partition` the
 * minimum, legs are united.
 */
export type Story = {
  readonly uid: string;
  /** Apart from each other: what is told, what is suppressed, and what an epoch in the shadow would have raised. */
  readonly channel: string;
  /** The input partition of its alerts, the lowest of several: whoever reads that one closes it. */
  readonly partition: number;
  /** Event time of its alerts, milliseconds since 1970. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly alerts: number;
  /** The highest of its alerts, 0 to 100, and OCSF's severity_id. */
  readonly risk: number;
  readonly severity: number;
  /** 1 once it was closed. */
  readonly closed: number;
  readonly legs: readonly Leg[];
};

/** The stories of the window, open and closed. */
export class Stories {
  readonly #stories = new Map<string, Story>();
  #delta = new Map<string, Story>();
  /** Uids by channel, end and name. */
  readonly #byName = new Map<string, Set<string>>();
  /** No open story is due before this. */
  #nextDueMs = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#stories.size;
  }

  find(uid: string): Story | undefined {
    return this.#stories.get(uid);
  }

  /** Stories of a channel in which somebody, or a host, takes part in one way, in no particular order. */
  with(channel: string, end: LegEnd, name: string): Story[] {
    const uids = this.#byName.get(nameKey(channel, end, name)) ?? [];
    return Array.from(uids, (uid) => this.#stories.get(uid)!);
  }

  /** Adds to a story, which begins if need be, and returns it as it is now. */
  add(change: Story): Story {
    merge(this.#delta, change);
    return this.#merge(change);
  }

  /** Adds what a segment carries. */
  addAll(changes: readonly Story[]): void {
    for (const change of changes) this.#merge(change);
  }

  /** Open stories of a channel whose last alert is long enough ago at `watermarkMs`, the oldest first. */
  due(channel: string, watermarkMs: number): Story[] {
    if (watermarkMs < this.#nextDueMs) return [];
    this.#nextDueMs = Number.POSITIVE_INFINITY;
    const due: Story[] = [];
    for (const story of this.#stories.values()) {
      if (story.closed > 0 || story.channel !== channel) continue;
      const dueMs = story.lastMs + CLOSE_AFTER_MS;
      const isDue = dueMs <= watermarkMs;
      if (isDue) due.push(story);
      // Whoever is to close what is due may be another process: it is not looked for with each login. What is not due yet is found in time.
      this.#nextDueMs = Math.min(this.#nextDueMs, isDue ? watermarkMs + LOOK_MS : dueMs);
    }
    return due.toSorted(byAge);
  }

  close(story: Story): void {
    this.add({ ...story, alerts: 0, closed: 1 });
  }

  /** Forgets stories whose last alert is older. */
  forget(beforeMs: number): void {
    for (const story of this.#stories.values()) if (story.lastMs < beforeMs) this.#remove(story);
  }

  /** All, in a fixed order. */
  all(): Story[] {
    return sorted(this.#stories);
  }

  takeDelta(): Story[] {
    const delta = sorted(this.#delta);
    this.#delta = new Map();
    return delta;
  }

  #merge(change: Story): Story {
    const before = this.#stories.get(change.uid);
    if (before !== undefined) this.#index(before, false);
    const story = merge(this.#stories, change);
    this.#index(story, true);
    if (story.closed === 0) this.#nextDueMs = Math.min(this.#nextDueMs, story.lastMs + CLOSE_AFTER_MS);
    if (this.#stories.size > STORIES_MAX) {
      const oldest = [...this.#stories.values()].toSorted((a, b) => a.lastMs - b.lastMs || byAge(a, b));
      for (const one of oldest.slice(0, STORIES_FORGOTTEN)) this.#remove(one);
    }
    return story;
  }

  #remove(story: Story): void {
    this.#index(story, false);
    this.#stories.delete(story.uid);
  }

  #index({ uid, channel, legs }: Story, isThere: boolean): void {
    for (const leg of legs) {
      for (const end of LEG_ENDS) {
        if (leg[end] === "") continue;
        const key = nameKey(channel, end, leg[end]);
        const uids = this.#byName.get(key);
        if (isThere) this.#byName.set(key, (uids ?? new Set()).add(uid));
        else if (uids?.delete(uid) && uids.size === 0) this.#byName.delete(key);
      }
    }
  }
}

function merge(into: Map<string, Story>, change: Story): Story {
  const before = into.get(change.uid);
  const story = before === undefined ? { ...change, legs: united([], change.legs) } : plus(before, change);
  into.set(change.uid, story);
  return story;
}

function plus(a: Story, b: Story): Story {
  return {
    uid: a.uid,
    channel: a.channel,
    partition: Math.min(a.partition, b.partition),
    firstMs: Math.min(a.firstMs, b.firstMs),
    lastMs: Math.max(a.lastMs, b.lastMs),
    alerts: a.alerts + b.alerts,
    risk: Math.max(a.risk, b.risk),
    severity: Math.max(a.severity, b.severity),
    closed: Math.max(a.closed, b.closed),
    legs: united(a.legs, b.legs),
  };
}

function united(a: readonly Leg[], b: readonly Leg[]): Leg[] {
  const byKey = new Map(
    [...a, ...b].map((leg) => [JSON.stringify([leg.user, leg.sourceHost, leg.targetHost]), leg]),
  );
  const ordered = [...byKey]
    .map(([key, { user, sourceHost, targetHost }]) => ({
      key,
      sum: crc32(Buffer.from(key)),
      leg: { user, sourceHost, targetHost },
    }))
    .toSorted((x, y) => x.sum - y.sum || compareText(x.key, y.key));
  return ordered.slice(0, LEGS_MAX).map(({ leg }) => leg);
}

function byAge(a: Story, b: Story): number {
  return a.firstMs - b.firstMs || compareText(a.uid, b.uid);
}

function sorted(stories: ReadonlyMap<string, Story>): Story[] {
  return [...stories.values()].toSorted((a, b) => compareText(a.uid, b.uid));
}

function nameKey(channel: string, end: LegEnd, name: string): string {
  return `${channel}/${end}/${name}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

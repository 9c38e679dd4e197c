import { Buffer } from "node:buffer";
import type { Graph } from "../graph-state/graph.ts";
import { findLinkKind, HOST_KIND, type LinkKind, USER_KIND } from "../graph-state/link-kinds.ts";
import { CLOSE_AFTER_MS, type Leg, type LegEnd, type Story } from "../graph-state/stories.ts";

/** However long a story goes on, what comes later begins another one. */
const SPAN_MS_MAX = 7 * 24 * 3_600_000;
/** A host that more accounts come from, or an account that comes from more hosts, says little of who is behind a login. */
const HUB_DEGREE = 20;
const TOUCH_MS = 10 * 60_000;
/** Other stories of the same people and hosts that are named beside. */
const RELATED_MAX = 5;

/** What is told, what a rule or a verdict suppresses, and what an epoch in the shadow would have raised, tell stories apart from each other. */
export const TOLD = "";
export const SUPPRESSED = "suppressed";
export const SHADOW = "shadow";

/** An alert, as far as its story goes. */
export type StoryAlert = {
  readonly channel: string;
  readonly leg: Leg;
  /** Of the story, if this alert begins one. */
  readonly uid: string;
  readonly timeMs: number;
  readonly partition: number;
  /** 0 to 100. */
  readonly risk: number;
  /** OCSF's severity_id. */
  readonly severity: number;
};

/** The story that an alert belongs to, the alert included, and others of the same people and hosts. */
export type ToldStory = {
  readonly story: Story;
  /** Whom and what the alert is about. */
  readonly leg: Leg;
  readonly related: readonly string[];
};

/**
 * Adds an alert to the story that it goes on with, or begins one.
 *
 * It goes on with an open story that has the same account on the same source host; or the same account, or the same source host, or one that leads
 * to this source host, unless that is a hub: many accounts come from a terminal server, and what two of them do is not one story. Of several the oldest has
 * it; the others are named beside.
 *
 * @param isExcused whether an analyst has found a story harmless: what is told in spite of that is another one, or nobody would look at it
 */
export function tell(
  graph: Graph,
  alert: StoryAlert,
  isExcused: (storyUid: string) => boolean = () => false,
): ToldStory {
  const { channel, leg, uid, timeMs, partition, risk, severity } = alert;
  const open = openStories(graph, channel, leg).filter((story) => !isExcused(story.uid));
  const [joined, ...others] = open;
  const story = graph.stories.add({
    uid: joined?.uid ?? uid,
    channel,
    partition,
    firstMs: timeMs,
    lastMs: timeMs,
    alerts: 1,
    risk,
    severity,
    closed: 0,
    legs: [leg],
  });
  return { story, leg, related: others.slice(0, RELATED_MAX).map((other) => other.uid) };
}

/** An odd login that repeats what was told keeps the story open; written down now and then only, as there may be thousands. */
export function touch(
  graph: Graph,
  channel: string,
  leg: Leg,
  timeMs: number,
  partition: number,
  isOdd = true,
): ToldStory | undefined {
  const [story] = openStories(graph, channel, leg);
  if (story === undefined) return undefined;
  if (!isOdd || timeMs < story.lastMs + TOUCH_MS) return { story, leg, related: [] };
  const none = { alerts: 0, legs: [], closed: 0, partition, firstMs: timeMs, lastMs: timeMs };
  return { story: graph.stories.add({ ...story, ...none }), leg, related: [] };
}

/** The open stories that an alert of these would go on with, the oldest first. */
export function openStories(graph: Graph, channel: string, leg: Leg): Story[] {
  const { stories, window } = graph;
  const found = new Map<string, Story>();
  const look = (end: LegEnd, name: string, isIt: (story: Story) => boolean = () => true): void => {
    if (name === "") return;
    for (const story of stories.with(channel, end, name)) {
      const isOpen =
        story.closed === 0 &&
        story.lastMs + CLOSE_AFTER_MS > window.watermarkMs &&
        window.watermarkMs - story.firstMs < SPAN_MS_MAX;
      if (isOpen && isIt(story)) found.set(story.uid, story);
    }
  };
  const { user, sourceHost, targetHost } = leg;
  const isSame = ({ legs }: Story): boolean =>
    legs.some(
      (one) =>
        one.user === user &&
        one.sourceHost === sourceHost &&
        (sourceHost !== "" || user !== "" || one.targetHost === targetHost),
    );
  for (const end of ["user", "sourceHost", "targetHost"] as const) look(end, leg[end], isSame);
  if (!isHub(graph, "user", user)) look("user", user);
  if (!isHub(graph, "sourceHost", sourceHost)) {
    look("sourceHost", sourceHost);
    look("targetHost", sourceHost);
  }
  return [...found.values()].toSorted((a, b) => a.firstMs - b.firstMs || (a.uid < b.uid ? -1 : 1));
}

function isHub(graph: Graph, end: "user" | "sourceHost", name: string): boolean {
  const kind: LinkKind | undefined = findLinkKind(graph.kinds, "user", "sourceHost");
  if (kind === undefined || name === "") return false;
  const bytes = Buffer.from(name);
  const id = graph.names.entities[end === "user" ? USER_KIND : HOST_KIND]!.find(bytes, 0, bytes.length);
  const nodes = (end === "user" ? graph.fromNodes : graph.toNodes)[kind.index]!;
  return nodes.degreeOf(id) > HUB_DEGREE;
}

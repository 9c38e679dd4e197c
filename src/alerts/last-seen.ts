import type { FactReader, Facts } from "../graph-state/facts.ts";
import type { Graph } from "../graph-state/graph.ts";
import type { LinkKind } from "../graph-state/link-kinds.ts";
import { NO_ROW } from "../graph-state/link-row.ts";
import type { Login } from "../ingest/login.ts";
import { days, minuteOf, times } from "./quantities.ts";

/** When one of a login's links was seen before it. Times are event time, milliseconds since 1970; null if never. */
export interface LastSeen {
  /** Such as `user-sourceHost`. */
  readonly link: string;
  readonly logins: number;
  readonly firstSeenMs: number | null;
  readonly lastSeenMs: number | null;
  readonly text: string;
}

/** What the graph knew of the links that a login forms, one after the other. */
export function lastSeen(
  graph: Graph,
  kinds: Pick<FactReader, "userSource" | "userTarget" | "sourceTarget">,
  login: Login,
  facts: Facts,
  windowDays: number,
): LastSeen[] {
  const { user, sourceHost, targetHost } = login;
  const isLocal = sourceHost === targetHost;
  const links: readonly [LinkKind | undefined, string, string, string][] = [
    [kinds.userSource, user, "logged on from", sourceHost],
    [kinds.userTarget, user, "logged on to", targetHost],
    [isLocal ? undefined : kinds.sourceTarget, sourceHost, "reached", targetHost],
  ];
  return links.flatMap(([kind, from, verb, to]) =>
    kind === undefined || from === "" || to === ""
      ? []
      : [lastSeenOf(graph, kind, facts.rows[kind.index]!, [from, verb, to], windowDays)],
  );
}

function lastSeenOf(
  graph: Graph,
  { name: link }: LinkKind,
  row: number,
  [from, verb, to]: readonly [string, string, string],
  windowDays: number,
): LastSeen {
  if (row === NO_ROW) {
    const text = `${from} never ${verb} ${to} in ${days(windowDays)}`;
    return { link, logins: 0, firstSeenMs: null, lastSeenMs: null, text };
  }
  const { statistics } = graph.links;
  const logins = statistics.countOf(row);
  const lastSeenMs = statistics.lastMsOf(row);
  const text = `${from} last ${verb} ${to} on ${minuteOf(lastSeenMs)}, ${times(logins)} in ${days(windowDays)}`;
  return { link, logins, firstSeenMs: statistics.firstMsOf(row), lastSeenMs, text };
}

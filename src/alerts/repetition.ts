import type { Facts } from "../graph-state/facts.ts";
import type { Familiarity } from "../graph-state/familiarity.ts";
import type { Graph } from "../graph-state/graph.ts";
import { isFormed } from "../graph-state/link-kinds.ts";
import { NO_ROW } from "../graph-state/link-row.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";

/**
 * When what a login repeats was first seen, in ms since 1970: the oldest of its unfamiliar links, if alerts named all of them.
 * Infinity if it has none, or if one of them is news that no alert has told.
 *
 * @param which whether an alert that was suppressed has told anything
 */
export function repeatedSinceMs(
  graph: Graph,
  familiarity: Familiarity,
  login: LoginBytes,
  facts: Facts,
  which: "told" | "any" = "any",
): number {
  let sinceMs = Number.POSITIVE_INFINITY;
  for (const kind of graph.kinds) {
    if (kind.isProfile || !isFormed(kind, login)) continue;
    const row = facts.rows[kind.index]!;
    if (familiarity.isFamiliar(row, facts.timeMs)) continue;
    const { statistics } = graph.links;
    if (row === NO_ROW) return Number.POSITIVE_INFINITY;
    const silent = which === "told" ? statistics.suppressedOf(row) : 0;
    if (statistics.alertsOf(row) === silent) return Number.POSITIVE_INFINITY;
    sinceMs = Math.min(sinceMs, statistics.firstMsOf(row));
  }
  return sinceMs;
}

import type { Graph } from "../../graph-state/graph.ts";
import type { LinkKind } from "../../graph-state/link-kinds.ts";
import { NO_ENTITY } from "../../graph-state/names.ts";
import { NO_TOTALS, roleOf, type Totals, WHOLE } from "./node-features.ts";

/**
 * What the graph says of an entity at this moment, by role and in all: what `RoleTotals` says of those that are trained on.
 *
 * @param kind place in `ENTITY_KINDS`
 * @param id `NO_ENTITY` for one that was never seen
 */
export function liveTotals(graph: Graph, kind: number, id: number): (role: string) => Totals {
  const totals = new Map<string, Totals>();
  if (id !== NO_ENTITY) {
    for (const link of graph.kinds) {
      if (link.isProfile) continue;
      if (link.fromKind === kind) add(totals, roleOf(link.name, "from"), totalsAt(graph, link, "from", id));
      if (link.toKind === kind) add(totals, roleOf(link.name, "to"), totalsAt(graph, link, "to", id));
    }
  }
  return (role) => totals.get(role) ?? NO_TOTALS;
}

function add(totals: Map<string, Totals>, role: string, gained: Totals): void {
  totals.set(role, gained);
  const whole = totals.get(WHOLE) ?? NO_TOTALS;
  totals.set(WHOLE, {
    degree: whole.degree + gained.degree,
    logins: whole.logins + gained.logins,
    weak: whole.weak + gained.weak,
    failures: whole.failures + gained.failures,
    firstMs: Math.min(whole.firstMs, gained.firstMs),
  });
}

function totalsAt(graph: Graph, kind: LinkKind, end: "from" | "to", id: number): Totals {
  const nodes = graph.node(kind, end, id);
  const degree = nodes.degreeOf(id);
  // Without links a row may hold the numbers of who had the id before.
  if (degree === 0) return NO_TOTALS;
  const { statistics } = nodes;
  return {
    degree,
    logins: statistics.countOf(id),
    weak: statistics.weakOf(id),
    failures: statistics.failuresOf(id),
    firstMs: statistics.firstMsOf(id),
  };
}

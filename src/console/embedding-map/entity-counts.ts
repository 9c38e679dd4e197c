import { Buffer } from "node:buffer";
import type { Graph } from "../../graph-state/graph.ts";
import { HOST_KIND, USER_KIND } from "../../graph-state/link-kinds.ts";
import { NO_ENTITY } from "../../graph-state/names.ts";
import type { EntityKindName } from "../entity-view.ts";

/** What the graph counts at an entity, all zero for one that it does not know. */
export type EntityCounts = { readonly alerts: number; readonly logins: number };

/**
 * Logins of an entity, and alerts on its links. A login is on a link of each kind, so these are the largest of the sums over the links of one
 * kind, and not the sum over all.
 */
export function entityCounts(graph: Graph, kind: EntityKindName, name: string): EntityCounts {
  const entityKind = kind === "user" ? USER_KIND : HOST_KIND;
  const bytes = Buffer.from(name);
  const id = graph.names.entities[entityKind]!.find(bytes, 0, bytes.length);
  let [alerts, logins] = [0, 0];
  if (id === NO_ENTITY) return { alerts, logins };
  for (const link of graph.kinds) {
    if (link.isProfile) continue;
    const ends = [
      ...(link.fromKind === entityKind ? [graph.fromNodes[link.index]!] : []),
      ...(link.toKind === entityKind ? [graph.toNodes[link.index]!] : []),
    ];
    for (const nodes of ends) {
      // Of what is not at this end of such a link the row says nothing.
      if (nodes.degreeOf(id) === 0) continue;
      alerts = Math.max(alerts, nodes.statistics.alertsOf(id));
      logins = Math.max(logins, nodes.statistics.countOf(id));
    }
  }
  return { alerts, logins };
}

import type { Graph } from "../graph-state/graph.ts";
import { ENTITY_KINDS, HOST_KIND, USER_KIND } from "../graph-state/link-kinds.ts";
import type { TrainingGraph } from "./training-graph.ts";

/** The window as a training run sees it, and the name of each of its rows. */
export type TrainingInput = { readonly graph: TrainingGraph; readonly entityNames: readonly string[] };

/**
 * Takes the links of the window out of the graph, in canonical order: entities by kind and name, relations by name, links
 * by (from, relation, to). Equal graphs give equal bytes, however they came about.
 *
 * Links with an alert stay out: an attack that is repeated must not become what the model expects. O(n log n).
 */
export function trainingInput(graph: Graph): TrainingInput {
  const { links } = graph;
  const rows: number[] = [];
  const isUsed = graph.names.entities.map((interner) => new Uint8Array(interner.slotCount));
  for (let row = 0; row < links.rowCount; row++) {
    if (!links.isUsed(row) || links.statistics.alertsOf(row) > 0) continue;
    const kind = graph.kinds[links.kindOf(row)]!;
    const isTyped = links.relationOf(row) !== 0;
    if (kind.isProfile || isTyped !== (kind.relation !== "untyped")) continue;
    rows.push(row);
    isUsed[kind.fromKind]![links.fromOf(row)] = 1;
    isUsed[kind.toKind]![links.toOf(row)] = 1;
  }

  const entityNames: string[] = [];
  const entityKinds: number[] = [];
  const placeOf = graph.names.entities.map((interner) => new Int32Array(interner.slotCount));
  for (const kind of [USER_KIND, HOST_KIND]) {
    const interner = graph.names.entities[kind]!;
    const ids = Array.from(isUsed[kind]!.keys()).filter((id) => isUsed[kind]![id] === 1);
    for (const id of ids.sort((a, b) => interner.compare(a, b))) {
      placeOf[kind]![id] = entityNames.length;
      entityNames.push(interner.nameOf(id));
      entityKinds.push(kind);
    }
  }

  const relationNames = [...new Set(rows.map((row) => relationName(graph, row)))].sort();
  const relationPlace = new Map(relationNames.map((name, place) => [name, place]));
  const sorted = rows
    .map((row) => {
      const kind = graph.kinds[links.kindOf(row)]!;
      return {
        row,
        from: placeOf[kind.fromKind]![links.fromOf(row)]!,
        relation: relationPlace.get(relationName(graph, row))!,
        to: placeOf[kind.toKind]![links.toOf(row)]!,
      };
    })
    .sort((a, b) => a.from - b.from || a.relation - b.relation || a.to - b.to);

  return {
    entityNames,
    graph: {
      entityCount: entityNames.length,
      entityKind: Uint8Array.from(entityKinds),
      kindNames: [ENTITY_KINDS[USER_KIND], ENTITY_KINDS[HOST_KIND]],
      relationNames,
      linkFrom: Int32Array.from(sorted, (link) => link.from),
      linkTo: Int32Array.from(sorted, (link) => link.to),
      linkRelation: Int32Array.from(sorted, (link) => link.relation),
      linkCount: Float64Array.from(sorted, (link) => links.statistics.countOf(link.row)),
      linkFirstMs: Float64Array.from(sorted, (link) => links.statistics.firstMsOf(link.row)),
      linkLastMs: Float64Array.from(sorted, (link) => links.statistics.lastMsOf(link.row)),
      watermarkMs: graph.window.watermarkMs,
    },
  };
}

/** Name of a link's relation: its kind, and its type behind a slash if the kind is typed. */
export function relationName(graph: Graph, row: number): string {
  const kind = graph.kinds[graph.links.kindOf(row)]!;
  const relation = graph.links.relationOf(row);
  return relation === 0 ? kind.name : `${kind.name}/${graph.names.relations.nameOf(relation - 1)}`;
}

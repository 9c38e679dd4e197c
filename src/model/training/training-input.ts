import { Buffer } from "node:buffer";
import type { Graph } from "../../graph-state/graph.ts";
import { relationNameOf } from "../relation-names.ts";
import type { TrainingGraph } from "./training-graph.ts";
import { namesOf, type TrainingSnapshot, trainingSnapshot } from "./training-snapshot.ts";

/** The window as a training run sees it, and the name of each of its rows. */
export type TrainingInput = { readonly graph: TrainingGraph; readonly entityNames: readonly string[] };

/** What a training run sees of a graph. */
export function trainingInput(graph: Graph): TrainingInput {
  return inputOf(trainingSnapshot(graph));
}

/**
 * Puts the links of a snapshot into canonical order: entities by kind and the bytes of their names, relations by name, links by
 * (from, relation, to). Equal graphs give equal bytes, however they came about. O(n log n).
 */
export function inputOf(snapshot: TrainingSnapshot): TrainingInput {
  const entityNames: string[] = [];
  const entityKinds: number[] = [];
  const placeOf = snapshot.entityNames.map((all, kind) => {
    const names = namesOf(all);
    const places = new Int32Array(names.length);
    for (const id of Array.from(names.keys()).sort((a, b) => Buffer.compare(names[a]!, names[b]!))) {
      places[id] = entityNames.length;
      entityNames.push(names[id]!.toString());
      entityKinds.push(kind);
    }
    return places;
  });

  const nameOf = relationNamer(snapshot);
  const names = Array.from(snapshot.kind, (kind, i) => nameOf(kind, snapshot.relation[i]!));
  const relationNames = [...new Set(names)].sort();
  const relationPlace = new Map(relationNames.map((name, place) => [name, place]));
  const sorted = names
    .map((name, i) => {
      const { fromKind, toKind } = snapshot.linkKinds[snapshot.kind[i]!]!;
      return {
        i,
        from: placeOf[fromKind]![snapshot.from[i]!]!,
        relation: relationPlace.get(name)!,
        to: placeOf[toKind]![snapshot.to[i]!]!,
      };
    })
    .sort((a, b) => a.from - b.from || a.relation - b.relation || a.to - b.to);

  return {
    entityNames,
    graph: {
      entityCount: entityNames.length,
      entityKind: Uint8Array.from(entityKinds),
      kindNames: snapshot.kindNames,
      relationNames,
      linkFrom: Int32Array.from(sorted, ({ from }) => from),
      linkTo: Int32Array.from(sorted, ({ to }) => to),
      linkRelation: Int32Array.from(sorted, ({ relation }) => relation),
      linkCount: Float64Array.from(sorted, ({ i }) => snapshot.count[i]!),
      linkWeak: Float64Array.from(sorted, ({ i }) => snapshot.weak[i]!),
      linkFailures: Float64Array.from(sorted, ({ i }) => snapshot.failures[i]!),
      linkFirstMs: Float64Array.from(sorted, ({ i }) => snapshot.firstMs[i]!),
      linkLastMs: Float64Array.from(sorted, ({ i }) => snapshot.lastMs[i]!),
      watermarkMs: snapshot.watermarkMs,
    },
  };
}

/** Name of a link's relation: its kind, and its type behind a slash if the kind is typed. */
export function relationName(graph: Graph, row: number): string {
  const kind = graph.kinds[graph.links.kindOf(row)]!;
  const relation = graph.links.relationOf(row);
  const type = relation === 0 ? undefined : graph.names.relations.nameOf(relation - 1);
  return relationNameOf(kind.name, type);
}

function relationNamer({
  linkKinds,
  relationNames,
}: TrainingSnapshot): (kind: number, relation: number) => string {
  const types = namesOf(relationNames).map((name) => name.toString());
  const typed = linkKinds.map(({ name }) => types.map((type) => relationNameOf(name, type)));
  return (kind, relation) => (relation === 0 ? linkKinds[kind]!.name : typed[kind]![relation - 1]!);
}

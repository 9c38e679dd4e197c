import { linkClassOf } from "../relation-names.ts";
import type { TrainingGraph } from "../training/training-graph.ts";
import type { TrainingInput } from "../training/training-input.ts";
import {
  binName,
  binOf,
  edgesOf,
  FEATURE_KIND,
  FEATURE_RELATION,
  featuresOf,
  featureValue,
  NO_TOTALS,
  type NodeFeature,
  roleOf,
  type Totals,
  WHOLE,
} from "./node-features.ts";

/** What entities do in each role, by the links that are trained on. */
export class RoleTotals {
  readonly #byRole = new Map<string, Map<number, { -readonly [K in keyof Totals]: Totals[K] }>>();
  /** By kind of entity, ascending. */
  readonly roles: readonly (readonly string[])[];

  /** @param links those that count: held-out ones may say nothing */
  constructor(graph: TrainingGraph, links: Int32Array) {
    const roles = graph.kindNames.map(() => new Set<string>());
    const classes = graph.relationNames.map(linkClassOf);
    const peers = new Set<string>();
    for (const link of links) {
      const name = classes[graph.linkRelation[link]!]!;
      const [from, to] = [graph.linkFrom[link]!, graph.linkTo[link]!];
      for (const [entity, peer, end] of [
        [from, to, "from"],
        [to, from, "to"],
      ] as const) {
        const role = roleOf(name, end);
        roles[graph.entityKind[entity]!]!.add(role);
        // Links of several types may lead to one peer.
        const key = `${role} ${entity} ${peer}`;
        const isNewPeer = !peers.has(key);
        peers.add(key);
        for (const totals of [this.#of(role, entity), this.#of(WHOLE, entity)]) {
          if (isNewPeer) totals.degree++;
          totals.logins += graph.linkCount[link]!;
          totals.weak += graph.linkWeak[link]!;
          totals.failures += graph.linkFailures[link]!;
          totals.firstMs = Math.min(totals.firstMs, graph.linkFirstMs[link]!);
        }
      }
    }
    this.roles = roles.map((ofKind) => [...ofKind].sort());
  }

  of(role: string, entity: number): Totals {
    return this.#byRole.get(role)?.get(entity) ?? NO_TOTALS;
  }

  #of(role: string, entity: number): { -readonly [K in keyof Totals]: Totals[K] } {
    let entities = this.#byRole.get(role);
    if (entities === undefined) {
      entities = new Map();
      this.#byRole.set(role, entities);
    }
    let totals = entities.get(entity);
    if (totals === undefined) {
      totals = { ...NO_TOTALS };
      entities.set(entity, totals);
    }
    return totals;
  }
}

/**
 * Adds nodes for the bins of all features, and the links from them to the entities: O(links + entities x features).
 *
 * @param links those that features may be made of
 */
export function withFeatures({ graph, entityNames }: TrainingInput, links: Int32Array): TrainingInput {
  const totals = new RoleTotals(graph, links);
  const names = [...entityNames];
  const from: number[] = [];
  const to: number[] = [];
  const bins: NodeFeature[] = [];
  for (const [kind, kindName] of graph.kindNames.entries()) {
    const entities = Array.from(graph.entityKind.keys()).filter(
      (entity) => graph.entityKind[entity] === kind,
    );
    if (entities.length === 0) continue;
    const roles = totals.roles[kind]!;
    for (const feature of featuresOf(kindName, roles)) {
      const values = Float64Array.from(entities, (entity) =>
        featureValue(feature, totals.of(feature.role, entity), graph.watermarkMs),
      );
      const edges = edgesOf(values);
      if (edges.length === 0) continue;
      bins.push({ ...feature, edges });
      const first = names.length;
      for (let bin = 0; bin <= edges.length; bin++) names.push(binName(feature, bin));
      for (const [i, entity] of entities.entries()) {
        from.push(first + binOf(edges, values[i]!));
        to.push(entity);
      }
    }
  }
  const entityKind = new Uint8Array(names.length).fill(graph.kindNames.length);
  entityKind.set(graph.entityKind);
  return {
    entityNames: names,
    graph: {
      ...graph,
      entityCount: names.length,
      entityKind,
      kindNames: [...graph.kindNames, FEATURE_KIND],
      relationNames: [...graph.relationNames, FEATURE_RELATION],
      features: {
        bins,
        relation: graph.relationNames.length,
        from: Int32Array.from(from),
        to: Int32Array.from(to),
      },
    },
  };
}

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Graph } from "../../graph-state/graph.ts";
import type { Epoch } from "../../model/epoch.ts";
import { ENTITY_KIND_NAMES, type EntityKindName } from "../entity-view.ts";
import { type EntityCounts, entityCounts } from "./entity-counts.ts";

/** Entities that are looked up before logins have their turn: some milliseconds. */
const ENTITIES_PER_TURN = 1000;

export type SampledEntity = {
  /** In the arrays of the epoch. */
  readonly row: number;
  readonly kind: EntityKindName;
  readonly name: string;
};
type Counted = SampledEntity & EntityCounts;

/**
 * The entities of an epoch that are worth a look: those with alerts first, then the most frequent. In the order of their rows, which
 * does not depend on what came since it was trained.
 */
export async function entitySample(graph: Graph, epoch: Epoch, countMax: number): Promise<SampledEntity[]> {
  const { manifest, entityKinds, entityNames } = epoch;
  let kept: Counted[] = [];
  for (let row = 0; row < entityNames.length; row++) {
    if (row % ENTITIES_PER_TURN === ENTITIES_PER_TURN - 1) await nextTurn();
    const kind = ENTITY_KIND_NAMES.find((one) => one === manifest.kindNames[entityKinds[row]!]);
    // What is no user and no host, such as a bin of a feature, is nobody to look at.
    if (kind === undefined) continue;
    const name = entityNames[row]!;
    kept.push({ row, kind, name, ...entityCounts(graph, kind, name) });
    if (kept.length >= 2 * countMax) kept = first(kept, countMax);
  }
  return first(kept, countMax)
    .map(({ row, kind, name }) => ({ row, kind, name }))
    .toSorted((a, b) => a.row - b.row);
}

function first(entities: readonly Counted[], countMax: number): Counted[] {
  const inOrder = entities.toSorted((a, b) => b.alerts - a.alerts || b.logins - a.logins || a.row - b.row);
  return inOrder.slice(0, countMax);
}

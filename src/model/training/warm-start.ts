import { relationFloats } from "../decoders/decoders.ts";
import type { Epoch } from "../epoch.ts";
import { initialParameters, PARAMETER_NAMES, type RgcnParameters, type RgcnShape } from "../rgcn.ts";
import type { TrainingGraph } from "./training-graph.ts";
import type { TrainingInput } from "./training-input.ts";

/** An entity or a relation that the epoch before does not know. */
export const UNKNOWN = -1;

/** What training goes on from: an earlier epoch's parameters, and where in it the graph's entities and relations are. */
export type StartingPoint = {
  readonly shape: RgcnShape;
  readonly parameters: RgcnParameters;
  /** Row in the epoch of each entity and of each relation of the graph, or -1. */
  readonly entityRows: Int32Array;
  readonly relationRows: Int32Array;
};

/** Finds the graph's entities and relations in an epoch by their names. */
export function startingPoint({ graph, entityNames }: TrainingInput, epoch: Epoch): StartingPoint {
  const { manifest, parameters } = epoch;
  const rowsByName = manifest.kindNames.map(() => new Map<string, number>());
  for (const [row, name] of epoch.entityNames.entries()) rowsByName[epoch.entityKinds[row]!]!.set(name, row);
  const kinds = graph.kindNames.map((name) => rowsByName[manifest.kindNames.indexOf(name)]);
  const relations = new Map(manifest.relationNames.map((name, relation) => [name, relation]));
  return {
    shape: manifest.shape,
    parameters,
    entityRows: Int32Array.from(
      entityNames,
      (name, entity) => kinds[graph.entityKind[entity]!]?.get(name) ?? UNKNOWN,
    ),
    relationRows: Int32Array.from(graph.relationNames, (name) => relations.get(name) ?? UNKNOWN),
  };
}

/** Whether parameters of one shape are of use for another: it may have other entities and relations, and nothing else. */
export function isContinuable(from: RgcnShape, to: RgcnShape): boolean {
  return (["dimensions", "weights", "bases", "decoder"] as const).every((name) => from[name] === to[name]);
}

/**
 * Parameters to go on from. What the epoch knows is as it left it. An entity that it does not know begins at the mean of its
 * neighbours that it knows, over the links that are trained on; without such a one, and for a relation that is new, at the seeded value
 * that everything has at a cold start.
 *
 * @param trained links of the graph that are trained on: held-out ones may say nothing
 */
export function warmParameters(
  start: StartingPoint,
  graph: TrainingGraph,
  trained: Int32Array,
  shape: RgcnShape,
  seed: number,
): RgcnParameters {
  const { entityRows, relationRows, parameters: old } = start;
  const { dimensions: d, bases, relations } = shape;
  const warm = initialParameters(shape, seed);
  const copyRows = (name: keyof RgcnParameters, width: number, rows: Int32Array, to = 0, from = 0): void => {
    for (const [row, oldRow] of rows.entries()) {
      if (oldRow === UNKNOWN) continue;
      const at = (from + oldRow) * width;
      warm[name].set(old[name].subarray(at, at + width), (to + row) * width);
    }
  };
  copyRows("input", d, entityRows);
  copyRows("decoder", relationFloats(shape.decoder, d), relationRows);
  const perRelation =
    shape.weights === "basis"
      ? (["coefficients1", "coefficients2"] as const)
      : (["basis1", "basis2"] as const);
  for (const name of perRelation) {
    const width = shape.weights === "basis" ? bases : d;
    copyRows(name, width, relationRows);
    // Those of messages against the links come after those along them.
    copyRows(name, width, relationRows, relations, start.shape.relations);
  }
  const perLayer = PARAMETER_NAMES.filter(
    (name) => name !== "input" && name !== "decoder" && !perRelation.some((other) => other === name),
  );
  for (const name of perLayer) warm[name].set(old[name]);
  placeNewEntities(warm, start, graph, trained, d);
  return warm;
}

function placeNewEntities(
  warm: RgcnParameters,
  { entityRows }: StartingPoint,
  graph: TrainingGraph,
  trained: Int32Array,
  d: number,
): void {
  const sums = new Map<number, { readonly sum: Float64Array; count: number }>();
  const add = (entity: number, neighbour: number): void => {
    if (entityRows[entity] !== UNKNOWN || entityRows[neighbour] === UNKNOWN) return;
    const found = sums.get(entity) ?? { sum: new Float64Array(d), count: 0 };
    for (let k = 0; k < d; k++) found.sum[k]! += warm.input[neighbour * d + k]!;
    found.count++;
    sums.set(entity, found);
  };
  for (const link of trained) {
    add(graph.linkFrom[link]!, graph.linkTo[link]!);
    add(graph.linkTo[link]!, graph.linkFrom[link]!);
  }
  for (const [entity, { sum, count }] of sums)
    for (let k = 0; k < d; k++) warm.input[entity * d + k] = sum[k]! / count;
}

/**
 * Edges that carry messages, grouped by where they lead and by relation: what one layer of the encoder sums over.
 *
 *   groups   target:i32 relation:i32 start:i32       edges of group g: starts[g] .. starts[g + 1]
 *   edges    source:i32 weight:f32                   weight = copies of the edge / copies that lead to its target
 *
 * The weight divides by all copies that lead to a target, whatever their relation; the RGCN paper divides within a relation.
 */
export type Messages = {
  readonly groupTargets: Int32Array;
  readonly groupRelations: Int32Array;
  readonly groupStarts: Int32Array;
  readonly edgeSources: Int32Array;
  readonly edgeWeights: Float32Array;
};

export function messagesOf(
  nodeCount: number,
  relationCount: number,
  edges: {
    readonly sources: Int32Array;
    readonly relations: Int32Array;
    readonly targets: Int32Array;
    /** Copies of each edge; one of each if left out. */
    readonly counts?: Float64Array;
  },
): Messages {
  const { sources, relations, targets, counts } = edges;
  const count = sources.length;
  const incoming = new Float64Array(nodeCount);
  // One number an edge, its group before its place: sorted natively, and without a comparator.
  const keys = new Float64Array(count);
  for (let e = 0; e < count; e++) {
    incoming[targets[e]!]! += counts?.[e] ?? 1;
    keys[e] = (targets[e]! * relationCount + relations[e]!) * count + e;
  }
  keys.sort();
  const edgeSources = new Int32Array(count);
  const edgeWeights = new Float32Array(count);
  const groupTargets: number[] = [];
  const groupRelations: number[] = [];
  const groupStarts: number[] = [];
  let last = -1;
  for (let i = 0; i < count; i++) {
    const group = Math.floor(keys[i]! / count);
    const e = keys[i]! - group * count;
    if (group !== last) {
      groupTargets.push(targets[e]!);
      groupRelations.push(relations[e]!);
      groupStarts.push(i);
      last = group;
    }
    edgeSources[i] = sources[e]!;
    edgeWeights[i] = (counts?.[e] ?? 1) / incoming[targets[e]!]!;
  }
  groupStarts.push(count);
  return {
    groupTargets: Int32Array.from(groupTargets),
    groupRelations: Int32Array.from(groupRelations),
    groupStarts: Int32Array.from(groupStarts),
    edgeSources,
    edgeWeights,
  };
}

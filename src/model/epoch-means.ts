import { meanVector, relationVectors } from "./decoders/decoders.ts";
import type { Epoch } from "./epoch.ts";
import { linkClassOf } from "./relation-names.ts";

/** Mean input embedding of the entities of each kind: what an entity has for its own that the epoch does not know. */
export function meanInputs({ manifest, entityKinds, parameters }: Epoch): Float32Array[] {
  const { dimensions: d } = manifest.shape;
  const means = manifest.kindNames.map(() => new Float32Array(d));
  const counts = manifest.kindNames.map(() => 0);
  for (const [row, kind] of entityKinds.entries()) {
    counts[kind]!++;
    for (let k = 0; k < d; k++) means[kind]![k]! += parameters.input[row * d + k]!;
  }
  for (const [kind, mean] of means.entries()) for (let k = 0; k < d; k++) mean[k]! /= counts[kind] || 1;
  return means;
}

/** A vector in the middle of the relations of each link class: stands in for one that the epoch knows under other types only. */
export function meanRelations({ manifest, parameters }: Epoch): Map<string, Float32Array> {
  const { relationNames, shape } = manifest;
  const vectors = relationVectors(shape, parameters);
  const means = new Map<string, Float32Array>();
  for (const name of new Set(relationNames.map(linkClassOf))) {
    const members = relationNames.flatMap((other, r) => (linkClassOf(other) === name ? [r] : []));
    means.set(name, meanVector(shape, vectors, members));
  }
  return means;
}

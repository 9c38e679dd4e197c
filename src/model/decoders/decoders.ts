import type { RgcnParameters, RgcnShape } from "../rgcn.ts";
import { complEx } from "./complex.ts";
import type { Decoder, DecoderName } from "./decoder.ts";
import { distMult } from "./distmult.ts";
import { normalise, turn } from "./phases.ts";
import { rotatE } from "./rotate.ts";
import { transE } from "./transe.ts";

export const DECODERS: Readonly<Record<DecoderName, Decoder>> = {
  distmult: distMult,
  transe: transE,
  rotate: rotatE,
  complex: complEx,
};

/** Whether embeddings of d floats are something that the decoder can read. */
export function isReadable(name: DecoderName, d: number): boolean {
  return !DECODERS[name].isComplex || d % 2 === 0;
}

/** How many floats are trained of a relation. */
export function relationFloats(name: DecoderName, d: number): number {
  return DECODERS[name].hasPhases ? d / 2 : d;
}

/** What the decoder reads: relations x d, from what is trained of them. */
export function relationVectors(
  { decoder: name, relations, dimensions: d }: RgcnShape,
  { decoder: trained }: RgcnParameters,
): Float32Array {
  if (!DECODERS[name].hasPhases) return trained;
  const vectors = new Float32Array(relations * d);
  turn(trained, 0, vectors, 0, trained.length);
  return vectors;
}

/** A vector in the middle of those of some relations, of `relations` x d. */
export function meanVector(
  { decoder: name, dimensions: d }: RgcnShape,
  vectors: Float32Array,
  relations: readonly number[],
): Float32Array {
  const mean = new Float32Array(d);
  for (const r of relations) for (let k = 0; k < d; k++) mean[k]! += vectors[r * d + k]! / relations.length;
  if (DECODERS[name].hasPhases) normalise(mean);
  return mean;
}

/** Logit of a link between entities that a model knows, by their rows. */
export function linkScorer(
  shape: RgcnShape,
  { output, parameters }: { readonly output: Float32Array; readonly parameters: RgcnParameters },
): (from: number, relation: number, to: number) => number {
  const { dimensions: d } = shape;
  const decoder = DECODERS[shape.decoder];
  const vectors = relationVectors(shape, parameters);
  return (from, relation, to) => decoder.score(output, from * d, vectors, relation * d, output, to * d, d);
}

import { type Decoder, DISTANCE_MIN } from "./decoder.ts";

/** Embeddings are about as long at the start. */
const MARGIN = 1;

/**
 * margin - |h + r - t|, Euclidean: a relation is a step from its heads to its tails. Not symmetric, unless r = 0.
 *
 * The norm is the Euclidean one, of the two that the paper has, because it is smooth where coordinates are zero and as long in many
 * dimensions as in few. The margin is fixed: weights of the layers scale the embeddings as they need to, so that a learnt one would be a
 * second name for their scale.
 *
 * @see Bordes et al., "Translating Embeddings for Modeling Multi-relational Data", NeurIPS 2013
 */
export const transE: Decoder = {
  name: "transe",
  isComplex: false,
  hasPhases: false,
  relationLimit: (d) => Math.sqrt(3 / d),
  margin: () => MARGIN,

  score(heads, h, relations, r, tails, t, d) {
    let squares = 0;
    for (let k = 0; k < d; k++) squares += (heads[h + k]! + relations[r + k]! - tails[t + k]!) ** 2;
    return MARGIN - Math.sqrt(squares);
  },

  addGradients(slope, rows, h, relations, r, t, d, dRows, dRelations) {
    let squares = 0;
    for (let k = 0; k < d; k++) squares += (rows[h + k]! + relations[r + k]! - rows[t + k]!) ** 2;
    const scale = -slope / Math.max(Math.sqrt(squares), DISTANCE_MIN);
    for (let k = 0; k < d; k++) {
      const g = scale * (rows[h + k]! + relations[r + k]! - rows[t + k]!);
      dRows[h + k]! += g;
      dRelations[r + k]! += g;
      dRows[t + k]! -= g;
    }
  },
};

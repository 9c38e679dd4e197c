import type { Decoder } from "./decoder.ts";

/**
 * sum_k h_k r_k t_k. Symmetric: a link and its reverse are equally likely.
 *
 * @see Yang et al., "Embedding Entities and Relations for Learning and Inference in Knowledge Bases", ICLR 2015
 */
export const distMult: Decoder = {
  name: "distmult",
  isComplex: false,
  hasPhases: false,
  relationLimit: () => 1,
  margin: () => 0,

  score(heads, h, relations, r, tails, t, d) {
    let sum = 0;
    for (let k = 0; k < d; k++) sum += heads[h + k]! * relations[r + k]! * tails[t + k]!;
    return sum;
  },

  addGradients(slope, rows, h, relations, r, t, d, dRows, dRelations) {
    for (let k = 0; k < d; k++) {
      const hk = rows[h + k]!;
      const rk = relations[r + k]!;
      const tk = rows[t + k]!;
      dRows[h + k]! += slope * rk * tk;
      dRows[t + k]! += slope * rk * hk;
      dRelations[r + k]! += slope * hk * tk;
    }
  },
};

import type { Decoder } from "./decoder.ts";

/**
 * Re sum_k h_k r_k conj(t_k) over complex numbers: DistMult that tells direction, unless each r_k is real.
 *
 * @see Trouillon et al., "Complex Embeddings for Simple Link Prediction", ICML 2016
 */
export const complEx: Decoder = {
  name: "complex",
  isComplex: true,
  hasPhases: false,
  relationLimit: () => 1,
  margin: () => 0,

  score(heads, h, relations, r, tails, t, d) {
    let sum = 0;
    for (let k = 0; k < d; k += 2) {
      const hRe = heads[h + k]!;
      const hIm = heads[h + k + 1]!;
      const rRe = relations[r + k]!;
      const rIm = relations[r + k + 1]!;
      sum += (hRe * rRe - hIm * rIm) * tails[t + k]! + (hRe * rIm + hIm * rRe) * tails[t + k + 1]!;
    }
    return sum;
  },

  addGradients(slope, rows, h, relations, r, t, d, dRows, dRelations) {
    for (let k = 0; k < d; k += 2) {
      const hRe = rows[h + k]!;
      const hIm = rows[h + k + 1]!;
      const rRe = relations[r + k]!;
      const rIm = relations[r + k + 1]!;
      const tRe = rows[t + k]!;
      const tIm = rows[t + k + 1]!;
      dRows[h + k]! += slope * (rRe * tRe + rIm * tIm);
      dRows[h + k + 1]! += slope * (rRe * tIm - rIm * tRe);
      dRelations[r + k]! += slope * (hRe * tRe + hIm * tIm);
      dRelations[r + k + 1]! += slope * (hRe * tIm - hIm * tRe);
      dRows[t + k]! += slope * (hRe * rRe - hIm * rIm);
      dRows[t + k + 1]! += slope * (hRe * rIm + hIm * rRe);
    }
  },
};

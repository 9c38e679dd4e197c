import { type Decoder, DISTANCE_MIN } from "./decoder.ts";

/** Sum of d/2 equal distances whose squares sum to one, as is TransE's margin. */
const marginOf = (d: number): number => Math.sqrt(d / 2);

/**
 * margin - sum_k |h_k r_k - t_k| over complex numbers, |r_k| = 1: a relation turns its heads to where its tails are. Not symmetric,
 * unless each phase is 0 or pi.
 *
 * The margin is fixed, for the reason that TransE's is.
 *
 * @see Sun et al., "RotatE: Knowledge Graph Embedding by Relational Rotation in Complex Space", ICLR 2019
 */
export const rotatE: Decoder = {
  name: "rotate",
  isComplex: true,
  hasPhases: true,
  relationLimit: () => Math.PI,
  margin: marginOf,

  score(heads, h, relations, r, tails, t, d) {
    let distance = 0;
    for (let k = 0; k < d; k += 2) {
      const hRe = heads[h + k]!;
      const hIm = heads[h + k + 1]!;
      const rRe = relations[r + k]!;
      const rIm = relations[r + k + 1]!;
      const re = hRe * rRe - hIm * rIm - tails[t + k]!;
      const im = hRe * rIm + hIm * rRe - tails[t + k + 1]!;
      distance += Math.sqrt(re * re + im * im);
    }
    return marginOf(d) - distance;
  },

  addGradients(slope, rows, h, relations, r, t, d, dRows, dRelations) {
    for (let k = 0; k < d; k += 2) {
      const hRe = rows[h + k]!;
      const hIm = rows[h + k + 1]!;
      const rRe = relations[r + k]!;
      const rIm = relations[r + k + 1]!;
      const re = hRe * rRe - hIm * rIm - rows[t + k]!;
      const im = hRe * rIm + hIm * rRe - rows[t + k + 1]!;
      const scale = -slope / Math.max(Math.sqrt(re * re + im * im), DISTANCE_MIN);
      const gRe = scale * re;
      const gIm = scale * im;
      dRows[h + k]! += gRe * rRe + gIm * rIm;
      dRows[h + k + 1]! += gIm * rRe - gRe * rIm;
      dRelations[r + k]! += gRe * hRe + gIm * hIm;
      dRelations[r + k + 1]! += gIm * hRe - gRe * hIm;
      dRows[t + k]! -= gRe;
      dRows[t + k + 1]! -= gIm;
    }
  },
};

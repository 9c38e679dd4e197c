/** How well scores order edges. Larger is odder. */
export type Ranking = { readonly auc: number; readonly averagePrecision: number };

/**
 * ROC-AUC, ties counted half, and average precision, ties counted against the method: of equal scores the normal edges
 * come first. O(n log n); sorts its arguments.
 */
export function rankingOf(attacks: Float64Array, normal: Float64Array): Ranking {
  attacks.sort();
  normal.sort();
  let wins = 0;
  let precisions = 0;
  let below = 0;
  let upTo = 0;
  for (const [i, score] of attacks.entries()) {
    while (below < normal.length && normal[below]! < score) below++;
    while (upTo < normal.length && normal[upTo]! <= score) upTo++;
    wins += (below + upTo) / 2;
    const attacksFrom = attacks.length - i;
    precisions += attacksFrom / (attacksFrom + normal.length - below);
  }
  return {
    auc: wins / (attacks.length * normal.length),
    averagePrecision: precisions / attacks.length,
  };
}

/** Bins of the histogram: a fifth of a decade of the score each, from 1 down to 1e-20. */
const BINS_PER_DECADE = 5;
const DECADES = 20;

export type ScoreBin = {
  /** Scores in (from, to]; the lowest bin takes everything below as well. */
  readonly from: number;
  readonly to: number;
  readonly negatives: number;
  readonly positives: number;
};

/** How many logins got which score, positives apart; scores in [0, 1]. */
export class ScoreHistogram {
  readonly #negatives = new Float64Array(BINS_PER_DECADE * DECADES);
  readonly #positives = new Float64Array(BINS_PER_DECADE * DECADES);

  add(score: number, positive: boolean): void {
    const last = this.#negatives.length - 1;
    const bin = score > 0 ? Math.floor(-Math.log10(score) * BINS_PER_DECADE) : last;
    (positive ? this.#positives : this.#negatives)[Math.min(Math.max(bin, 0), last)]!++;
  }

  /** From the lowest scores to the highest, without the empty bins at both ends. */
  bins(): ScoreBin[] {
    const all = Array.from(this.#negatives, (negatives, bin) => ({
      from: 10 ** (-(bin + 1) / BINS_PER_DECADE),
      to: 10 ** (-bin / BINS_PER_DECADE),
      negatives,
      positives: this.#positives[bin]!,
    }));
    const isUsed = (bin: ScoreBin) => bin.negatives + bin.positives > 0;
    return all.slice(Math.max(0, all.findIndex(isUsed)), all.findLastIndex(isUsed) + 1).reverse();
  }
}

/** Fewer logins say nothing of how scores are distributed. */
const LOGINS_MIN = 1000;
/** Added to each count, so that a bin that is empty on one side does not weigh without bound. */
const SMOOTHING = 0.5;

/**
 * How far the scores since the epoch in force was adopted are from those before: the population stability index over decades of
 * score. Below 0.1 hardly anything has changed, above 0.25 much has.
 *
 * @see Siddiqi, "Credit Risk Scorecards", 2006, chapter 9
 */
export class ScoreDrift {
  /** Scored logins by decade when the epoch in force was adopted, and when the one before was. */
  #adopted: readonly number[] | undefined;
  #before: readonly number[] | undefined;

  /** @param decades scored logins so far, by decade of score */
  adopted(decades: readonly number[]): void {
    this.#before = this.#adopted ?? decades.map(() => 0);
    this.#adopted = [...decades];
  }

  /** Undefined before an epoch came into force, and while there are too few logins on either side. */
  index(decades: readonly number[]): number | undefined {
    if (this.#adopted === undefined || this.#before === undefined) return undefined;
    const before = minus(this.#adopted, this.#before);
    const since = minus(decades, this.#adopted);
    if (sum(before) < LOGINS_MIN || sum(since) < LOGINS_MIN) return undefined;
    const shares = (counts: readonly number[]): number[] => {
      const total = sum(counts) + SMOOTHING * counts.length;
      return counts.map((count) => (count + SMOOTHING) / total);
    };
    const expected = shares(before);
    return shares(since).reduce(
      (psi, share, bin) => psi + (share - expected[bin]!) * Math.log(share / expected[bin]!),
      0,
    );
  }
}

function minus(a: readonly number[], b: readonly number[]): number[] {
  return a.map((count, bin) => count - b[bin]!);
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

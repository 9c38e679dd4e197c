/**
 * What a plain counter knows about a login from `source` to `target`, before that login is added. Counts of logins in the
 * window; degrees are distinct neighbours.
 */
export type PairFacts = {
  /** Logins from this source to this target. */
  readonly pairCount: number;
  /** Logins from this source to anywhere. */
  readonly sourceCount: number;
  /** Logins from anywhere to this target. */
  readonly targetCount: number;
  readonly sourceDegree: number;
  readonly targetDegree: number;
};

export type Baseline = {
  readonly name: string;
  /** One line for a table's legend. */
  readonly help: string;
  /** Larger is odder; no fixed range. Turn the sign to get a score that ranks like oddlink's. */
  readonly oddness: (facts: PairFacts) => number;
};

/**
 * The counters that every detector is shown beside. They are strong on logins: a model that can't beat them adds nothing.
 */
export const BASELINES: readonly Baseline[] = [
  {
    name: "never-seen-link",
    help: "1 if this source never logged in to this target, else 0",
    oddness: ({ pairCount }) => (pairCount === 0 ? 1 : 0),
  },
  {
    name: "target-given-source",
    help: "-ln p(target | source), p = (n_st + .5) / (n_s + 1)",
    oddness: ({ pairCount, sourceCount }) => surprisal(pairCount, sourceCount),
  },
  {
    name: "source-given-target",
    help: "-ln p(source | target), p = (n_st + .5) / (n_t + 1)",
    oddness: ({ pairCount, targetCount }) => surprisal(pairCount, targetCount),
  },
  {
    name: "degree-sum",
    help: "-(degree of source + degree of target): few neighbours are odd",
    // From zero, so that two unknown hosts give 0 and not -0.
    oddness: ({ sourceDegree, targetDegree }) => 0 - (sourceDegree + targetDegree),
  },
];

/** -ln of a share, in nats; the half keeps a pair never seen finite. */
function surprisal(pairCount: number, contextCount: number): number {
  return -Math.log((pairCount + 0.5) / (contextCount + 1));
}

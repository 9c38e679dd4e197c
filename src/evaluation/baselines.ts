/**
 * What a plain counter or a rule knows about a login from `source` to `target`, before that login is added. Counts of
 * logins in the window; degrees are distinct neighbours.
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
  /** Whether the login shows weak evidence: where logins are Windows', that is NTLM. */
  readonly isWeak: boolean;
  /** Whether the presence rule fired. */
  readonly isPresence: boolean;
};

export type Baseline = {
  readonly name: string;
  /** One line for a table's legend. */
  readonly help: string;
  /** Larger is odder; no fixed range. Turn the sign to get a score that ranks like oddlink's. */
  readonly oddness: (facts: PairFacts) => number;
};

/**
 * The counters and rules that every detector is shown beside. They are strong on logins: a model that can't beat them adds
 * nothing.
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
  {
    name: "never-seen-and-weak",
    help: "1 if this source never logged in to this target, and evidence is weak (NTLM), else 0",
    oddness: ({ pairCount, isWeak }) => (pairCount === 0 && isWeak ? 1 : 0),
  },
  {
    name: "weak-then-rarity",
    help: "weak evidence (NTLM) first; within, the fewest logins of the pair",
    oddness: (facts) => (facts.isWeak ? 1 : 0) + rarity(facts.pairCount),
  },
  {
    name: "presence-weak-rarity",
    help: "logins of the presence rule first, then weak evidence (NTLM); within, the fewest logins of the pair",
    oddness: (facts) => (facts.isPresence ? 2 : facts.isWeak ? 1 : 0) + rarity(facts.pairCount),
  },
  {
    name: "never-seen-degree",
    help: "pairs never seen first; within, the lowest degree sum",
    oddness: ({ pairCount, sourceDegree, targetDegree }) =>
      (pairCount === 0 ? 1 : 0) + rarity(sourceDegree + targetDegree),
  },
];

/** -ln of a share, in nats; the half keeps a pair never seen finite. */
function surprisal(pairCount: number, contextCount: number): number {
  return -Math.log((pairCount + 0.5) / (contextCount + 1));
}

/** In (0, 1): the rarer, the larger, and never enough to make up for a step of 1. */
function rarity(count: number): number {
  return 1 / (count + 2);
}

import { WEAK } from "../ingest/login-bytes.ts";
import { BASELINES, type PairFacts } from "./baselines.ts";
import type { Curves } from "./curves.ts";
import { type Ranking, RankingAccumulator, type RecallByScenario, type ScoredLogin } from "./ranking.ts";
import type { StreamedLogin } from "./stream.ts";

/** Local logins have no pair of hosts: for the baselines, which count pairs, nothing is less odd. */
const LEAST_ODD = Number.MAX_VALUE;

/** A ranking, and its recall by scenario where labels name scenarios. */
export type ScenarioRanking = Ranking & { readonly byScenario?: RecallByScenario };

export function scenarioRanking(ranking: RankingAccumulator): ScenarioRanking {
  const byScenario = ranking.byScenario();
  return { ...ranking.result(), ...(byScenario === undefined ? {} : { byScenario }) };
}

/** How the baselines rank the very logins that a detector was asked about. */
export class BaselineRankings {
  readonly #rankings: readonly RankingAccumulator[];

  constructor(options: { readonly startMs?: number | undefined }) {
    this.#rankings = BASELINES.map(() => new RankingAccumulator(options));
  }

  /** @returns the score of each baseline, in their order; low is odd */
  add(streamed: StreamedLogin, row: Omit<ScoredLogin, "score">): number[] {
    const pair = pairFacts(streamed);
    return BASELINES.map((baseline, i) => {
      const score = streamed.facts.isRemote ? -baseline.oddness(pair) : LEAST_ODD;
      this.#rankings[i]!.add({ ...row, score });
      return score;
    });
  }

  results(): Record<string, ScenarioRanking> {
    return Object.fromEntries(BASELINES.map(({ name }, i) => [name, scenarioRanking(this.#rankings[i]!)]));
  }

  curves(): Record<string, Curves | undefined> {
    return Object.fromEntries(BASELINES.map(({ name }, i) => [name, this.#rankings[i]!.curves()]));
  }
}

/** What the baselines know of a login that was just scored. */
export function pairFacts({
  login,
  scored,
  facts,
}: Pick<StreamedLogin, "login" | "scored" | "facts">): PairFacts {
  return {
    pairCount: facts.sourceTargetCount,
    sourceCount: facts.sourceCount,
    targetCount: facts.targetCount,
    sourceDegree: facts.sourceDegree,
    targetDegree: facts.targetDegree,
    isWeak: login.evidence === WEAK,
    isPresence: scored.isPresence,
  };
}

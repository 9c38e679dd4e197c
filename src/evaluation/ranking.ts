import assert from "node:assert/strict";
import { type Curves, curvesOf } from "./curves.ts";
import { ranksInDay } from "./day-ranks.ts";
import { NumberColumn, TimedScores } from "./timed-scores.ts";

/** Shares of all scored logins that an analyst looks at, as the exact divisor of the count. */
const SHARES = [
  ["0.001", 1000],
  ["0.005", 200],
  ["0.01", 100],
] as const;

/** Alerts a day that an analyst looks at. */
const ALERTS_PER_DAY = ["1", "5", "10", "50"] as const;
/** The two of them that recall by scenario is given at. */
const SCENARIO_ALERTS_PER_DAY = ["10", "50"] as const;
/** In the place of a scenario: none was named. */
const NO_SCENARIO = -1;

export type ScoredLogin = {
  /** Low is odd. A baseline's oddness enters with its sign turned. Never NaN. */
  readonly score: number;
  /** Whether a label names this login. */
  readonly positive: boolean;
  /** What kind of attack a positive is part of, where its label says so. */
  readonly scenario?: string | undefined;
  /** Event time, milliseconds since the epoch. */
  readonly timeMs: number;
  /** What the login is grouped by. A number costs less memory than a string. */
  readonly incident: string | number;
};

/** How well the positives rank. Every metric is null where it can't be told: without positives, or (FPR) negatives. */
export type RankingMetrics = {
  readonly scored: number;
  readonly positives: number;
  /** Mean over the positives of the precision at their rank. */
  readonly averagePrecision: number | null;
  /** Share of the negatives that must be looked at to find half of the positives. */
  readonly fprAtRecall50: number | null;
  /** Share of the positives among the oddest `floor(share x scored)`. */
  readonly recallAtShare: Readonly<Record<(typeof SHARES)[number][0], number | null>>;
  /** Share of the positives among the N oddest of each day, days being 24 hours from the start of the scored period. */
  readonly recallAtAlertsPerDay: Readonly<Record<(typeof ALERTS_PER_DAY)[number], number | null>>;
};

/** The numbers of `evaluate --json` for one detector and one seed: by login, and by incident. */
export type Ranking = RankingMetrics & { readonly incidents: RankingMetrics };

/** Of the positives of one scenario, the share among the N oddest logins (or incidents) of each day, all scenarios in one list. */
export type ScenarioRecall = {
  readonly positives: number;
  readonly recallAtAlertsPerDay: Readonly<Record<(typeof SCENARIO_ALERTS_PER_DAY)[number], number | null>>;
};
/** By login, and by incident. An incident is of the scenario of its first positive login. */
export type RecallByScenario = Readonly<
  Record<string, ScenarioRecall & { readonly incidents: ScenarioRecall }>
>;

/**
 * Collects scored logins and ranks them once at the end.
 *
 * Ties always count against the detector: among equal scores the negatives rank first, and a budget of N takes N, not the
 * whole tie. An incident has the lowest score of its logins, the time of that login (the earliest, if equal), and is
 * positive if any of them is.
 *
 *   a login      score:f64 timeMs:f64                 16 B   (positives and negatives lie apart)
 *   an incident  score:f64 timeMs:f64 positive:f64    24 B   + its key in a Map, some 40 B and the string
 *
 * Five million logins are 80 MB, and 40 MB more while they are sorted.
 */
export class RankingAccumulator {
  readonly #startMs: number | undefined;
  #firstMs = Number.POSITIVE_INFINITY;
  readonly #negatives = new TimedScores();
  readonly #positives = new TimedScores();
  readonly #incidentIds = new Map<string | number, number>();
  readonly #incidents = new TimedScores();
  readonly #incidentPositive = new NumberColumn();
  readonly #scenarios: string[] = [];
  /** Scenario of each positive, and of each incident that has one. */
  readonly #scenarioOfPositive = new NumberColumn();
  readonly #scenarioOfIncident = new Map<number, number>();

  /** @param options.startMs start of the scored period; by default the earliest login's time */
  constructor(options: { readonly startMs?: number | undefined } = {}) {
    this.#startMs = options.startMs;
  }

  /** Logins added. */
  get scored(): number {
    return this.#negatives.length + this.#positives.length;
  }

  /** In any order of time. */
  add({ score, positive, timeMs, incident, scenario }: ScoredLogin): void {
    assert(!Number.isNaN(score), "a score is a number");
    assert(Number.isFinite(timeMs), "an event time is a finite number");
    if (timeMs < this.#firstMs) this.#firstMs = timeMs;
    (positive ? this.#positives : this.#negatives).push(score, timeMs);
    let id = this.#incidentIds.get(incident);
    if (id === undefined) {
      id = this.#incidents.length;
      this.#incidentIds.set(incident, id);
      this.#incidents.push(score, timeMs);
      this.#incidentPositive.push(0);
    } else {
      this.#incidents.lower(id, score, timeMs);
    }
    if (!positive) return;
    this.#incidentPositive.set(id, 1);
    const index = scenario === undefined ? NO_SCENARIO : this.#scenarioIndex(scenario);
    this.#scenarioOfPositive.push(index);
    if (index !== NO_SCENARIO && !this.#scenarioOfIncident.has(id)) this.#scenarioOfIncident.set(id, index);
  }

  /** The metrics of what was added so far. Costs one sort, and leaves the accumulator as it was. */
  result(): Ranking {
    const { negatives, positives } = this.#incidentSides();
    return {
      ...metricsOf(this.#negatives, this.#positives, this.#start),
      incidents: metricsOf(negatives, positives, this.#start),
    };
  }

  /** Recall by scenario, by the order in which scenarios first came; undefined if no label named one. */
  byScenario(): RecallByScenario | undefined {
    if (this.#scenarios.length === 0) return undefined;
    const { negatives, positives, ids } = this.#incidentSides();
    const logins = scenarioRecall(
      ranksInDay(this.#negatives, this.#positives, this.#start),
      (i) => this.#scenarioOfPositive.get(i),
      this.#scenarios.length,
    );
    const incidents = scenarioRecall(
      ranksInDay(negatives, positives, this.#start),
      (i) => this.#scenarioOfIncident.get(ids[i]!) ?? NO_SCENARIO,
      this.#scenarios.length,
    );
    return Object.fromEntries(
      this.#scenarios.map((scenario, i) => [scenario, { ...logins[i]!, incidents: incidents[i]! }]),
    );
  }

  /** What is drawn of a ranking. Both curves are undefined without positives. */
  curves(): Curves | undefined {
    return curvesOf(this.#negatives, this.#positives, this.#start);
  }

  get #start(): number {
    return this.#startMs ?? this.#firstMs;
  }

  #scenarioIndex(scenario: string): number {
    const known = this.#scenarios.indexOf(scenario);
    return known === -1 ? this.#scenarios.push(scenario) - 1 : known;
  }

  /** Incidents without and with positives; `ids` says which the latter are. */
  #incidentSides(): { negatives: TimedScores; positives: TimedScores; ids: number[] } {
    const negatives = new TimedScores();
    const positives = new TimedScores();
    const ids: number[] = [];
    for (let id = 0; id < this.#incidents.length; id++) {
      const isPositive = this.#incidentPositive.get(id) === 1;
      if (isPositive) ids.push(id);
      (isPositive ? positives : negatives).push(
        this.#incidents.score.get(id),
        this.#incidents.timeMs.get(id),
      );
    }
    return { negatives, positives, ids };
  }
}

function scenarioRecall(
  ranks: Float64Array,
  scenarioOf: (positive: number) => number,
  count: number,
): ScenarioRecall[] {
  const groups: number[][] = Array.from({ length: count }, () => []);
  for (const [i, rank] of ranks.entries()) groups[scenarioOf(i)]?.push(rank);
  return groups.map((group) => ({
    positives: group.length,
    recallAtAlertsPerDay: Object.fromEntries(
      SCENARIO_ALERTS_PER_DAY.map((n) => [
        n,
        group.length === 0 ? null : group.filter((rank) => rank <= Number(n)).length / group.length,
      ]),
    ) as ScenarioRecall["recallAtAlertsPerDay"],
  }));
}

function metricsOf(negatives: TimedScores, positives: TimedScores, startMs: number): RankingMetrics {
  const scored = negatives.length + positives.length;
  const counts = { scored, positives: positives.length };
  const recall = (found: number) => (positives.length === 0 ? null : found / positives.length);
  const ranks = ranksInDay(negatives, positives, startMs);
  const recallAtAlertsPerDay = Object.fromEntries(
    ALERTS_PER_DAY.map((n) => [n, recall(ranks.filter((rank) => rank <= Number(n)).length)]),
  ) as RankingMetrics["recallAtAlertsPerDay"];

  // Both sides apart, sorted natively: a tenth of the time of one sort with a comparator.
  const low = negatives.score.toArray().sort();
  const hits = positives.score.toArray().sort();
  const budgets = SHARES.map(([, divisor]) => Math.floor(scored / divisor));
  const foundInBudget = SHARES.map(() => 0);
  const half = Math.ceil(hits.length / 2);
  let before = 0;
  let precisionSum = 0;
  let fprAtRecall50: number | null = null;
  for (let i = 0; i < hits.length; i++) {
    while (before < low.length && low[before] <= hits[i]) before++;
    const rank = before + i + 1;
    precisionSum += (i + 1) / rank;
    if (i + 1 === half && low.length > 0) fprAtRecall50 = before / low.length;
    for (let b = 0; b < budgets.length; b++) if (rank <= budgets[b]) foundInBudget[b]++;
  }
  return {
    ...counts,
    averagePrecision: hits.length === 0 ? null : precisionSum / hits.length,
    fprAtRecall50,
    recallAtShare: Object.fromEntries(
      SHARES.map(([share], b) => [share, recall(foundInBudget[b])]),
    ) as RankingMetrics["recallAtShare"],
    recallAtAlertsPerDay,
  };
}

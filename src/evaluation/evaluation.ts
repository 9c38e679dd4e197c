import type { AlertGroup } from "../graph-state/alert-groups.ts";
import { BaselineRankings, type ScenarioRanking, scenarioRanking } from "./baseline-rankings.ts";
import { BudgetAccumulator, type BudgetHolding } from "./budget-holding.ts";
import type { Curves } from "./curves.ts";
import type { NotebookFigures } from "./notebook/comparator.ts";
import { RankingAccumulator } from "./ranking.ts";
import { type ScoreBin, ScoreHistogram } from "./score-histogram.ts";
import { type StreamInput, streamLogins } from "./stream.ts";

/** What one detector found at its own threshold, as an analyst would have got it. */
export type RaisedAlerts = {
  readonly alerts: number;
  /** Positives among them, and positives in all. */
  readonly truePositives: number;
  readonly positives: number;
  readonly days: number;
};

/** One seed's figures: numbers, and objects of numbers, alone, so that their spread can be told. */
export type Evaluation = ScenarioRanking & {
  readonly raised: RaisedAlerts;
  readonly baselines: Readonly<Record<string, ScenarioRanking>>;
  /** How the alert budget was held; the comparator has none. */
  readonly budget?: BudgetHolding;
  /** Weight that surprise gave each feature in the end, per standard deviation; null if it had learnt none. */
  readonly contrastWeights?: Readonly<Record<string, number>> | null;
  /** Each signal alone, and the default without each, where asked for. */
  readonly ablation?: Readonly<Record<string, ScenarioRanking>>;
  /** What the comparator says besides, where it was the detector. */
  readonly notebook?: NotebookFigures;
};

/** What is drawn of one seed's evaluation. */
export type Drawing = {
  /** Of the detector, then of the baselines by name; undefined without positives. */
  readonly own: Curves | undefined;
  readonly baselines: Readonly<Record<string, Curves | undefined>>;
  readonly scores: readonly ScoreBin[];
  /** Alerts under the budget by day; the last day may not be over. */
  readonly alertsByDay: readonly number[];
};

export type Evaluated = { readonly figures: Evaluation; readonly drawing: Drawing };

/** How names were replaced: under a key of this run's own, one that the seed stands for, or not at all. */
export type RenamingMode = "random-key" | "seed-key" | "off";

/** What `evaluate --json` prints: the figures of the first seed, and the spread over all of them. */
export type EvaluationReport = Evaluation & {
  readonly detector: string;
  readonly seeds: readonly number[];
  readonly renaming: RenamingMode;
  readonly labels: { readonly lines: number; readonly distinct: number; readonly matched: number };
  readonly spread: unknown;
};

function nameOf({ user, sourceHost, slotStartMs }: AlertGroup): string {
  return JSON.stringify([user, sourceHost, slotStartMs]);
}

/**
 * Scores a labelled stream causally and ranks what came from `fromMs` on against the labels, the baselines beside.
 *
 * @param onScored told of each login of the scored period: its score, and those of the baselines in their order
 */
export async function evaluate(
  input: StreamInput & { readonly onScored?: (score: number, baselines: readonly number[]) => void },
): Promise<Evaluated> {
  const { config, fromMs } = input;
  const period = { startMs: fromMs };
  const own = new RankingAccumulator(period);
  const baselines = new BaselineRankings(period);
  const budget = new BudgetAccumulator(config.threshold === undefined ? config.alertsPerDay : null, fromMs);
  const scores = new ScoreHistogram();
  let alerts = 0;
  let truePositives = 0;
  let positives = 0;

  const { contrastWeights } = await streamLogins(input, (streamed) => {
    if (!streamed.isInPeriod) return;
    const { scored, label, incident } = streamed;
    const { timeMs } = streamed.login;
    const { score } = scored;
    const { isAlert, group } = scored.decision!;
    const positive = label !== undefined;
    const row = { positive, timeMs, incident, scenario: label?.scenario };
    own.add({ ...row, score });
    scores.add(score, positive);
    const others = baselines.add(streamed, row);
    input.onScored?.(score, others);
    budget.pass(timeMs);
    if (isAlert && scored.signal === "presence") budget.presenceAlert(timeMs, nameOf(group!), positive);
    // Volume has a budget of its own.
    else if (isAlert && (scored.signal !== "volume" || config.detector === "volume")) budget.alert(timeMs);
    if (isAlert) alerts++;
    if (isAlert && positive) truePositives++;
    if (positive) positives++;
  });
  return {
    figures: {
      ...scenarioRanking(own),
      raised: { alerts, truePositives, positives, days: budget.daysBegun },
      budget: budget.result(),
      baselines: baselines.results(),
      contrastWeights: contrastWeights ?? null,
    },
    drawing: {
      own: own.curves(),
      baselines: baselines.curves(),
      scores: scores.bins(),
      alertsByDay: budget.alertsByDay(),
    },
  };
}

import type { BudgetHolding } from "../../evaluation/budget-holding.ts";
import type { EvaluationReport, RenamingMode } from "../../evaluation/evaluation.ts";
import type { NotebookFigures, NotebookMode } from "../../evaluation/notebook/comparator.ts";
import type { RankingMetrics, RecallByScenario } from "../../evaluation/ranking.ts";
import type { Spread } from "../../evaluation/spread.ts";
import { countText } from "./numbers.ts";
import { sentenceText } from "./outside-text.ts";

const WIDTHS = [26, 7, 9, 7, 7, 7, 7] as const;
/** A scenario's name may be any text: more of it than this is cut. */
const SCENARIO_LENGTH_MAX = WIDTHS[0];

const NAMES: Readonly<Record<RenamingMode, string>> = {
  "random-key": "pseudonyms, under a key of this run's own",
  "seed-key": "pseudonyms, under a key that follows from the seed",
  off: "as they are (--keep-names)",
};

/** The figures of `evaluate` as tables: the detector first, its incidents, the baselines, then what else was asked for. */
export function renderEvaluation(report: EvaluationReport): string {
  const { raised, labels, byScenario, ablation, notebook, budget } = report;
  const lines = [
    `${countText(report.scored)} logins scored, ${report.positives} of them labelled; ${labels.matched} of ${labels.distinct} labels found in the input`,
    `Names of users and hosts: ${NAMES[report.renaming]}.`,
    "",
    header(""),
    metricsRow(`${report.detector}, by login`, report),
    metricsRow(`${report.detector}, by incident`, report.incidents),
    ...(notebook === undefined ? [] : [metricsRow("as it did, by login", notebook.seedMode.ranking)]),
    ...Object.entries(report.baselines).map(([name, ranking]) => metricsRow(name, ranking)),
    "",
    ...(ablation === undefined
      ? []
      : [
          header("Ablation, by login"),
          ...Object.entries(ablation).map(([name, ranking]) => metricsRow(name, ranking)),
          "",
        ]),
    ...(byScenario === undefined ? [] : scenarioLines(byScenario)),
    ...(notebook === undefined ? [] : notebookLines(notebook)),
    `Alerts raised: ${raised.alerts} in ${raised.days} days; ${raised.truePositives} of ${raised.positives} labelled logins among them.`,
    ...(budget === undefined ? [] : budgetLines(budget)),
    ...(report.positives > 0
      ? []
      : [
          "No login of the scored period is labelled: are the times of the labels, and --from, in the source's own unit?",
        ]),
    ...weightLines(report.contrastWeights),
    "AP average precision; FPR@50% share of the rest looked at to find half; R@N/d recall at N alerts a day.",
    "Ties count against the detector. Labels are incomplete, so precision is a lower bound.",
  ];
  if (report.seeds.length > 1) lines.push(...spreadLines(report));
  return lines.join("\n");
}

function scenarioLines(byScenario: RecallByScenario): string[] {
  return [
    row(["By scenario", "logins", "R@10/d", "R@50/d", "incid.", "R@10/d", "R@50/d"]),
    ...Object.entries(byScenario).map(([name, { incidents, ...logins }]) =>
      row([
        sentenceText(name).slice(0, SCENARIO_LENGTH_MAX),
        ...[logins, incidents].flatMap(({ positives, recallAtAlertsPerDay: recall }) => [
          String(positives),
          number(recall["10"], 2),
          number(recall["50"], 2),
        ]),
      ]),
    ),
    "",
  ];
}

function notebookLines({ causal, seedMode }: NotebookFigures): string[] {
  const line = (name: string, mode: NotebookMode) =>
    `${name}: trained on ${countText(mode.trainingRows)} logins of ${countText(mode.nodes)} hosts, loss ${mode.loss.toFixed(3)}; ` +
    `${countText(mode.unseen)} logins with a host unseen. Below .03: ${countText(mode.below003.alerts)} alerts, ` +
    `${mode.below003.truePositives} labelled; below mean - 2 sd: ${countText(mode.belowTwoDeviations.alerts)}, ` +
    `${mode.belowTwoDeviations.truePositives} labelled.`;
  return [
    line("Causal", causal),
    line("As it did, on all rows", seedMode),
    "The latter is trained on the very logins it scores, labelled ones among them: no figure to compare with.",
    "",
  ];
}

function budgetLines(budget: BudgetHolding): string[] {
  const { alertsPerDay, days, alerts, meanError, weeks } = budget;
  const unlabelled = budget.presenceIncidentsWithoutLabelPerDay;
  const presence =
    `Presence besides: ${budget.presenceAlerts} alerts in ${budget.presenceIncidents} incidents` +
    (unlabelled === null
      ? "."
      : `; ${number(unlabelled.mean, 1)} incidents a day without a labelled login, ${unlabelled.most} at most.`);
  if (alertsPerDay === null) return [`No budget: the threshold is fixed. ${presence}`];
  if (meanError === null) return [`Budget of ${alertsPerDay} a day: less than a day to tell by. ${presence}`];
  const percent = (share: number | null) => (share === null ? "-" : `${Math.round(100 * share)} %`);
  return [
    `Budget of ${alertsPerDay} a day: ${alerts} alerts in ${days} whole days, mean error ${percent(meanError)}; within 20 %: ` +
      `${percent(budget.daysWithin20Percent)} of the days, ${percent(budget.weeksWithin20Percent)} of ${weeks} whole weeks. ${presence}`,
  ];
}

function weightLines(weights: EvaluationReport["contrastWeights"]): string[] {
  if (weights === undefined || weights === null) return [];
  const sorted = Object.entries(weights)
    .filter(([, weight]) => weight > 0)
    .sort(([, a], [, b]) => b - a);
  return [
    `Weights of surprise in the end, per standard deviation: ${sorted.map(([name, weight]) => `${name} ${weight.toFixed(2)}`).join(", ")}.`,
  ];
}

function spreadLines(report: EvaluationReport): string[] {
  const spread = report.spread as {
    readonly averagePrecision: Spread | null;
    readonly recallAtAlertsPerDay: Readonly<Record<string, Spread | null>>;
  };
  const text = (value: Spread | null, digits: number) =>
    value === null
      ? "-"
      : `${value.mean.toFixed(digits)} (${value.min.toFixed(digits)} to ${value.max.toFixed(digits)})`;
  return [
    `Figures of seed ${report.seeds[0]}. Mean (and range) over ${report.seeds.length} seeds: AP ${text(spread.averagePrecision, 3)}, ` +
      `R@10/d ${text(spread.recallAtAlertsPerDay["10"]!, 2)}; --json has all of them.`,
  ];
}

function header(title: string): string {
  return row([title, "AP", "FPR@50%", "R@1/d", "R@5/d", "R@10/d", "R@50/d"]);
}

function metricsRow(name: string, metrics: RankingMetrics): string {
  const recall = metrics.recallAtAlertsPerDay;
  return row([
    name,
    number(metrics.averagePrecision, 3),
    number(metrics.fprAtRecall50, 4),
    ...(["1", "5", "10", "50"] as const).map((n) => number(recall[n], 2)),
  ]);
}

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(WIDTHS[i]!) : cell.padStart(WIDTHS[i]!))).join(" ");
}

function number(value: number | null, digits: number): string {
  return value === null ? "-" : value.toFixed(digits);
}

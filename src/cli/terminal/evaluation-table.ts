import type { EvaluationReport } from "../../evaluation/evaluation.ts";
import type { RankingMetrics } from "../../evaluation/ranking.ts";
import { countText } from "./numbers.ts";

const WIDTHS = [22, 7, 9, 7, 7, 7, 7] as const;

/** The figures of `evaluate` as a table: the detector first, its incidents, then the baselines. */
export function renderEvaluation(report: EvaluationReport): string {
  const { raised, labels } = report;
  const lines = [
    `${countText(report.scored)} logins scored, ${report.positives} of them labelled; ${labels.matched} of ${labels.distinct} labels found in the input`,
    "",
    row(["", "AP", "FPR@50%", "R@1/d", "R@5/d", "R@10/d", "R@50/d"]),
    metricsRow(`${report.detector}, by login`, report),
    metricsRow(`${report.detector}, by incident`, report.incidents),
    ...Object.entries(report.baselines).map(([name, ranking]) => metricsRow(name, ranking)),
    "",
    `Alerts raised: ${raised.alerts} in ${raised.days} days; ${raised.truePositives} of ${raised.positives} labelled logins among them.`,
    "AP average precision; FPR@50% share of the rest looked at to find half; R@N/d recall at N alerts a day.",
    "Ties count against the detector. Labels are incomplete, so precision is a lower bound.",
  ];
  if (report.seeds.length > 1)
    lines.push(
      `Figures of seed ${report.seeds[0]}; --json has the spread over ${report.seeds.length} seeds.`,
    );
  return lines.join("\n");
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

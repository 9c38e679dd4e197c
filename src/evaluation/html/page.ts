import { type Axis, barChart, lineChart, type Series } from "../../html/chart.ts";
import { htmlDocument } from "../../html/document.ts";
import { type Markup, markup } from "../../html/markup.ts";
import { NOTHING, table } from "../../html/table.ts";
import type { Curves } from "../curves.ts";
import type { Drawing, EvaluationReport, RenamingMode } from "../evaluation.ts";
import type { RankingMetrics, RecallByScenario } from "../ranking.ts";
import type { Spread } from "../spread.ts";

const NAMES: Readonly<Record<RenamingMode, string>> = {
  "random-key": "replaced by pseudonyms under a key of this run's own",
  "seed-key": "replaced by pseudonyms under a key that follows from the seed",
  off: "left as they are",
};

/**
 * One page that needs nothing else: no network, no script. Figures and drawings are of the first seed; the spread over all
 * seeds stands beside what has one.
 */
export function reportPage(report: EvaluationReport, drawing: Drawing): string {
  const { raised, labels, notebook, ablation, byScenario } = report;
  const rankings: (readonly [string, RankingMetrics])[] = [
    [`${report.detector}, by login`, report],
    [`${report.detector}, by incident`, report.incidents],
    ...(notebook === undefined ? [] : [["notebook as it did, by login", notebook.seedMode.ranking] as const]),
    ...Object.entries(report.baselines),
  ];
  const body = markup`<h1>Evaluation of ${report.detector}</h1>
<p>${report.scored} logins scored, ${report.positives} of them labelled; ${labels.matched} of ${labels.distinct} labels found in the input.
Names of users and hosts were ${NAMES[report.renaming]}. ${raised.alerts} alerts in ${raised.days} days, ${raised.truePositives} of the labelled logins among them.
Each login was scored before it was added; ties count against the detector; labels are incomplete, so precision is a lower bound.</p>
${rankingTable("Detector and baselines", rankings)}
${spreadLine(report)}
${ablation === undefined ? NOTHING : rankingTable("Ablation, by login", Object.entries(ablation))}
${byScenario === undefined ? NOTHING : scenarioTable(byScenario)}
${curves(report.detector, drawing)}
${histogram(drawing)}
${budget(report, drawing)}
${weights(report)}`;
  return htmlDocument({ title: `oddlink: evaluation of ${report.detector}`, body });
}

/** One line a ranking: how well it finds what is labelled. */
export function rankingTable(
  caption: string,
  rankings: readonly (readonly [string, RankingMetrics])[],
): Markup {
  return table(
    caption,
    ["", "AP", "FPR at 50 %", "1 a day", "5 a day", "10 a day", "50 a day"],
    rankings.map(([name, metrics]) => [
      name,
      number(metrics.averagePrecision, 3),
      number(metrics.fprAtRecall50, 4),
      ...(["1", "5", "10", "50"] as const).map((n) => number(metrics.recallAtAlertsPerDay[n], 2)),
    ]),
  );
}

function scenarioTable(byScenario: RecallByScenario): Markup {
  return table(
    "Recall by scenario",
    ["", "logins", "10 a day", "50 a day", "incidents", "10 a day", "50 a day"],
    Object.entries(byScenario).map(([name, { incidents, ...logins }]) => [
      name,
      ...[logins, incidents].flatMap(({ positives, recallAtAlertsPerDay: recall }) => [
        String(positives),
        number(recall["10"], 2),
        number(recall["50"], 2),
      ]),
    ]),
  );
}

function spreadLine({ seeds, spread }: EvaluationReport): Markup {
  if (seeds.length < 2) return NOTHING;
  const { averagePrecision, recallAtAlertsPerDay } = spread as {
    readonly averagePrecision: Spread | null;
    readonly recallAtAlertsPerDay: Readonly<Record<string, Spread | null>>;
  };
  const text = (value: Spread | null | undefined) =>
    value ? `${value.mean.toFixed(3)} (${value.min.toFixed(3)} to ${value.max.toFixed(3)})` : "-";
  return markup`<p>Figures and drawings are of seed ${seeds[0]!}. Mean and range over ${seeds.length} seeds: AP ${text(averagePrecision)}, recall at 10 alerts a day ${text(recallAtAlertsPerDay["10"])}.</p>`;
}

function curves(detector: string, drawing: Drawing): Markup {
  const all = allCurves(detector, drawing);
  if (all === undefined)
    return markup`<p>No login in the scored period is labelled: there is no curve to draw.</p>`;
  const perDay = all.map(
    ([name, { recallPerDay }]): Series => ({
      name,
      points: recallPerDay.map(({ alertsPerDay, recall }) => [alertsPerDay, recall]),
    }),
  );
  const last = perDay[0]!.points.at(-1)![0];
  return markup`<h2>Precision over recall</h2>
${precisionRecallChart(detector, drawing)}
<h2>Recall over alerts a day</h2>
${lineChart("Recall over alerts a day", { label: "alerts a day", domain: [1, last], kind: "log" }, share("recall"), perDay)}`;
}

/** Precision over recall of the detector and the baselines; nothing where nothing is labelled. */
export function precisionRecallChart(detector: string, drawing: Drawing): Markup {
  const all = allCurves(detector, drawing);
  if (all === undefined) return NOTHING;
  const series = all.map(
    ([name, { precisionRecall: points }]): Series => ({
      name,
      points: points.map(({ recall, precision }) => [recall, precision]),
    }),
  );
  return lineChart("Precision over recall", share("recall"), share("precision"), series);
}

function allCurves(detector: string, { own, baselines }: Drawing): [string, Curves][] | undefined {
  if (own === undefined) return undefined;
  const all: [string, Curves][] = [[detector, own]];
  for (const [name, other] of Object.entries(baselines)) if (other !== undefined) all.push([name, other]);
  return all;
}

function share(label: string): Axis {
  return { label, domain: [0, 1], kind: "linear" };
}

function histogram({ scores }: Drawing): Markup {
  if (scores.length === 0) return NOTHING;
  const most = Math.max(...scores.map(({ negatives, positives }) => negatives + positives));
  const bars = scores.map(({ from, to, negatives, positives }) => ({
    from,
    to,
    height: negatives + positives,
    marked: positives,
    title: `${from.toExponential(1)} to ${to.toExponential(1)}: ${negatives + positives} logins, ${positives} labelled`,
  }));
  return markup`<h2>Scores</h2>
<p>Low is odd. Labelled logins are drawn in red; counts are logarithmic.</p>
${barChart("How many logins got which score", { label: "score", domain: [scores[0]!.from, scores.at(-1)!.to], kind: "log" }, { label: "logins", domain: [0, most], kind: "counts" }, bars)}`;
}

function budget({ budget: held }: EvaluationReport, { alertsByDay }: Drawing): Markup {
  if (held === undefined || alertsByDay.length === 0) return NOTHING;
  const { alertsPerDay } = held;
  const most = Math.max(1, alertsPerDay ?? 0, ...alertsByDay);
  const bars = alertsByDay.map((alerts, day) => ({
    from: day,
    to: day + 1,
    height: alerts,
    title: `day ${day + 1}: ${alerts} alerts`,
  }));
  const percent = (value: number | null) => (value === null ? "-" : `${Math.round(100 * value)} %`);
  const summary =
    alertsPerDay === null
      ? "The threshold is fixed: there is no budget."
      : `Budget ${alertsPerDay} a day: mean error ${percent(held.meanError)} over ${held.days} whole days; within 20 %: ` +
        `${percent(held.daysWithin20Percent)} of the days, ${percent(held.weeksWithin20Percent)} of ${held.weeks} whole weeks.`;
  const unlabelled = held.presenceIncidentsWithoutLabelPerDay;
  const presence =
    `Presence stands outside: ${held.presenceAlerts} alerts in ${held.presenceIncidents} incidents` +
    (unlabelled === null
      ? "."
      : `; ${number(unlabelled.mean, 1)} incidents a day without a labelled login, ${unlabelled.most} at most.`);
  return markup`<h2>Alerts by day</h2>
<p>${summary} ${presence} The last day may not be over.</p>
${barChart("Alerts under the budget by day", { label: "days since the start of the scored period", domain: [0, alertsByDay.length], kind: "linear" }, { label: "alerts", domain: [0, most], kind: "linear" }, bars, { level: alertsPerDay ?? undefined })}`;
}

function weights({ contrastWeights: learnt }: EvaluationReport): Markup {
  if (learnt === undefined || learnt === null) return NOTHING;
  const rows = Object.entries(learnt).sort(([, a], [, b]) => b - a);
  return markup`<h2>What surprise has learnt</h2>
<p>Without labels, from logins against fakes of them: what a feature adds to the log-odds for each standard deviation that a login lies above the usual. None is below zero.</p>
${table(
  "Weights in the end",
  ["feature", "weight"],
  rows.map(([name, weight]) => [name, weight.toFixed(3)]),
)}`;
}

function number(value: number | null, digits: number): string {
  return value === null ? "-" : value.toFixed(digits);
}

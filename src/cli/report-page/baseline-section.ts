import { precisionRecallChart, rankingTable } from "../../evaluation/html/page.ts";
import { type Markup, markup } from "../../html/markup.ts";
import { table } from "../../html/table.ts";
import { countText } from "../terminal/numbers.ts";
import type { Report } from "./report.ts";

/** How much simple rules would have raised, and with labels how well everything ranks. */
export function baselineSection({ baselines, evaluation, summary }: Report): Markup {
  const counts =
    baselines === undefined
      ? markup`<p>This run scored no login itself: how often simple rules would have raised something is counted while logins are read.</p>`
      : markup`<p>Each rule on its own, for every login that was scored; local logins, which have no pair of hosts, are left out.</p>
${table(
  "Logins that simple rules would have raised",
  ["rule", "logins", "of them alerts", "what it asks"],
  [
    ...baselines.map(({ name, raised, alerted, words }) => [
      name,
      countText(raised),
      countText(alerted),
      words,
    ]),
    ["oddlink", countText(summary.alerts), countText(summary.alerts), "what was raised, in all"],
  ],
  "words",
)}`;
  if (evaluation === undefined)
    return markup`${counts}<p class="soft">How well each of them ranks can't be told without labels: see --labels.</p>`;
  const { report, drawing } = evaluation;
  const rankings = [
    [`${report.detector}, by login`, report],
    [`${report.detector}, by incident`, report.incidents],
    ...Object.entries(report.baselines),
  ] as const;
  return markup`${counts}
<h3>Against labels</h3>
<p>${countText(report.scored)} logins scored, ${countText(report.positives)} of them labelled; ${countText(report.labels.matched)} of ${countText(report.labels.distinct)} labels found in the input. The
input was scored a second time for this, under pseudonyms, each login before it was added. Ties count against the detector; labels are incomplete, so precision is a lower bound.</p>
${rankingTable("Average precision, false positives at half the recall, and recall at so many alerts a day", rankings)}
${precisionRecallChart(report.detector, drawing)}`;
}

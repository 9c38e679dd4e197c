import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Drawing, EvaluationReport } from "../../../src/evaluation/evaluation.ts";
import { reportPage } from "../../../src/evaluation/html/page.ts";
import { RankingAccumulator } from "../../../src/evaluation/ranking.ts";
import { spreadOverSeeds } from "../../../src/evaluation/spread.ts";
import { elements } from "../../html/elements.ts";

const NASTY = `<script>alert("1")</script> & 'x'\u0000\n`;

function page(scenario: string | undefined, positives = 3): string {
  const ranking = new RankingAccumulator();
  for (let i = 0; i < 40; i++) {
    const positive = i < positives;
    ranking.add({ score: 10 ** -(i % 7) / 2, positive, timeMs: i * 1000, incident: i, scenario });
  }
  const result = ranking.result();
  const byScenario = ranking.byScenario();
  const figures = {
    ...result,
    ...(byScenario === undefined ? {} : { byScenario }),
    raised: { alerts: 4, truePositives: 2, positives, days: 2 },
    budget: {
      alertsPerDay: 5,
      days: 1,
      alerts: 4,
      meanError: -0.2,
      daysWithin20Percent: 1,
      weeks: 0,
      weeksWithin20Percent: null,
      presenceAlerts: 1,
      presenceIncidents: 1,
      presenceIncidentsWithoutLabelPerDay: { mean: 0.5, most: 1 },
    },
    baselines: { "degree-sum": result },
    contrastWeights: { noTicket: 0.25, sinceUserSource: 1.5 },
  };
  const report: EvaluationReport = {
    ...figures,
    detector: "default",
    seeds: [1, 2],
    renaming: "random-key",
    labels: { lines: 3, distinct: 3, matched: 3 },
    spread: spreadOverSeeds([figures, figures]),
  };
  const drawing: Drawing = {
    own: ranking.curves(),
    baselines: { "degree-sum": ranking.curves() },
    scores: [
      { from: 1e-9, to: 1e-8, negatives: 0, positives: 3 },
      { from: 0.1, to: 1, negatives: 1_000_000, positives: 0 },
    ],
    alertsByDay: [4, 0],
  };
  return reportPage(report, drawing);
}

describe("the page", () => {
  test("is well formed, has the four drawings, and a table by scenario", () => {
    const html = page("star");
    const names = elements(html);
    for (const title of ["Precision over recall", "Recall over alerts a day", "Scores", "Alerts by day"]) {
      assert.ok(html.includes(`<h2>${title}</h2>`), title);
    }
    assert.match(html, /<th scope="row">star<\/th>/);
    assert.match(html, /mean error -20 %/);
    assert.match(html, /over 2 seeds/);
    assert.ok(names.includes("polyline") && names.includes("rect"));
    assert.doesNotMatch(html, /NaN|undefined|Infinity/);
  });

  test("needs no network and no script, and lets none in", () => {
    const html = page("star");
    assert.doesNotMatch(html, /<script|<link|<img|https?:|url\(|\son[a-z]+=/i);
    assert.match(html, /Content-Security-Policy" content="default-src 'none'/);
  });

  test("shows what a label file says as text, whatever it says", () => {
    const html = page(NASTY);
    elements(html);
    assert.ok(!html.includes("<script"));
    assert.ok(html.includes("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;"));
    assert.ok(!html.includes("\u0000"));
  });

  test("says how many presence incidents a day hold no labelled login", () => {
    assert.match(page("star"), /1 incidents; 0\.5 incidents a day without a labelled login, 1 at most\./);
  });

  test("lists the weights that surprise has learnt, the largest first", () => {
    assert.match(
      page("star"),
      /sinceUserSource<\/th><td>1\.500<\/td><\/tr>\n<tr><th scope="row">noTicket<\/th><td>0\.250/,
    );
  });

  test("says that there is no curve where nothing is labelled", () => {
    const html = page(undefined, 0);
    elements(html);
    assert.match(html, /there is no curve to draw/);
    assert.doesNotMatch(html, /NaN|undefined/);
  });
});

import { htmlDocument } from "../../html/document.ts";
import { type Markup, markup } from "../../html/markup.ts";
import { NOTHING, table } from "../../html/table.ts";
import { VERSION } from "../../version.ts";
import { countText, durationText, scoreText } from "../terminal/numbers.ts";
import { nameText, sentenceText } from "../terminal/outside-text.ts";
import { baselineSection } from "./baseline-section.ts";
import { overTimeSection, scoresSection } from "./chart-sections.ts";
import { GRAPH_LEGEND, GRAPH_STYLE, graphDrawing } from "./graph-drawing.ts";
import { incidentsSection } from "./incident-section.ts";
import type { Report } from "./report.ts";
import { nameMarkup, timeMarkup } from "./text.ts";

/** Names of sources that are listed. */
const SOURCES_MAX = 20;

const STYLE = `:root{--tie:#aab2b9}@media screen and (prefers-color-scheme:dark){:root{--tie:#5d656d}}
header p{margin:.2rem 0}.soft{color:var(--soft);font-size:.9rem}
nav ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem;margin:1rem 0;padding:0;list-style:none}
.tiles li{background:var(--panel);border-radius:.4rem;padding:.5rem .8rem}.tiles b{display:block;font-size:1.5rem;line-height:1.3}
section{margin-top:2.5rem}h2{border-bottom:1px solid var(--rule);padding-bottom:.2rem}h3{display:inline;font-size:1.05rem}h4{margin:1rem 0 .2rem}
.wide table{font-size:.9rem}.name{font-family:ui-monospace,monospace;font-size:.93em}
details{margin:.6rem 0}summary{cursor:pointer}.incident{border:1px solid var(--rule);border-radius:.4rem;padding:.5rem .9rem}
.incident>summary{margin:-.5rem -.9rem;padding:.5rem .9rem}.incident[open]>summary{border-bottom:1px solid var(--rule);margin-bottom:.6rem}
.severity{border:1px solid currentColor;border-radius:.3rem;padding:0 .35rem;font-size:.8rem;font-weight:600;white-space:nowrap}
.s5,.s6,.s4{color:var(--c0)}.s3{color:var(--c3)}.s2{color:var(--c1)}.s1,.s0{color:var(--soft)}
td .name,th .name{display:inline-block;max-width:13rem}.graph{width:100%;min-width:38rem}time,.figure{white-space:nowrap}
@media print{.incident::details-content{content-visibility:visible;display:block;block-size:auto}details:not(.incident,[open]){display:none}svg,tr{break-inside:avoid}h2,h3,h4{break-after:avoid}nav{display:none}}
${GRAPH_STYLE}`;

const WHOLE_SIZE = { width: 940, height: 620 };

/** A run as one page that needs nothing else. The same report gives the same bytes. */
export function reportPage(report: Report): string {
  const sections = [
    ["summary", "Summary", summarySection(report)],
    ["incidents", "Incidents and alerts", incidentsSection(report)],
    ["graph", "The login graph around the alerts", graphSection(report)],
    ["scores", "Scores", scoresSection(report)],
    ["time", "Alerts over time", overTimeSection(report)],
    ["baselines", "Next to simple rules", baselineSection(report)],
  ] as const;
  const { summary } = report;
  const what =
    summary.alerts === 0
      ? "none found"
      : `${countText(summary.alerts)} ${summary.alerts === 1 ? "alert" : "alerts"} in ${countText(report.incidentCount)} ${report.incidentCount === 1 ? "incident" : "incidents"}`;
  const body = markup`<header>
<h1>Odd logins: ${what}</h1>
${sourcesLine(report)}
</header>
<nav aria-label="Sections"><ul>${sections.map(([id, title]) => markup`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
<main>
${sections.map(
  ([id, title, content]) => markup`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${content}
</section>
`,
)}</main>
<footer><p class="soft">Written by oddlink ${VERSION}. Nothing in this file is loaded from elsewhere, and nothing in it runs. Names of accounts and hosts are shown as the logs have them; invisible
characters in them are spelled out, such as ${"\\u{202e}"}. All times are event time, in UTC.</p></footer>`;
  return htmlDocument({ title: `oddlink: odd logins, ${what}`, style: STYLE, body });
}

function sourcesLine({ sources, period }: Report): Markup {
  const shown = sources.slice(0, SOURCES_MAX);
  const more = sources.length - shown.length;
  const names = shown.map((name, i) => markup`${i === 0 ? "" : ", "}${nameMarkup(name)}`);
  const read =
    sources.length === 0
      ? markup`<p>Of what the store holds.</p>`
      : markup`<p>Read: ${names}${more > 0 ? ` and ${countText(more)} more` : ""}.</p>`;
  if (period === undefined) return markup`${read}<p>No login was found.</p>`;
  const [fromMs, toMs] = period;
  return markup`${read}<p>Logins from ${timeMarkup(fromMs)} to ${timeMarkup(toMs)} UTC, ${durationText((toMs - fromMs) / 1000)}.</p>`;
}

function summarySection(report: Report): Markup {
  const { summary, notes, detector, limit, incidentCount } = report;
  const tile = (value: number, one: string, many: string) =>
    markup`<li><b>${countText(value)}</b> ${value === 1 ? one : many}</li>`;
  const outcomes = [
    ["scored", summary.scored, "each before it was added to the graph"],
    ["evidence", summary.evidence, "added to the graph, not scored"],
    ["ignored", summary.ignored, reasonsText(summary.ignoredReasons)],
    ["rejected", summary.rejected, reasonsText(summary.rejectedReasons)],
    ["duplicate", summary.duplicate, ""],
  ] as const;
  const isAdded = outcomes.reduce((sum, [, count]) => sum + count, 0) === summary.consumed;
  const bySignal = Object.entries(summary.alertsBySignal);
  const facts: [string, string][] = [
    ["alerts by signal", bySignal.map(([name, count]) => `${name} ${countText(count)}`).join(", ") || "none"],
    ["detector", detector],
    [
      "held to",
      "threshold" in limit
        ? `a fixed threshold of ${scoreText(limit.threshold)}`
        : `a budget of ${countText(limit.alertsPerDay)} alerts a day, presence and volume apart`,
    ],
    [
      "threshold at the end",
      summary.threshold === null ? "none: nothing but presence can alert" : scoreText(summary.threshold),
    ],
    [
      "models",
      `${countText(summary.epochs)} epochs adopted, ${countText(summary.epochsRejected)} rejected, ${countText(summary.rollBacks)} taken back`,
    ],
    ...(summary.alertsShadow > 0
      ? [
          [
            "in the shadow",
            `${countText(summary.alertsShadow)} alerts that an epoch on trial would have raised, not shown here`,
          ] as [string, string],
        ]
      : []),
    [
      "graph",
      `${countText(summary.graph.entities)} accounts and hosts, ${countText(summary.graph.links)} links`,
    ],
    ["digest of the graph", nameText(summary.graph.digest)],
  ];
  return markup`<ul class="tiles">${tile(summary.alerts, "alert", "alerts")}${tile(incidentCount, "incident", "incidents")}${tile(summary.scored, "login scored", "logins scored")}${tile(summary.graph.entities, "account or host", "accounts and hosts")}${tile(summary.graph.links, "link between them", "links between them")}${tile(summary.epochs, "model in all", "models in all")}</ul>
${table(
  "What became of the records",
  ["outcome", "records", "why"],
  [
    ...outcomes.map(([name, count, why]) => [name, countText(count), why]),
    ["in all", countText(summary.consumed), isAdded ? "the sum of these" : "these do not add up"],
  ],
  "words",
)}
${table("How they were judged", ["what", "value"], facts, "words")}
${notes.length === 0 ? NOTHING : markup`<h3>Notes</h3><ul>${notes.map((note) => markup`<li>${sentenceText(note, 1000)}</li>`)}</ul>`}`;
}

function reasonsText(reasons: Readonly<Record<string, number>>): string {
  return Object.entries(reasons)
    .map(([name, count]) => `${name} ${countText(count)}`)
    .join(", ");
}

function graphSection({ graph }: Report): Markup {
  if (graph.entities.length === 0) return markup`<p>There is no alert to draw anything around.</p>`;
  const named = graph.entities.filter(({ isNamed }) => isNamed).length;
  return markup`<p>What the graph holds at the end around the ${countText(named)} accounts and hosts that alerts name, and their most frequent
neighbours. Links between two neighbours are left out. Point at something to be told its whole name.</p>
${GRAPH_LEGEND}
${graphDrawing("graph-whole", "The login graph around the alerts", graph, WHOLE_SIZE)}`;
}

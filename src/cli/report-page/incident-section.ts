import { COMPARED } from "../../alerts/anomaly.ts";
import type { DetectionFinding, Observed } from "../../alerts/detection-finding.ts";
import { type Markup, markup } from "../../html/markup.ts";
import { type Cell, NOTHING, table } from "../../html/table.ts";
import { countText, oddsText } from "../terminal/numbers.ts";
import { nameText, sentenceText } from "../terminal/outside-text.ts";
import { graphDrawing } from "./graph-drawing.ts";
import type { Size } from "./layout.ts";
import type { Report, ReportedIncident } from "./report.ts";
import { nameMarkup, scoreMarkup, timeMarkup } from "./text.ts";

/** Incidents that are open when the page is. */
const OPEN_MAX = 3;
const SIZE: Size = { width: 900, height: 420 };

/** All incidents as a list with links, then each of them. */
export function incidentsSection({ incidents, incidentCount, summary }: Report): Markup {
  if (incidents.length === 0) return markup`<p>No alert was raised.</p>`;
  const more = incidentCount - incidents.length;
  const rows = incidents.map(({ alerts, firstMs, findings }, i): Cell[] => {
    const [finding] = findings;
    const { actor, src_endpoint } = finding!.evidences[0];
    return [
      markup`<a href="#incident-${i + 1}">${i + 1}</a>`,
      nameMarkup(actor?.user.name),
      nameMarkup(src_endpoint?.name),
      finding!.finding_info.analytic.name,
      severity(finding!),
      countText(alerts),
      timeMarkup(firstMs),
      scoreMarkup(scoreOf(finding!)),
    ];
  });
  return markup`<p>Alerts that belong together are an incident: those of one account from one source host, or of one burst of logins. The oddest stands first.${
    summary.incidents > incidentCount
      ? ` A run counts ${countText(summary.incidents)}: what goes on another day is counted again there, and told in one place here.`
      : ""
  }</p>
${table(
  `${countText(summary.alerts)} alerts in ${countText(incidentCount)} ${incidentCount === 1 ? "incident" : "incidents"}`,
  ["no.", "account", "from", "signal", "severity", "alerts", "first (UTC)", "lowest score"],
  rows,
  "words",
)}
${more > 0 ? markup`<p>${countText(more)} more incidents, none of them odder, are left out.</p>` : NOTHING}
${incidents.map(incidentMarkup)}`;
}

function incidentMarkup(incident: ReportedIncident, i: number): Markup {
  const { alerts, firstMs, lastMs, findings, graph } = incident;
  const finding = findings[0]!;
  const { finding_info, confidence, remediation } = finding;
  const id = `incident-${i + 1}`;
  const span =
    firstMs === lastMs ? timeMarkup(firstMs) : markup`${timeMarkup(firstMs)} to ${timeMarkup(lastMs)}`;
  const attacks = finding_info.attacks.map(({ technique, sub_technique }) => {
    const { uid, name } = sub_technique ?? technique;
    return `${uid} ${name}`;
  });
  return markup`<details class="incident" id="${id}"${i < OPEN_MAX ? OPEN : NOTHING}>
<summary><h3>${i + 1}. ${heading(finding)}</h3> ${severity(finding)} <span>${countText(alerts)} ${alerts === 1 ? "alert" : "alerts"}, ${finding_info.analytic.name}</span></summary>
<p><strong>${sentenceText(finding_info.title)}.</strong> ${span} UTC. Score ${scoreMarkup(scoreOf(finding))}, confidence ${confidence.toLowerCase()}${learningText(finding)}.</p>
<p class="message">${sentenceText(finding.message, MESSAGE_MAX)}</p>
${reasonTable(finding)}
${usualTable(finding)}
${comparedList(finding)}
<h4>What to do next</h4>
<p>${sentenceText(remediation.desc, MESSAGE_MAX)}</p>
${attacks.length === 0 ? NOTHING : markup`<p class="soft">Suggested ATT&amp;CK techniques, not proven by the login: ${attacks.join(", ")}.</p>`}
${graph === undefined ? NOTHING : markup`<h4>Around it</h4>${graphDrawing(`${id}-graph`, `The login graph around incident ${i + 1}`, graph, SIZE)}`}
${alertTable(incident)}
<p class="soft">Finding <span class="name">${nameText(finding_info.uid)}</span>. <a href="#incidents">All incidents</a></p>
</details>
`;
}

/** A burst is of a host, and of whoever logs on: no account stands for it. */
function heading({
  finding_info: { analytic, title },
  evidences: [{ actor, src_endpoint }],
}: DetectionFinding): Markup {
  return analytic.name === "volume"
    ? markup`${sentenceText(title)}`
    : markup`${nameMarkup(actor?.user.name)} from ${nameMarkup(src_endpoint?.name)}`;
}

/** What is usual, by the name that a finding has for it. */
const PARAMETERS: Readonly<Record<string, string>> = {
  user: "accounts",
  sourceHost: "source hosts",
  targetHost: "target hosts",
  authType: "kinds of authentication",
};
const OPEN = markup` open`;
/** Messages and instructions hold several names, each of which may be long. */
const MESSAGE_MAX = 1000;

function severity({ severity: caption, severity_id }: DetectionFinding): Markup {
  return markup`<span class="severity s${severity_id}">${caption}</span>`;
}

function scoreOf({ evidences: [{ data }] }: DetectionFinding): number {
  return typeof data["score"] === "number" ? data["score"] : Number.NaN;
}

function learningText({ evidences: [{ data }] }: DetectionFinding): string {
  return typeof data["learning"] === "string" ? `; still learning: ${sentenceText(data["learning"])}` : "";
}

/** Why, and what was observed against what is usual. */
function reasonTable({ anomaly_analyses: [{ anomalies, baselines = [] }] }: DetectionFinding): Markup {
  const rows = anomalies.map((anomaly): Cell[] => {
    const { observation_parameter, observation_type, observed_pattern, observations } = anomaly;
    const usual = baselines.find(
      (baseline) =>
        baseline.observed_pattern === undefined && baseline.observation_parameter === observation_parameter,
    );
    return [
      sentenceText(observed_pattern ?? observation_parameter, MESSAGE_MAX),
      sentenceText(observations[0]?.value),
      sentenceText(usual?.observations[0]?.value),
      observation_type,
    ];
  });
  return table(
    "Why, the strongest reason first: what was observed against what is usual",
    ["reason", "observed", "usual", "signal"],
    rows,
    "words",
  );
}

/** What is normal for those who took part. */
function usualTable({ anomaly_analyses: [{ baselines = [] }] }: DetectionFinding): Markup {
  const rows = baselines
    .filter(
      ({ observed_pattern, observation_type }) =>
        observed_pattern !== undefined && !COMPARED.has(observation_type),
    )
    .map((baseline): Cell[] => [
      sentenceText(baseline.observed_pattern),
      PARAMETERS[baseline.observation_parameter] ?? nameText(baseline.observation_parameter),
      valuesMarkup(baseline),
    ]);
  return rows.length === 0
    ? NOTHING
    : table("What is usual, the most frequent first", ["for", "what", "values (logins)"], rows, "words");
}

/** What else the login was held against, in sentences. */
function comparedList({ anomaly_analyses: [{ baselines = [] }] }: DetectionFinding): Markup {
  const sentences = baselines.filter(({ observation_type }) => COMPARED.has(observation_type));
  if (sentences.length === 0) return NOTHING;
  return markup`<ul>${sentences.map(({ observed_pattern }) => markup`<li>${sentenceText(observed_pattern, MESSAGE_MAX)}</li>`)}</ul>`;
}

function valuesMarkup({ observations }: Observed): Markup {
  const values = observations.map(
    ({ value, count }, i) =>
      markup`${i === 0 ? "" : ", "}${nameMarkup(value)}${count === undefined ? "" : ` (${countText(count)})`}`,
  );
  return markup`${values}`;
}

function alertTable({ alerts, findings }: ReportedIncident): Markup {
  const rows = findings.map((finding): Cell[] => {
    const { actor, user, src_endpoint, dst_endpoint, data } = finding.evidences[0];
    const as =
      user === undefined || user.name === actor?.user.name ? NOTHING : markup` as ${nameMarkup(user.name)}`;
    const how = [data["authType"], data["logonType"], data["outcome"]].filter(
      (word) => typeof word === "string" && word !== "" && word !== "unknown",
    );
    const score = scoreOf(finding);
    return [
      timeMarkup(finding.time),
      markup`${nameMarkup(actor?.user.name)}${as}`,
      nameMarkup(src_endpoint?.name),
      nameMarkup(dst_endpoint?.name),
      how.map(nameText).join(", "),
      scoreMarkup(score),
      surpriseOdds(data["signals"], score),
    ];
  });
  const more = alerts - findings.length;
  return markup`${table(
    "Its alerts, the oddest first",
    ["time (UTC)", "account", "from", "to", "how", "score", "as odd as"],
    rows,
    "words",
  )}
${more > 0 ? markup`<p>${countText(more)} more alerts of it are left out.</p>` : NOTHING}`;
}

/** Presence is a rule, and its score says nothing of how often logins break it: then the odds are those of what is odd besides. */
function surpriseOdds(signals: unknown, score: number): string {
  const { surprise, volume } = (signals ?? {}) as { readonly surprise?: unknown; readonly volume?: unknown };
  const candidates = [surprise, volume].filter((value) => typeof value === "number");
  return oddsText(candidates.includes(score) || candidates.length === 0 ? score : candidates[0]!);
}

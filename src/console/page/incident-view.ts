import { type EntityKind, type Finding, incident, type VerdictKind } from "./api.ts";
import { comparedView } from "./compared-view.ts";
import { countText, h, nameElement, shownName, timeElement } from "./dom.ts";
import { LoginGraph } from "./login-graph.ts";
import { suppressionNote } from "./suppression-note.ts";
import { verdictPanel } from "./verdict-panel.ts";

/** One incident: who, from where, to where, why, what is usual, what to do. */
export async function incidentView(
  uid: string,
  onEntity: (kind: EntityKind, name: string) => void,
  onAnswered: (uid: string, verdict: VerdictKind) => void,
): Promise<HTMLElement> {
  const detail = await incident(uid);
  const { alerts, alertCount, firstMs, lastMs, isClosed } = detail;
  const newest = alerts.at(-1)!;
  const { finding_info: info, severity, confidence, risk_score, remediation } = newest;
  const graph = new LoginGraph(onEntity);
  // Neighbours are asked for one after the other; what is written is there meanwhile.
  void graph.show(alerts);
  return h(
    "article",
    { "aria-labelledby": "incident-title" },
    h("p", {}, h("a", { href: "#/incidents" }, "All incidents")),
    h("h2", { id: "incident-title", tabindex: -1 }, h("bdi", {}, shownName(info.title))),
    h("p", { class: "lead" }, h("bdi", {}, shownText(newest.message))),
    suppressionNote(alerts),
    facts([
      ["Severity", h("span", { class: `severity ${severity.toLowerCase()}` }, severity)],
      ["Confidence", confidence],
      ["Risk score", `${risk_score} of 100`],
      ["Alerts", countText(alertCount)],
      ["First", timeElement(firstMs)],
      ["Last", timeElement(lastMs)],
      ["Looks like", techniques(newest)],
      ["State", isClosed ? "closed: a day has passed without an alert" : "open"],
      ["Uid", h("code", {}, uid)],
      ...related(newest),
      ["Raised by", `${info.analytic.name}: ${info.analytic.desc}`],
    ]),
    who(newest, onEntity),
    reasons(newest),
    usual(newest),
    h("section", {}, h("h3", {}, "What to do next"), h("p", {}, shownText(remediation.desc))),
    verdictPanel(uid, detail, onAnswered),
    graph.element,
    timeline(alerts),
    h(
      "details",
      {},
      h("summary", {}, "The newest alert as it was written (OCSF)"),
      h("pre", { tabindex: 0 }, visibleJson(newest)),
    ),
  );
}

function facts(rows: readonly (readonly [string, Node | string])[]): HTMLElement {
  return h(
    "dl",
    { class: "facts" },
    ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

/** Other open incidents of the same people or hosts. */
function related({ evidences }: Finding): (readonly [string, Node])[] {
  const uids = evidences[0].data.relatedIncidents ?? [];
  if (uids.length === 0) return [];
  const links = uids.flatMap((uid, i) => [
    i > 0 ? ", " : "",
    h("a", { href: `#/incident/${encodeURIComponent(uid)}` }, uid.slice(0, 8)),
  ]);
  return [["Related", h("span", {}, ...links)]];
}

function techniques({ finding_info }: Finding): string {
  return finding_info.attacks
    .map(
      ({ technique, sub_technique }) =>
        `${(sub_technique ?? technique).uid} ${(sub_technique ?? technique).name}`,
    )
    .join(", ");
}

function who({ evidences }: Finding, onEntity: (kind: EntityKind, name: string) => void): HTMLElement {
  const [{ actor, user, src_endpoint: source, dst_endpoint: target, data }] = evidences;
  const link = (kind: EntityKind, name: string | undefined): Node =>
    name === undefined
      ? document.createTextNode("not said")
      : h(
          "button",
          { type: "button", class: "link", onclick: () => onEntity(kind, name) },
          nameElement(name),
        );
  return h(
    "section",
    {},
    h("h3", {}, "Who, from where, to where"),
    facts([
      ["Account that acts", link("user", actor?.user.name)],
      ["Account logged in", link("user", user?.name)],
      ["From", link("host", source?.name)],
      ["To", link("host", target?.name)],
      ["By", [data.authType, data.logonType].filter((text) => text !== "").join(", ") || "not said"],
      ["Outcome", data.outcome],
    ]),
  );
}

function reasons({ evidences }: Finding): HTMLElement {
  const { reasons: all } = evidences[0].data;
  return h(
    "section",
    {},
    h("h3", {}, "Why it is odd"),
    h("p", { class: "quiet" }, scoreText(evidences[0].data)),
    h(
      "ol",
      { class: "reasons" },
      ...all.map(({ text, observed, usual: expected, signal }) =>
        h(
          "li",
          {},
          h("p", {}, h("bdi", {}, shownText(text))),
          h(
            "p",
            { class: "quiet" },
            `${signal} · observed: `,
            h("bdi", {}, shownText(observed)),
            " · usual: ",
            h("bdi", {}, shownText(expected)),
          ),
        ),
      ),
    ),
  );
}

/** Presence stands before all others, in a range of its own: its scores are no share of anything. */
function scoreText({ score, threshold, signals }: Finding["evidences"][0]["data"]): string {
  const oneIn = (share: number): string => `1 login in ${countText(Math.round(1 / Math.max(share, 1e-12)))}`;
  if (threshold === null)
    return `In the tier of presence, which stands before all others. Beside that, ${oneIn(signals["surprise"] ?? 1)} looks this odd.`;
  return `${oneIn(score)} looks this odd (score ${score.toExponential(1)}); the threshold was ${threshold.toExponential(1)}.`;
}

function usual({ anomaly_analyses, evidences }: Finding): HTMLElement | undefined {
  const baselines = (anomaly_analyses[0].baselines ?? []).filter(
    ({ observation_type }) => observation_type === "frequency",
  );
  const compared = comparedView(evidences[0].data);
  if (baselines.length === 0 && compared === undefined) return undefined;
  return h(
    "section",
    {},
    h("h3", {}, "What is usual"),
    baselines.length > 0 && usualTable(baselines),
    compared,
  );
}

function usualTable(baselines: NonNullable<Finding["anomaly_analyses"][0]["baselines"]>): HTMLElement {
  return h(
    "table",
    {},
    h("caption", { class: "hidden" }, "Usual values of the entities of the newest alert"),
    h(
      "thead",
      {},
      h("tr", {}, ...["Of", "What", "Most often"].map((text) => h("th", { scope: "col" }, text))),
    ),
    h(
      "tbody",
      {},
      ...baselines.map(({ observation_parameter, observed_pattern = "", observations }) =>
        h(
          "tr",
          {},
          h("td", {}, nameElement(observed_pattern)),
          h("td", {}, observation_parameter),
          h(
            "td",
            {},
            ...observations.flatMap(({ value, count }, i) => [
              i > 0 ? ", " : "",
              nameElement(value),
              count === undefined ? "" : ` (${countText(count)})`,
            ]),
          ),
        ),
      ),
    ),
  );
}

function timeline(alerts: readonly Finding[]): HTMLElement {
  return h(
    "section",
    {},
    h("h3", {}, "Timeline"),
    h(
      "ol",
      { class: "timeline" },
      ...alerts.map(({ time, message, evidences }) =>
        h(
          "li",
          {},
          timeElement(time),
          " ",
          h("span", { class: "quiet" }, `score ${evidences[0].data.score.toExponential(1)}`),
          h("p", {}, h("bdi", {}, shownText(message))),
        ),
      ),
    ),
  );
}

/** JSON with everything that can't be seen as the escapes that JSON has for it: still the same JSON. */
function visibleJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (char) =>
    Array.from(
      { length: char.length },
      (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}

/** A sentence: names in it may hold what can't be seen. */
function shownText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (char) =>
    char === "\n" ? "\n" : `\\u{${char.codePointAt(0)!.toString(16)}}`,
  );
}

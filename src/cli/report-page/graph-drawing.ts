import { type Markup, markup } from "../../html/markup.ts";
import { NOTHING, table } from "../../html/table.ts";
import { countText } from "../terminal/numbers.ts";
import { nameText, shortened } from "../terminal/outside-text.ts";
import { type Label, labelPlaces } from "./label-places.ts";
import { layout, type Point, type Size } from "./layout.ts";
import { type Entity, mostLogins, type Neighbourhood, type Tie } from "./neighbourhood.ts";
import { nameMarkup } from "./text.ts";

/** Characters of a name in a drawing; the whole name is told when pointed at, and stands in the table. */
const LABEL_LENGTH_MAX = 20;
/** Rows of the table of links below a drawing. */
const ROWS_MAX = 120;
const MARGIN: Size = { width: 70, height: 26 };
const RADIUS = 7;

const ROLES: Readonly<Record<string, string>> = {
  "user-sourceHost": "logs in from",
  "user-targetHost": "logs in to",
  "sourceHost-targetHost": "leads to",
};

/** The legend that all drawings share. */
export const GRAPH_LEGEND = markup`<ul class="legend">
<li><svg width="16" height="16" aria-hidden="true"><circle cx="8" cy="8" r="6" class="node named"/></svg> account of an alert</li>
<li><svg width="16" height="16" aria-hidden="true"><rect x="2" y="2" width="12" height="12" rx="2" class="node named"/></svg> host of an alert</li>
<li><svg width="16" height="16" aria-hidden="true"><circle cx="8" cy="8" r="6" class="node"/></svg> <svg width="16" height="16" aria-hidden="true"><rect x="2" y="2" width="12" height="12" rx="2" class="node"/></svg> their most frequent neighbours</li>
<li><svg width="36" height="8" aria-hidden="true"><line x1="0" x2="36" y1="4" y2="4" class="tie" stroke-width="2"/></svg> known, the wider the more logins</li>
<li><svg width="36" height="8" aria-hidden="true"><line x1="0" x2="36" y1="4" y2="4" class="tie odd" stroke-width="2.5"/></svg> what an alert is about</li>
</ul>`;

/** What the drawings need of the style. */
export const GRAPH_STYLE = `.tie{stroke:var(--tie);fill:none}.tie.odd{stroke:var(--c0);stroke-dasharray:7 3}.tip{fill:var(--tie)}.tip.odd{fill:var(--c0)}
.node{fill:var(--page);stroke:var(--c1);stroke-width:2}.node.named{fill:var(--c1)}
.label{font-size:11px;paint-order:stroke;stroke:var(--page);stroke-width:3px;stroke-linejoin:round}.label.named{font-weight:600}`;

/**
 * A drawing of users and hosts, as SVG, with its links as a table to open.
 *
 * @param id unique in the page
 */
export function graphDrawing(id: string, title: string, graph: Neighbourhood, size: Size): Markup {
  const { entities, ties } = graph;
  const leftOut = leftOutText(graph.leftOut);
  if (entities.length === 0) return NOTHING;
  const points = layout(entities.length, ties, size, MARGIN);
  const texts = entities.map(({ name }) => shortened(nameText(name), LABEL_LENGTH_MAX));
  const named = entities.filter(({ isNamed }) => isNamed).length;
  const labels = labelPlaces(texts, points, ties, size, named);
  // What is odd is drawn last, and so above the rest.
  const drawn = [...ties].sort((a, b) => Number(a.isOdd) - Number(b.isOdd));
  return markup`<div class="wide"><svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-labelledby="${id}-title ${id}-desc" class="graph">
<title id="${id}-title">${title}</title><desc id="${id}-desc">${descriptionOf(graph)}</desc>
${drawn.map((tie) => tieMarkup(tie, entities, points))}
${entities.map((entity, i) => nodeMarkup(entity, points[i]!))}
${labels.map((label, i) => (label === undefined ? NOTHING : labelMarkup(label, texts[i]!, entities[i]!)))}
</svg></div>
${leftOut === "" ? NOTHING : markup`<p class="soft">${leftOut}</p>`}
${tieTable(graph)}`;
}

function descriptionOf({ entities, ties, leftOut }: Neighbourhood): string {
  const named = entities.filter(({ isNamed }) => isNamed).length;
  const odd = ties.filter(({ isOdd }) => isOdd).length;
  return (
    `${countText(named)} accounts and hosts that alerts name, ${countText(entities.length - named)} frequent neighbours, ` +
    `${countText(ties.length)} links between them, ${countText(odd)} of them what an alert is about.${leftOutText(leftOut)} The table below says the same.`
  );
}

function leftOutText({ named, ties }: Neighbourhood["leftOut"]): string {
  const missing = [
    ...(named > 0 ? [`${countText(named)} more that alerts name`] : []),
    ...(ties > 0 ? [`${countText(ties)} weaker links`] : []),
  ];
  return missing.length === 0 ? "" : ` Left out for want of room: ${missing.join(" and ")}.`;
}

function tieMarkup(tie: Tie, entities: readonly Entity[], points: readonly Point[]): Markup {
  const { from, to, logins, isOdd } = tie;
  const [start, end] = [points[from]!, points[to]!];
  const width = isOdd ? 2.2 : Math.min(4, 0.7 + 0.8 * Math.log10(1 + mostLogins(tie)));
  const odd = isOdd ? " odd" : "";
  const words = `${nameText(entities[from]!.name)} ${loginsText(logins)} ${nameText(entities[to]!.name)}`;
  const isBetweenHosts = entities[from]!.kind === entities[to]!.kind;
  return markup`<g><title>${words}</title><line x1="${start.x}" y1="${start.y}" x2="${end.x}" y2="${end.y}" class="tie${odd}" stroke-width="${width.toFixed(1)}"/>${isBetweenHosts ? tip(start, end, odd) : NOTHING}</g>`;
}

/** The head of an arrow, just before the node that it leads to. */
function tip(start: Point, end: Point, odd: string): Markup {
  const length = Math.hypot(end.x - start.x, end.y - start.y);
  if (length < 4 * RADIUS) return NOTHING;
  const [x, y] = [(end.x - start.x) / length, (end.y - start.y) / length];
  const at = (back: number, side: number) =>
    `${(end.x - x * back - y * side).toFixed(1)},${(end.y - y * back + x * side).toFixed(1)}`;
  return markup`<polygon points="${at(RADIUS + 2, 0)} ${at(RADIUS + 10, 4)} ${at(RADIUS + 10, -4)}" class="tip${odd}"/>`;
}

function nodeMarkup({ kind, name, isNamed }: Entity, { x, y }: Point): Markup {
  const style = isNamed ? "node named" : "node";
  const title = markup`<title>${kind === "user" ? "account" : "host"} ${nameText(name)}</title>`;
  return kind === "user"
    ? markup`<circle cx="${x}" cy="${y}" r="${RADIUS}" class="${style}">${title}</circle>`
    : markup`<rect x="${(x - RADIUS).toFixed(1)}" y="${(y - RADIUS).toFixed(1)}" width="${2 * RADIUS}" height="${2 * RADIUS}" rx="2" class="${style}">${title}</rect>`;
}

function labelMarkup({ x, y, anchor }: Label, text: string, { isNamed }: Entity): Markup {
  return markup`<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" class="label${isNamed ? " named" : ""}" aria-hidden="true">${text}</text>`;
}

function loginsText(logins: Tie["logins"]): string {
  if (logins.length === 0) return "(not in the graph)";
  return logins.map(([kind, count]) => `${ROLES[kind] ?? kind} (${countText(count)})`).join(", ");
}

function tieTable({ entities, ties }: Neighbourhood): Markup {
  const sorted = [...ties].sort(
    (a, b) =>
      Number(b.isOdd) - Number(a.isOdd) || mostLogins(b) - mostLogins(a) || a.from - b.from || a.to - b.to,
  );
  const rows = sorted
    .slice(0, ROWS_MAX)
    .map(({ from, to, logins, isOdd }) => [
      nameMarkup(entities[from]!.name),
      loginsText(logins),
      nameMarkup(entities[to]!.name),
      isOdd ? "yes" : "",
    ]);
  const more = sorted.length - rows.length;
  return markup`<details><summary>The links of this drawing as a table</summary>
${table("Links, what alerts are about first, then by logins in the window", ["from", "how often", "to", "of an alert"], rows, "words")}
${more > 0 ? markup`<p>${countText(more)} more are left out.</p>` : NOTHING}</details>`;
}

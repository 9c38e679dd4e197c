import { type Scale, scaleLinear, scaleLog, scaleSymlog } from "d3-scale";
import { Markup, markup } from "./markup.ts";

const WIDTH = 640;
const HEIGHT = 320;
const LEFT = 56;
const RIGHT = 24;
const TOP = 12;
const BOTTOM = 44;
const TICKS = 5;
/** The detector's own first, then the others; told apart without colour by the dashes. */
const COLOURS = [
  "#b3261e",
  "#1b6ca8",
  "#3d7a3a",
  "#8a5a00",
  "#6b4ba1",
  "#00757a",
  "#a03c78",
  "#55606b",
  "#b06a2c",
  "#4a4a9c",
];
const DASHES = ["", "6 3", "2 2", "8 2 2 2", "4 4", "1 3"];

export type Axis = {
  readonly label: string;
  readonly domain: readonly [number, number];
  /** `counts` is linear near zero and logarithmic beyond. */
  readonly kind: "linear" | "log" | "counts";
};

export type Series = { readonly name: string; readonly points: readonly (readonly [number, number])[] };
export type Bar = {
  readonly from: number;
  readonly to: number;
  readonly height: number;
  /** Drawn over the bar in the colour of what was looked for. */
  readonly marked?: number;
  /** Told when pointed at. */
  readonly title: string;
};

/** Lines over two axes, as one SVG with its legend. */
export function lineChart(title: string, x: Axis, y: Axis, series: readonly Series[]): Markup {
  const [xs, ys] = scales(x, y);
  const lines = series.map(({ name, points }, i) => {
    const path = points.map(([a, b]) => `${round(xs(a))},${round(ys(b))}`).join(" ");
    return markup`<polyline points="${path}" fill="none" stroke="${colour(i)}" stroke-width="${i === 0 ? 3 : 1.5}" stroke-dasharray="${dashes(i)}"><title>${name}</title></polyline>`;
  });
  const legend = series.map(
    ({ name }, i) =>
      markup`<li><svg width="36" height="8" aria-hidden="true"><line x1="0" x2="36" y1="4" y2="4" stroke="${colour(i)}" stroke-width="${i === 0 ? 3 : 1.5}" stroke-dasharray="${dashes(i)}"/></svg> ${name}</li>`,
  );
  return markup`${frame(title, x, y, xs, ys, lines)}<ul class="legend">${legend}</ul>`;
}

/** Bars over two axes, and if given a level across them. */
export function barChart(title: string, x: Axis, y: Axis, bars: readonly Bar[], level?: number): Markup {
  const [xs, ys] = scales(x, y);
  const base = ys(y.domain[0]);
  const shapes = bars.map(({ from, to, height, marked, title: text }) => {
    const left = Math.min(xs(from), xs(to));
    const width = Math.max(1, Math.abs(xs(to) - xs(from)) - 1);
    const rectangle = (value: number, fill: string) =>
      markup`<rect x="${round(left)}" y="${round(ys(value))}" width="${round(width)}" height="${round(base - ys(value))}" fill="${fill}"><title>${text}</title></rect>`;
    return markup`${rectangle(height, COLOURS[1]!)}${marked === undefined || marked === 0 ? new Markup("") : rectangle(marked, COLOURS[0]!)}`;
  });
  const across =
    level === undefined
      ? new Markup("")
      : markup`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(ys(level))}" y2="${round(ys(level))}" stroke="#222" stroke-dasharray="6 3"/>`;
  return frame(title, x, y, xs, ys, [...shapes, across]);
}

function frame(title: string, x: Axis, y: Axis, xs: Scale, ys: Scale, content: readonly Markup[]): Markup {
  const bottom = HEIGHT - BOTTOM;
  const xTicks = labelled(x, xs).map(
    ([value, text]) =>
      markup`<line x1="${round(xs(value))}" x2="${round(xs(value))}" y1="${TOP}" y2="${bottom}" class="grid"/><text x="${round(xs(value))}" y="${bottom + 16}" text-anchor="middle">${text}</text>`,
  );
  const yTicks = labelled(y, ys).map(
    ([value, text]) =>
      markup`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(ys(value))}" y2="${round(ys(value))}" class="grid"/><text x="${LEFT - 6}" y="${round(ys(value) + 4)}" text-anchor="end">${text}</text>`,
  );
  const middle = (TOP + bottom) / 2;
  return markup`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">${xTicks}${yTicks}${content}<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${x.label}</text><text x="14" y="${middle}" text-anchor="middle" transform="rotate(-90 14 ${middle})">${y.label}</text></svg>`;
}

function scales(x: Axis, y: Axis): [Scale, Scale] {
  return [scaleOf(x).range([LEFT, WIDTH - RIGHT]), scaleOf(y).range([HEIGHT - BOTTOM, TOP])];
}

function scaleOf({ kind, domain }: Axis): Scale {
  const scale = kind === "log" ? scaleLog() : kind === "counts" ? scaleSymlog() : scaleLinear();
  return scale.domain(domain);
}

function labelled({ kind, domain }: Axis, scale: Scale): [number, string][] {
  if (kind === "linear") {
    const format = scale.tickFormat(TICKS);
    return scale.ticks(TICKS).map((value) => [value, format(value)]);
  }
  // Whole decades, every so many of them that their labels have room.
  const first = kind === "counts" ? 0 : Math.ceil(Math.log10(domain[0]) - 1e-9);
  const last = Math.floor(Math.log10(Math.max(1e-300, domain[1])) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first) / (2 * TICKS)));
  const decades: [number, string][] = kind === "counts" ? [[0, "0"]] : [];
  for (let decade = first; decade <= last; decade += every) {
    decades.push([10 ** decade, Math.abs(decade) <= 3 ? String(Number(`1e${decade}`)) : `1e${decade}`]);
  }
  return decades;
}

function colour(i: number): string {
  return COLOURS[i % COLOURS.length]!;
}

function dashes(i: number): string {
  return DASHES[i % DASHES.length]!;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

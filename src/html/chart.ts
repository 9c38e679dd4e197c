import { type Scale, scaleLinear, scaleLog, scaleSymlog } from "d3-scale";
import { type Markup, markup } from "./markup.ts";
import { timeTicks } from "./time-ticks.ts";

const WIDTH = 640;
const HEIGHT = 320;
const LEFT = 56;
const RIGHT = 24;
const TOP = 12;
const BOTTOM = 44;
const TICKS = 5;
/** The detector's own first, then the others: so many colours has the style of a page. Told apart without colour by the dashes. */
const COLOURS = 10;
const DASHES = ["", "6 3", "2 2", "8 2 2 2", "4 4", "1 3"];

export type Axis = {
  readonly label: string;
  readonly domain: readonly [number, number];
  /** `whole` is linear with whole numbers alone; `counts` is linear near zero and logarithmic beyond; `time` is milliseconds since 1970, labelled in UTC. */
  readonly kind: "linear" | "whole" | "log" | "counts" | "time";
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
    return markup`<polyline points="${path}" class="line c${colour(i)}" stroke-width="${i === 0 ? 3 : 1.5}" stroke-dasharray="${dashes(i)}"><title>${name}</title></polyline>`;
  });
  const legend = series.map(
    ({ name }, i) =>
      markup`<li><svg width="36" height="8" aria-hidden="true"><line x1="0" x2="36" y1="4" y2="4" class="line c${colour(i)}" stroke-width="${i === 0 ? 3 : 1.5}" stroke-dasharray="${dashes(i)}"/></svg> ${name}</li>`,
  );
  return markup`${frame(title, x, y, xs, ys, lines)}<ul class="legend">${legend}</ul>`;
}

/** What is drawn across the bars: a level of the height, or a place on the other axis with its name. */
export type Marks = {
  readonly level?: number | undefined;
  readonly at?: { readonly value: number; readonly label: string } | undefined;
};

/** Bars over two axes, and what is marked across them. */
export function barChart(title: string, x: Axis, y: Axis, bars: readonly Bar[], marks: Marks = {}): Markup {
  const [xs, ys] = scales(x, y);
  const shapes = bars.map(({ from, to, height, marked, title: text }) => [
    rectangle(xs, ys, [from, to], [y.domain[0], height], 1, text),
    ...(marked === undefined || marked === 0
      ? []
      : [rectangle(xs, ys, [from, to], [y.domain[0], marked], 0, text)]),
  ]);
  return frame(title, x, y, xs, ys, [...shapes.flat(), ...lineAcross(xs, ys, marks)]);
}

/** One bar of several parts, from the bottom up. */
export type Stack = {
  readonly from: number;
  readonly to: number;
  /** As many as there are names. */
  readonly parts: readonly number[];
  readonly title: string;
};

/** Bars that are made of parts, over two axes, with a legend that names the parts. */
export function stackedChart(
  title: string,
  x: Axis,
  y: Axis,
  names: readonly string[],
  stacks: readonly Stack[],
): Markup {
  const [xs, ys] = scales(x, y);
  const shapes = stacks.flatMap(({ from, to, parts, title: text }) => {
    let base = 0;
    return parts.flatMap((part, i) => {
      const bottom = base;
      base += part;
      return part === 0 ? [] : [rectangle(xs, ys, [from, to], [bottom, base], i, text)];
    });
  });
  const legend = names.map(
    (name, i) =>
      markup`<li><svg width="12" height="12" aria-hidden="true"><rect width="12" height="12" class="bar c${colour(i)}"/></svg> ${name}</li>`,
  );
  return markup`${frame(title, x, y, xs, ys, shapes)}<ul class="legend">${legend}</ul>`;
}

function rectangle(
  xs: Scale,
  ys: Scale,
  [from, to]: readonly [number, number],
  [bottom, top]: readonly [number, number],
  series: number,
  title: string,
): Markup {
  const left = Math.min(xs(from), xs(to));
  const width = Math.max(1, Math.abs(xs(to) - xs(from)) - 1);
  return markup`<rect x="${round(left)}" y="${round(ys(top))}" width="${round(width)}" height="${round(ys(bottom) - ys(top))}" class="bar c${colour(series)}"><title>${title}</title></rect>`;
}

function lineAcross(xs: Scale, ys: Scale, { level, at }: Marks): Markup[] {
  const lines: Markup[] = [];
  if (level !== undefined)
    lines.push(
      markup`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(ys(level))}" y2="${round(ys(level))}" class="level"/>`,
    );
  if (at !== undefined) {
    const place = round(xs(at.value));
    // Where there is more room for its name.
    const isLeft = place > WIDTH / 2;
    lines.push(
      markup`<line x1="${place}" x2="${place}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" class="level"/><text x="${place + (isLeft ? -5 : 5)}" y="${TOP + 10}" text-anchor="${isLeft ? "end" : "start"}">${at.label}</text>`,
    );
  }
  return lines;
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
  return markup`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}" class="chart">${xTicks}${yTicks}${content}<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${x.label}</text><text x="14" y="${middle}" text-anchor="middle" transform="rotate(-90 14 ${middle})">${y.label}</text></svg>`;
}

function scales(x: Axis, y: Axis): [Scale, Scale] {
  return [scaleOf(x).range([LEFT, WIDTH - RIGHT]), scaleOf(y).range([HEIGHT - BOTTOM, TOP])];
}

function scaleOf({ kind, domain }: Axis): Scale {
  const scale = kind === "log" ? scaleLog() : kind === "counts" ? scaleSymlog() : scaleLinear();
  return scale.domain(domain);
}

function labelled({ kind, domain }: Axis, scale: Scale): [number, string][] {
  if (kind === "time") return timeTicks(domain, TICKS);
  if (kind === "linear" || kind === "whole") {
    const format = scale.tickFormat(TICKS);
    const ticks = scale.ticks(TICKS).filter((value) => kind === "linear" || Number.isInteger(value));
    return ticks.map((value) => [value, format(value)]);
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

function colour(i: number): number {
  return i % COLOURS;
}

function dashes(i: number): string {
  return DASHES[i % DASHES.length]!;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

import { countText, h, svg } from "./dom.ts";
import type { Training } from "./model-api.ts";

const WIDTH = 480;
const HEIGHT = 250;
const LEFT = 44;
const RIGHT = 12;
const TOP = 14;
const BOTTOM = 40;
const TICKS = 4;

/** How the loss went down in training, step by step, against that of links that were held out; and the same in words. */
export function lossChart({ losses, steps, heldOut }: Training): HTMLElement {
  const { lossBefore, lossAfter, links } = heldOut;
  const first = losses.at(0)?.loss;
  const last = losses.at(-1)?.loss;
  const values = [...losses.map(({ loss }) => loss), lossBefore, lossAfter].filter((value) => value !== null);
  if (first === undefined || last === undefined)
    return h("p", {}, "It took no step, so there are no losses to show.");
  const ys = ticksOf(Math.min(...values), Math.max(...values));
  const [low, high] = [ys.at(0)!, ys.at(-1)!];
  const xs = ticksOf(0, Math.max(2, steps)).filter((tick) => Number.isInteger(tick) && tick <= steps);
  const xOf = (step: number): number => LEFT + (step / Math.max(2, steps)) * (WIDTH - LEFT - RIGHT);
  const yOf = (loss: number): number => TOP + ((high - loss) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const words =
    `Loss on the links it is trained on: ${first.toFixed(3)} in the first of ${countText(steps)} steps, ${last.toFixed(3)} in the last.` +
    (lossBefore === null || lossAfter === null
      ? " No link was held out."
      : ` On the newest ${countText(links)} links, which were held out: ${lossBefore.toFixed(3)} before, ${lossAfter.toFixed(3)} with the parameters that were kept, those of the best step.`);
  const level = (loss: number | null, kind: string, text: string): SVGElement[] =>
    loss === null
      ? []
      : [
          svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: yOf(loss), y2: yOf(loss), class: `level ${kind}` }),
          svg("text", { x: WIDTH - RIGHT, y: yOf(loss) - 4, "text-anchor": "end", class: kind }, text),
        ];
  return h(
    "figure",
    { class: "losses" },
    svg(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words },
      ...ys.flatMap((y) => [
        svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: yOf(y), y2: yOf(y), class: "grid" }),
        svg("text", { x: LEFT - 6, y: yOf(y) + 4, "text-anchor": "end" }, shortNumber(y)),
      ]),
      ...xs.map((x) =>
        svg("text", { x: xOf(x), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle" }, countText(x)),
      ),
      svg("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, "training step"),
      ...level(lossBefore, "before", "held out, before"),
      ...level(lossAfter, "after", "held out, kept"),
      svg("polyline", {
        points: losses.map(({ step, loss }) => `${xOf(step)},${yOf(loss)}`).join(" "),
        class: "trained",
      }),
      ...(losses.length > 1
        ? []
        : [svg("circle", { cx: xOf(losses[0]!.step), cy: yOf(first), r: 3, class: "trained" })]),
    ),
    h("figcaption", {}, words),
  );
}

/** Round numbers from below the least to above the greatest. */
function ticksOf(least: number, greatest: number): number[] {
  const rough = Math.max(greatest - least, 1e-3) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const [from, to] = [Math.floor(least / step), Math.ceil(greatest / step)];
  return Array.from({ length: Math.max(2, to - from + 1) }, (_, i) => (from + i) * step);
}

function shortNumber(value: number): string {
  return String(Number(value.toPrecision(6)));
}

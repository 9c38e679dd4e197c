import { h, svg } from "./dom.ts";
import type { Gate, Pair } from "./model-api.ts";

/** What a fake has in the place of what its login has. */
const FAKES: Readonly<Record<string, string>> = {
  target: "another target host",
  source: "another source host",
  user: "another account",
  relation: "another way to log on",
  degreeMatched: "somebody who is as busy",
  sameRole: "somebody who has a peer in common",
};

const BAR_WIDTH = 160;
const BAR_HEIGHT = 16;

/** What the gate found when it compared an epoch with the one that was in force, with what that means. */
export function gateResults(number: number, gate: Gate | null): HTMLElement {
  const title = h("h4", {}, "Gate");
  if (gate === null)
    return h(
      "div",
      {},
      title,
      h("p", {}, "Nobody compared it with the one before: it came into force as it was."),
    );
  const { isAccepted, reason, running, difference, standardError } = gate;
  return h(
    "div",
    {},
    title,
    h(
      "p",
      {},
      h(
        "span",
        { class: `verdict ${isAccepted ? "passed" : "refused"}` },
        isAccepted ? "let through" : "rejected",
      ),
      ` ${sentence(reason)}`,
    ),
    difference === null || standardError === null || running === null
      ? h("p", { class: "quiet" }, "So there are no figures to show.")
      : h("p", {}, meaningOf(difference, standardError, number, running)),
    running !== null && Object.keys(gate.aucByFake).length > 0 && ranksTable(number, running, gate.aucByFake),
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Two standard errors are what the gate takes for chance. */
function meaningOf(difference: number, standardError: number, number: number, running: number): string {
  const points = (value: number): string => Math.abs(100 * value).toFixed(1);
  const figures = `(standard error ${points(standardError)})`;
  if (Math.abs(difference) <= 2 * standardError)
    return `Epochs ${running} and ${number} tell logins that neither has seen from fakes about equally well: ${points(difference)} percentage points apart ${figures}, which may be chance.`;
  const better = difference > 0 ? "more" : "less";
  return `Epoch ${number} ranks a login that neither has seen above a fake ${points(difference)} percentage points ${better} often than epoch ${running} ${figures}, which is beyond chance.`;
}

function ranksTable(number: number, running: number, ranks: Gate["aucByFake"]): HTMLElement {
  return h(
    "table",
    {},
    h("caption", {}, "How often a login ranks above a fake with"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "In its place"),
        h("th", { scope: "col", class: "number" }, `Epoch ${running}`),
        h("th", { scope: "col", class: "number" }, `Epoch ${number}`),
        h("td", { class: "bars quiet", "aria-hidden": "true" }, "0 to 100 %, half by chance"),
      ),
    ),
    h(
      "tbody",
      {},
      ...Object.entries(ranks).map(([fake, pair]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, FAKES[fake] ?? fake),
          h("td", { class: "number" }, percent(pair.running)),
          h("td", { class: "number" }, percent(pair.candidate)),
          h("td", { class: "bars", "aria-hidden": "true" }, dumbbell(pair)),
        ),
      ),
    ),
  );
}

/** From where the epoch in force was to where this one is. */
function dumbbell({ running, candidate }: Pair): SVGElement {
  const xOf = (share: number): number => 5 + share * (BAR_WIDTH - 10);
  const middle = BAR_HEIGHT / 2;
  return svg(
    "svg",
    { viewBox: `0 0 ${BAR_WIDTH} ${BAR_HEIGHT}`, class: "dumbbell" },
    svg("line", { x1: xOf(0), x2: xOf(1), y1: middle, y2: middle, class: "grid" }),
    svg("line", { x1: xOf(0.5), x2: xOf(0.5), y1: 1, y2: BAR_HEIGHT - 1, class: "grid" }),
    svg("line", {
      x1: xOf(running),
      x2: xOf(candidate),
      y1: middle,
      y2: middle,
      class: candidate < running ? "change worse" : "change",
    }),
    svg("circle", { cx: xOf(running), cy: middle, r: 3.5, class: "running" }),
    svg("circle", {
      cx: xOf(candidate),
      cy: middle,
      r: 4.5,
      class: candidate < running ? "candidate worse" : "candidate",
    }),
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

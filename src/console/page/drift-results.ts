import { countText, h } from "./dom.ts";
import type { Gate } from "./model-api.ts";

const WORDS =
  "Thresholds lie where logins are unlikely. An epoch that finds more than three times as many of them unlikely as the one before would flood who looks, and is rejected.";

/** How many more logins an epoch finds unlikely than the one before did; undefined if nobody has looked. */
export function driftResults(number: number, gate: Gate | null): HTMLElement | undefined {
  if (gate === null || gate.running === null || gate.drift.length === 0) return undefined;
  return h("div", {}, h("h4", {}, "Drift"), h("p", {}, WORDS), driftTable(number, gate.running, gate.drift));
}

function driftTable(number: number, running: number, drift: Gate["drift"]): HTMLElement {
  return h(
    "table",
    {},
    h("caption", {}, "Unseen logins that are unlikely"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "Less likely than"),
        h("th", { scope: "col", class: "number" }, `Epoch ${running}`),
        h("th", { scope: "col", class: "number" }, `Epoch ${number}`),
        h("th", { scope: "col", class: "number" }, "Of"),
        h("th", { scope: "col" }, "Promised"),
      ),
    ),
    h(
      "tbody",
      {},
      ...drift.map(({ probability, links, ...counts }) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, `one in ${countText(Math.round(1 / probability))}`),
          h("td", { class: "number" }, countText(counts.running)),
          h("td", { class: "number" }, countText(counts.candidate)),
          h("td", { class: "number" }, countText(links)),
          h("td", {}, `about ${(links * probability).toFixed(1)}`),
        ),
      ),
    ),
  );
}

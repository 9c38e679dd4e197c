import type { Status } from "./api.ts";
import { countText, h } from "./dom.ts";
import { ThresholdChart } from "./threshold-chart.ts";
import {
  forecastAt,
  forecastText,
  placeOf,
  placesOf,
  type ScoreCounts,
  scoreAt,
  scoreText,
} from "./threshold-forecast.ts";

const COUNTED =
  "Logins are those that this process has scored; the ones that presence raises are not among them, as no threshold is about them. " +
  "Groups of alerts are what the budget counts: one account from one host within half an hour, by its oddest login, once that half hour is over. " +
  "Bursts, which have a budget of their own, and what rules suppress are not among them. A group tells one alert, or a few as it grows. " +
  "Each threshold would also have changed what was learnt as odd and what kept silent as a repetition, so this is an estimate.";

/** What another threshold would have given: the chart, what it comes to in words, and a table of decades. */
export class ThresholdView {
  readonly element: HTMLElement;
  readonly #chart: ThresholdChart;
  readonly #wouldBe = h("p", { class: "forecast" });
  readonly #now = h("span");
  readonly #from = h("p", { class: "quiet" });
  readonly #reset: HTMLButtonElement;
  readonly #rows = h("tbody");
  #status: Status | undefined;

  constructor() {
    this.#chart = new ThresholdChart(() => this.#say());
    this.#reset = h(
      "button",
      { type: "button", class: "link", onclick: () => this.#chart.reset() },
      "Back to where it is",
    );
    const headings = ["Threshold", "Logins", "Groups", "A day"];
    this.element = h(
      "section",
      { "aria-labelledby": "threshold-title" },
      h("h3", { id: "threshold-title" }, "What another threshold would have given"),
      h(
        "p",
        { class: "quiet" },
        "Drag the line, or move it by the arrow keys. It only counts what was: nothing is changed by it.",
      ),
      // Before the chart, and with room for all of it: what is dragged must not move away.
      h("div", { class: "said" }, this.#wouldBe, h("p", {}, this.#now, " ", this.#reset)),
      this.#chart.element,
      h(
        "p",
        { class: "legend" },
        h("span", { class: "key logins" }, "logins"),
        h("span", { class: "key" }, "groups of alerts, by their oddest login"),
        h("span", { class: "key below" }, "below the line"),
      ),
      h(
        "details",
        {},
        h("summary", {}, "By decade, and what is counted"),
        h(
          "table",
          { class: "thresholds" },
          h("caption", { class: "hidden" }, "What thresholds would have given, by decade"),
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              ...headings.map((text, i) => h("th", { scope: "col", class: i > 0 && "number" }, text)),
            ),
          ),
          this.#rows,
        ),
        h("p", { class: "quiet" }, COUNTED),
        this.#from,
      ),
    );
  }

  show(status: Status): void {
    this.#status = status;
    this.#chart.show(status.scores, status.threshold);
    this.#rows.replaceChildren(...decadeRows(status.scores));
    this.#from.textContent =
      status.scores.alertsPerDay === null
        ? "With a fixed threshold groups are those of this process since it began, repetitions included."
        : "Groups are those of all workers, of the last 14 days at most.";
  }

  #say(): void {
    const { scores, threshold } = this.#status!;
    const { place, isMoved } = this.#chart;
    const now = nowText(scores, threshold);
    const isOther = isMoved || threshold === null;
    this.#wouldBe.textContent = isOther
      ? `Below ${scoreText(scoreAt(place, scores))}: ${forecastText(place, scores)}.`
      : now;
    this.#now.textContent = isOther ? now : "";
    this.#reset.hidden = !isMoved;
  }
}

function nowText(scores: ScoreCounts, threshold: number | null): string {
  const { alertsPerDay } = scores;
  const budget = `a budget of ${alertsPerDay} ${alertsPerDay === 1 ? "alert" : "alerts"} a day`;
  if (threshold === null)
    return alertsPerDay === null
      ? "Now there is none."
      : `Now there is none: ${budget} still learns, or is spent for today.`;
  const place = placeOf(threshold, scores);
  const by = alertsPerDay === null ? "fixed" : `moved by ${budget}`;
  const isCounted = place >= placesOf(scores).highest - 1e-9;
  const given = isCounted ? `: ${forecastText(place, scores)}` : "";
  return `Now it is ${scoreText(threshold)}, ${by}${given}.`;
}

function fewText(perDay: number): string {
  if (perDay === 0) return "0";
  if (perDay < 0.1) return "under 0.1";
  return perDay < 9.5 ? perDay.toFixed(1) : countText(Math.round(perDay));
}

/** Thresholds of a power of ten, down to the one below which nothing is. */
function decadeRows(scores: ScoreCounts): HTMLElement[] {
  const rows: HTMLElement[] = [];
  const { highest, lowest } = placesOf(scores);
  for (let decade = 0; ; decade++) {
    const place = placeOf(10 ** -decade, scores);
    if (place < highest) continue;
    if (place > lowest) return rows;
    const { logins, groups, groupsPerDay } = forecastAt(place, scores);
    rows.push(
      h(
        "tr",
        {},
        h("th", { scope: "row" }, `1e-${decade}`),
        h("td", { class: "number" }, countText(logins)),
        h("td", { class: "number" }, countText(groups)),
        h("td", { class: "number" }, groupsPerDay === undefined ? "not known yet" : fewText(groupsPerDay)),
      ),
    );
    if (logins === 0 && groups === 0) return rows;
  }
}

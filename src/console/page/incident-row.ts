import type { Incident } from "./api.ts";
import { countText, h, shortTimeElement, shownName } from "./dom.ts";
import { suppressionText } from "./suppression-note.ts";

/** What tells a column to the style, and what stands over it. */
export const COLUMNS: readonly (readonly [name: string, heading: string])[] = [
  ["severity", "Severity"],
  ["incident", "Incident"],
  ["signal", "Signal"],
  ["alerts", "Alerts"],
  ["first", "First (UTC)"],
  ["last", "Last (UTC)"],
  ["state", "State"],
];

/** The row of an incident. What it says changes in its place, so that a link that has the focus keeps it. */
export class IncidentRow {
  readonly element: HTMLTableRowElement;
  readonly #severity = h("span");
  readonly #title = h("bdi");
  readonly #link = h("a", {}, this.#title);
  readonly #rule = h("p", { class: "quiet rule" });
  readonly #signal = h("td");
  readonly #alerts = h("td", { class: "number" });
  readonly #first = h("td");
  readonly #last = h("td");
  readonly #state = h("td");
  #incident: Incident | undefined;
  #place = -1;

  constructor() {
    this.element = h(
      "tr",
      {},
      h("td", {}, this.#severity),
      h("td", {}, this.#link, this.#rule),
      this.#signal,
      this.#alerts,
      this.#first,
      this.#last,
      this.#state,
    );
  }

  /** @param place in the whole list, from 0 */
  show(incident: Incident, place: number): void {
    if (place !== this.#place) {
      this.#place = place;
      // The first row of the table is that of the headings.
      this.element.setAttribute("aria-rowindex", String(place + 2));
    }
    if (incident === this.#incident) return;
    this.#incident = incident;
    const { uid, title, severity, signal, alertCount, firstMs, lastMs, suppression } = incident;
    this.element.dataset["uid"] = uid;
    this.element.classList.toggle("suppressed", suppression !== null);
    this.#severity.className = `severity ${severity.toLowerCase()}`;
    this.#severity.textContent = severity;
    this.#link.href = `#/incident/${encodeURIComponent(uid)}`;
    this.#title.textContent = shownName(title);
    this.#rule.hidden = suppression === null;
    this.#rule.replaceChildren(...(suppression === null ? [] : suppressionText(suppression)));
    this.#signal.textContent = signal;
    this.#alerts.textContent = countText(alertCount);
    this.#first.replaceChildren(shortTimeElement(firstMs));
    this.#last.replaceChildren(shortTimeElement(lastMs));
    this.#state.textContent = stateText(incident);
  }

  focus(): void {
    this.#link.focus();
  }
}

/** The last answer is worth more than that nothing comes any more. */
export function stateText({ verdict, isClosed }: Pick<Incident, "verdict" | "isClosed">): string {
  if (verdict !== null && verdict !== "withdrawn") return verdict.replace("-", " ");
  return isClosed ? "closed" : "open";
}

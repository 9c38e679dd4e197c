import { type Finding, type Incident, incidents, listen, type VerdictKind } from "./api.ts";
import { countText, h, shownName, timeElement } from "./dom.ts";

/** Read at first, and drawn: more are drawn when they are asked for. */
const READ_MAX = 1000;
const DRAWN_STEP = 100;
/** New alerts are drawn so often at most, however many come. */
const DRAW_EVERY_MS = 250;

/** The newest incidents, and new ones as they come. */
export class IncidentList {
  readonly element: HTMLElement;
  readonly #byUid = new Map<string, Incident>();
  readonly #rows = h("tbody");
  readonly #state = h("p", { class: "quiet", role: "status" }, "Connecting …");
  readonly #more = h("button", { type: "button", onclick: () => this.#drawMore() }, "Show more");
  #drawnMax = DRAWN_STEP;
  #isDue = false;
  #news = 0;

  constructor() {
    const headings = ["Severity", "Incident", "Signal", "Alerts", "First", "Last", "Verdict"];
    this.element = h(
      "section",
      { "aria-labelledby": "incidents-title" },
      h("h2", { id: "incidents-title", tabindex: -1 }, "Incidents"),
      this.#state,
      h(
        "table",
        { class: "incidents" },
        h("caption", { class: "hidden" }, "Incidents, the newest first"),
        h("thead", {}, h("tr", {}, ...headings.map((text) => h("th", { scope: "col" }, text)))),
        this.#rows,
      ),
      this.#more,
    );
  }

  /** Reads what is there, and listens. To be called once. */
  async start(): Promise<void> {
    const read = async (): Promise<void> => {
      for (const incident of (await incidents(READ_MAX)).toReversed()) this.#put(incident);
      this.#draw();
    };
    await read();
    void listen(
      (finding) => this.#take(finding),
      (isThere, why) => {
        this.#state.textContent = isThere
          ? "Live: new alerts appear here"
          : `Not live (${why}); trying again`;
        // What came meanwhile, where it was too much to be told again.
        if (isThere) void read().catch(() => {});
      },
    );
  }

  /** An incident was answered here. */
  answered(uid: string, verdict: VerdictKind): void {
    const incident = this.#byUid.get(uid);
    if (incident === undefined) return;
    this.#byUid.set(uid, { ...incident, verdict });
    this.#draw();
  }

  #take(finding: Finding): void {
    const { uid, title, analytic } = finding.finding_info;
    const before = this.#byUid.get(uid);
    this.#put({
      uid,
      title,
      signal: analytic.name,
      severity: finding.severity,
      alertCount: Math.max(finding.count, before?.alertCount ?? 0),
      firstMs: Math.min(finding.time, before?.firstMs ?? finding.time),
      lastMs: Math.max(finding.time, before?.lastMs ?? finding.time),
      verdict: before?.verdict ?? null,
    });
    this.#news++;
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      this.#state.textContent = `Live: ${countText(this.#news)} new ${this.#news === 1 ? "alert" : "alerts"} since this page was opened`;
      this.#draw();
    }, DRAW_EVERY_MS);
  }

  /** The newest goes last, and is drawn first. */
  #put(incident: Incident): void {
    this.#byUid.delete(incident.uid);
    this.#byUid.set(incident.uid, incident);
  }

  #drawMore(): void {
    this.#drawnMax += DRAWN_STEP;
    this.#draw();
  }

  #draw(): void {
    const all = [...this.#byUid.values()].reverse();
    this.#rows.replaceChildren(...all.slice(0, this.#drawnMax).map(rowOf));
    if (all.length === 0)
      this.#rows.append(
        h(
          "tr",
          {},
          h("td", { colspan: 7 }, "None yet. While the engine learns what is usual, it raises little."),
        ),
      );
    this.#more.hidden = all.length <= this.#drawnMax;
  }
}

function rowOf({
  uid,
  title,
  severity,
  signal,
  alertCount,
  firstMs,
  lastMs,
  verdict,
}: Incident): HTMLElement {
  return h(
    "tr",
    {},
    h("td", {}, h("span", { class: `severity ${severity.toLowerCase()}` }, severity)),
    h("td", {}, h("a", { href: `#/incident/${uid}` }, h("bdi", {}, shownName(title)))),
    h("td", {}, signal),
    h("td", { class: "number" }, countText(alertCount)),
    h("td", {}, timeElement(firstMs)),
    h("td", {}, timeElement(lastMs)),
    h("td", {}, verdict === null || verdict === "withdrawn" ? "" : verdict.replace("-", " ")),
  );
}

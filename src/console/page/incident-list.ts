import { type Finding, type Incident, incidents, listen, type VerdictKind } from "./api.ts";
import { countText, h } from "./dom.ts";
import { FILTERS, type Filter, IncidentBook, SUPPRESSED_MAX, TOLD_MAX } from "./incident-book.ts";
import { COLUMNS } from "./incident-row.ts";
import { IncidentRows } from "./incident-rows.ts";

/** Incidents that are asked for at once: answers are short enough that logins need not wait for them. */
const READ_MAX = 1000;
/** New alerts are drawn so often at most, however many come, and with the next frame of the screen. */
const DRAW_EVERY_MS = 250;

/** As many as there can be. */
const HEARD_OF_MAX = TOLD_MAX + SUPPRESSED_MAX;

const FILTER_NAMES: Readonly<Record<Filter, string>> = { told: "Told", suppressed: "Suppressed", all: "All" };
const NONE: Readonly<Record<Filter, string>> = {
  told: "None yet. While the engine learns what is usual, it raises little.",
  suppressed: "None. No rule has suppressed an alert.",
  all: "None yet. While the engine learns what is usual, it raises little.",
};

/**
 * The newest incidents, and new ones as they come. While somebody has scrolled down, or is at one of the rows, nothing moves: how many are new is
 * said, and they are shown when they are asked for.
 */
export class IncidentList {
  readonly element: HTMLElement;
  readonly #book = new IncidentBook();
  readonly #table: HTMLTableElement;
  readonly #rows: IncidentRows;
  readonly #none = h("p", { hidden: true });
  readonly #state = h("p", { class: "quiet", role: "status" }, "Connecting …");
  readonly #heard = h("span", { class: "heard" });
  readonly #showNew = h("button", {
    type: "button",
    class: "new",
    hidden: true,
    onclick: () => this.#toTop(),
  });
  readonly #counts: Readonly<Record<Filter, HTMLElement>> = {
    told: h("span", { class: "count" }),
    suppressed: h("span", { class: "count" }),
    all: h("span", { class: "count" }),
  };
  #filter: Filter = "told";
  /** What is shown, in the order in which it is; while nothing moves it is what was known when it was shown. */
  #shown: readonly Incident[] = [];
  /** Of what is shown, once something waits to be. */
  #shownUids: ReadonlySet<string> | undefined;
  /** What was heard of since: looked at instead of all that is known, which is thousands, four times a second. */
  readonly #heardOf = new Set<string>();
  #isDue = false;
  #news = 0;
  /** Readings begun: an older one gives up. */
  #reads = 0;
  #left: { readonly uid: string | undefined; readonly scrollY: number } | undefined;

  constructor() {
    this.#table = h(
      "table",
      { class: "incidents" },
      h(
        "caption",
        { class: "hidden" },
        "Incidents, the newest first. On a row, the arrow keys go to the next one.",
      ),
      h("colgroup", {}, ...COLUMNS.map(([name]) => h("col", { class: `column-${name}` }))),
      h(
        "thead",
        {},
        h(
          "tr",
          { "aria-rowindex": 1 },
          ...COLUMNS.map(([name, heading]) =>
            h("th", { scope: "col", class: name === "alerts" && "number" }, heading),
          ),
        ),
      ),
    );
    this.#rows = new IncidentRows(this.#table, (incident) => this.#book.get(incident.uid) ?? incident);
    this.element = h(
      "section",
      { "aria-labelledby": "incidents-title" },
      h("h2", { id: "incidents-title", tabindex: -1 }, "Incidents"),
      this.#state,
      h(
        "fieldset",
        {
          class: "filter",
          onchange: (event) => this.#choose((event.target as HTMLInputElement).value as Filter),
        },
        h("legend", { class: "hidden" }, "Which incidents"),
        ...FILTERS.map((filter) =>
          h(
            "label",
            {},
            h("input", { type: "radio", name: "filter", value: filter, checked: filter === this.#filter }),
            `${FILTER_NAMES[filter]} `,
            this.#counts[filter],
          ),
        ),
        this.#heard,
      ),
      this.#showNew,
      this.#table,
      this.#none,
    );
  }

  /** Listens, and reads what is there already; what it rejects with is why that can't be read. To be called once. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      let isFirst = true;
      void listen(
        (finding) => this.#take(finding),
        (isThere, why) => {
          this.#state.textContent = isThere
            ? "Live: new alerts appear here"
            : `Not live (${why}); trying again`;
          // Not before it listens, so that nothing falls between; and again after a pause, which may have been too long to be told again.
          if (isThere || isFirst) void this.#read(resolve).catch(reject);
          isFirst = false;
        },
      );
    });
  }

  /** The view is about to be left: notes where it is. */
  leave(): void {
    this.#left = { uid: this.#rows.focusedUid, scrollY };
  }

  /** The view is shown, again perhaps, and then where it was left. @returns true if it has the focus */
  comeBack(): boolean {
    const { uid, scrollY: top } = this.#left ?? { uid: undefined, scrollY: 0 };
    this.#left = undefined;
    this.#draw(uid !== undefined || top > 0);
    const hasFocus = uid !== undefined && this.#rows.focus(uid);
    if (top > 0) scrollTo(0, top);
    return hasFocus;
  }

  /** @param onPart once there is something to be shown */
  async #read(onPart: () => void): Promise<void> {
    const number = ++this.#reads;
    const place = this.#book.nextPlace;
    const isEmpty = this.#book.countOf("all") === 0;
    const read = new Map<string, Incident>();
    for (let offset = 0; offset < TOLD_MAX + SUPPRESSED_MAX; offset += READ_MAX) {
      const { total, incidents: part } = await incidents(READ_MAX, offset);
      if (number !== this.#reads) return;
      // What moves to the front meanwhile moves others back: they come twice, and none is missed.
      for (const incident of part) if (!read.has(incident.uid)) read.set(incident.uid, incident);
      const isLast = part.length < READ_MAX || offset + READ_MAX >= total;
      // Part by part the first time; later the list would shrink for a moment.
      if (isEmpty || isLast) {
        this.#book.replace([...read.values()], place);
        for (const uid of this.#book.uids("all")) this.#hear(uid);
        this.#drawSoon();
        onPart();
      }
      if (isLast) return;
    }
  }

  /** An incident was answered here. */
  answered(uid: string, verdict: VerdictKind): void {
    this.#book.amend(uid, { verdict });
    this.#drawSoon();
  }

  #take(finding: Finding): void {
    this.#book.take(finding);
    this.#hear(finding.finding_info.uid);
    if (finding.status_id === undefined) this.#news++;
    this.#drawSoon();
  }

  #drawSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(
      () =>
        requestAnimationFrame(() => {
          this.#isDue = false;
          if (this.element.isConnected) this.#draw(this.#isHeld);
        }),
      DRAW_EVERY_MS,
    );
  }

  get #isHeld(): boolean {
    return this.#rows.hasFocus || this.#table.getBoundingClientRect().top < 0;
  }

  #choose(filter: Filter): void {
    this.#filter = filter;
    this.#draw(false);
  }

  #toTop(): void {
    this.element.querySelector("h2")!.focus();
    scrollTo(0, 0);
    this.#draw(false);
  }

  #hear(uid: string): void {
    if (this.#heardOf.size < HEARD_OF_MAX) this.#heardOf.add(uid);
  }

  /** @param isHeld what is shown stays where it is; what is known of it is brought up to date */
  #draw(isHeld: boolean): void {
    const book = this.#book;
    if (!isHeld || this.#shown.length === 0) {
      this.#shown = book.uids(this.#filter).map((uid) => book.get(uid)!);
      this.#shownUids = undefined;
      this.#heardOf.clear();
    }
    this.#rows.show(this.#shown);
    const waiting = this.#countWaiting();
    this.#showNew.hidden = waiting === 0;
    this.#showNew.textContent = `Show ${countText(waiting)} new ${waiting === 1 ? "incident" : "incidents"}`;
    this.#none.hidden = this.#shown.length > 0;
    this.#none.textContent = NONE[this.#filter];
    this.#table.hidden = this.#shown.length === 0;
    for (const filter of FILTERS) this.#counts[filter].textContent = countText(book.countOf(filter));
    if (this.#news > 0)
      this.#heard.textContent = `${countText(this.#news)} new ${this.#news === 1 ? "alert" : "alerts"} since this page was opened`;
  }

  /** Incidents that are not shown, as nothing moves. */
  #countWaiting(): number {
    if (this.#heardOf.size === 0) return 0;
    this.#shownUids ??= new Set(this.#shown.map(({ uid }) => uid));
    let count = 0;
    for (const uid of this.#heardOf) {
      const incident = this.#shownUids.has(uid) ? undefined : this.#book.get(uid);
      const isSuppressed = incident?.suppression != null;
      if (
        incident !== undefined &&
        (this.#filter === "all" || isSuppressed === (this.#filter === "suppressed"))
      )
        count++;
    }
    return count;
  }
}

import type { Incident } from "./api.ts";
import { h } from "./dom.ts";
import { IncidentRow } from "./incident-row.ts";

/**
 * Rows of one part of the table: parts far from what is seen hold nothing but their height. With twice as many the browser lays out so many
 * rows at once that a frame is missed.
 */
const PART_ROWS = 25;
/** So far beyond what is seen parts are drawn already: about as far as Page Down moves. */
const AHEAD_PX = 800;
/** Until rows have been measured. */
const ROW_PX = 38;

type Part = {
  readonly body: HTMLTableSectionElement;
  isNear: boolean;
  isDrawn: boolean;
  /** That are in it, or that it has room for. */
  rows: number;
};

/**
 * The rows of a long table, of which those alone are drawn that are seen, or nearly. The table is as high as if all were there, so it is
 * scrolled as any other; each row says which of how many it is.
 *
 *   tbody   25 rows, drawn      seen, or within 800 px of it, or with the focus in it
 *   tbody   one empty row       as high as the 25 were, or are thought to be
 */
export class IncidentRows {
  readonly #table: HTMLTableElement;
  readonly #parts: Part[] = [];
  readonly #partOf = new Map<Element, Part>();
  readonly #drawn = new Map<string, IncidentRow>();
  readonly #near: IntersectionObserver;
  readonly #newest: (incident: Incident) => Incident;
  #incidents: readonly Incident[] = [];
  #rowPx = ROW_PX;

  /** @param newest what is known now of an incident: asked for rows that are drawn alone */
  constructor(table: HTMLTableElement, newest: (incident: Incident) => Incident) {
    this.#table = table;
    this.#newest = newest;
    this.#near = new IntersectionObserver((entries) => this.#look(entries), {
      rootMargin: `${AHEAD_PX}px 0px`,
    });
    table.addEventListener("keydown", (event) => this.#move(event));
  }

  /** True while the focus is on one of the rows. */
  get hasFocus(): boolean {
    return this.focusedUid !== undefined;
  }

  get focusedUid(): string | undefined {
    const row = document.activeElement?.closest("tr");
    return row?.dataset["uid"] !== undefined && this.#table.contains(row) ? row.dataset["uid"] : undefined;
  }

  show(incidents: readonly Incident[]): void {
    this.#incidents = incidents;
    this.#table.setAttribute("aria-rowcount", String(incidents.length + 1));
    const parts = Math.ceil(incidents.length / PART_ROWS);
    while (this.#parts.length > parts) this.#remove();
    while (this.#parts.length < parts) this.#add();
    const kept = new Set<IncidentRow>();
    for (const i of this.#parts.keys()) this.#draw(i, kept);
    for (const [uid, row] of this.#drawn) if (!kept.has(row)) this.#drawn.delete(uid);
  }

  /** @returns false if there is no such row */
  focus(uid: string): boolean {
    const place = this.#incidents.findIndex((incident) => incident.uid === uid);
    if (place >= 0) this.#focusAt(place);
    return place >= 0;
  }

  #add(): void {
    const part = { body: h("tbody"), isNear: this.#parts.length === 0, isDrawn: false, rows: 0 };
    this.#parts.push(part);
    this.#partOf.set(part.body, part);
    this.#table.append(part.body);
    this.#near.observe(part.body);
  }

  #remove(): void {
    const { body } = this.#parts.pop()!;
    this.#near.unobserve(body);
    this.#partOf.delete(body);
    body.remove();
  }

  #look(entries: readonly IntersectionObserverEntry[]): void {
    // Nothing of a view that is not shown now is near; it is as it was when it comes back.
    if (!this.#table.isConnected) return;
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      const part = this.#partOf.get(target);
      if (part === undefined) continue;
      part.isNear = isIntersecting;
      if (!part.isDrawn || boundingClientRect.height === 0) continue;
      this.#rowPx = boundingClientRect.height / part.rows;
    }
    this.show(this.#incidents);
  }

  #draw(i: number, kept: Set<IncidentRow>): void {
    const part = this.#parts[i]!;
    const first = i * PART_ROWS;
    const rows = Math.min(PART_ROWS, this.#incidents.length - first);
    if (!part.isNear && !part.body.contains(document.activeElement)) {
      this.#leaveOut(part, rows);
      return;
    }
    if (!part.isDrawn) part.body.replaceChildren();
    part.isDrawn = true;
    part.rows = rows;
    const { children } = part.body;
    for (let n = 0; n < rows; n++) {
      const incident = this.#incidents[first + n]!;
      let row = this.#drawn.get(incident.uid);
      if (row === undefined) this.#drawn.set(incident.uid, (row = new IncidentRow()));
      kept.add(row);
      row.show(this.#newest(incident), first + n);
      // What is in its place already stays there, and keeps the focus.
      if (children[n] !== row.element) part.body.insertBefore(row.element, children[n] ?? null);
    }
    while (children.length > rows) part.body.lastElementChild!.remove();
  }

  /** The room of a part that is left out changes only with how many rows that are, or the page would jump while it is scrolled. */
  #leaveOut(part: Part, rows: number): void {
    if (!part.isDrawn && part.rows === rows) return;
    const room = h("td");
    room.style.height = `${Math.round(rows * this.#rowPx)}px`;
    part.body.replaceChildren(h("tr", { "aria-hidden": "true", class: "room" }, room));
    part.isDrawn = false;
    part.rows = rows;
  }

  /** Arrows go from one incident to the next, whether that is drawn or not. */
  #move(event: KeyboardEvent): void {
    const uid = this.focusedUid;
    if (uid === undefined || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const last = this.#incidents.length - 1;
    const here = this.#incidents.findIndex((incident) => incident.uid === uid);
    const places: Readonly<Record<string, number>> = {
      ArrowDown: Math.min(last, here + 1),
      ArrowUp: Math.max(0, here - 1),
      Home: 0,
      End: last,
    };
    const place = places[event.key];
    if (here < 0 || place === undefined) return;
    event.preventDefault();
    this.#focusAt(place);
  }

  #focusAt(place: number): void {
    this.#parts[Math.floor(place / PART_ROWS)]!.isNear = true;
    this.show(this.#incidents);
    this.#drawn.get(this.#incidents[place]!.uid)!.focus();
  }
}

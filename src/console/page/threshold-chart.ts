import { h, svg } from "./dom.ts";
import {
  forecastText,
  type Place,
  placeOf,
  placesOf,
  type ScoreCounts,
  scoreAt,
  scoreText,
  usualPlace,
} from "./threshold-forecast.ts";

const WIDTH = 720;
const HEIGHT = 250;
const PLOT = { left: 56, right: 708, top: 50, bottom: 222 };
/** A decade of score, for Page Up and Page Down, and as little of it is shown as this many. */
const DECADE_NATS = Math.LN10;
const DECADES_MIN = 5;

/**
 * Logins and groups by score, the oddest on the left, with the threshold in force and one to try, which is dragged, or moved by keyboard. It
 * tells what another threshold would have given, and changes nothing.
 */
export class ThresholdChart {
  readonly element: HTMLElement;
  readonly #picture = h("div");
  readonly #bubble = h("span", { class: "bubble" });
  readonly #handle: HTMLElement;
  readonly #onMove: () => void;
  #counts: ScoreCounts | undefined;
  #threshold: number | null = null;
  /** Undefined while nobody has moved it: then it is where the one in force is. */
  #moved: Place | undefined;
  #drawn = "";

  /** @param onMove the place to try is another one, or means something else */
  constructor(onMove: () => void) {
    this.#onMove = onMove;
    this.#handle = h(
      "div",
      {
        id: "threshold",
        class: "handle",
        role: "slider",
        tabindex: 0,
        "aria-label": "Threshold to try",
        onkeydown: (event) => this.#press(event as KeyboardEvent),
      },
      this.#bubble,
    );
    this.element = h(
      "div",
      {
        class: "threshold-chart",
        onpointerdown: (event) => this.#grab(event as PointerEvent),
        onpointermove: (event) => this.#drag(event as PointerEvent),
      },
      this.#picture,
      this.#handle,
    );
  }

  /** The place to try, in bins below 1: a whole number once somebody has moved it. */
  get place(): Place {
    const counts = this.#counts!;
    const { highest, lowest } = placesOf(counts);
    const wanted =
      this.#moved ?? (this.#threshold === null ? usualPlace(counts) : placeOf(this.#threshold, counts));
    return Math.max(highest, Math.min(lowest, wanted));
  }

  get isMoved(): boolean {
    return this.#moved !== undefined;
  }

  /** To the one in force again. */
  reset(): void {
    this.#move(undefined);
    this.#handle.focus();
  }

  show(counts: ScoreCounts, threshold: number | null): void {
    this.#counts = counts;
    this.#threshold = threshold;
    this.#draw();
  }

  /** Bins that are shown, from 1 down: those that hold anything, and some decades at least. */
  get #shown(): number {
    const { logins, groups, binsPerNat } = this.#counts!;
    const used = logins.findLastIndex((count, i) => count > 0 || groups[i]! > 0) + 2;
    const inForce = this.#threshold === null ? 0 : placeOf(this.#threshold, this.#counts!) + 2;
    const least = DECADES_MIN * DECADE_NATS * binsPerNat;
    return Math.min(logins.length, Math.ceil(Math.max(used, inForce, least, (this.#moved ?? 0) + 1)));
  }

  #xOf(place: Place): number {
    return PLOT.right - (place / this.#shown) * (PLOT.right - PLOT.left);
  }

  #draw(): void {
    const counts = this.#counts!;
    const { place } = this;
    const { highest, lowest } = placesOf(counts);
    const handle = this.#handle;
    handle.style.left = `${(this.#xOf(place) / WIDTH) * 100}%`;
    handle.style.top = `${(PLOT.top / HEIGHT) * 100}%`;
    handle.style.height = `${((PLOT.bottom - PLOT.top) / HEIGHT) * 100}%`;
    this.#bubble.textContent = scoreText(scoreAt(place, counts));
    // To the right is a higher threshold: a slider's value grows to the right.
    handle.setAttribute("aria-valuemin", String(-lowest));
    handle.setAttribute("aria-valuemax", String(-highest));
    handle.setAttribute("aria-valuenow", String(Math.round(-place)));
    handle.setAttribute(
      "aria-valuetext",
      `below ${scoreText(scoreAt(place, counts))}: ${forecastText(place, counts)}`,
    );
    const drawn = JSON.stringify([counts, this.#threshold, this.#shown]);
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      this.#picture.replaceChildren(this.#bars());
    }
    for (const bar of this.#picture.querySelectorAll<SVGElement>("[data-bin]"))
      bar.classList.toggle("below", Number(bar.dataset["bin"]) >= place);
    this.#onMove();
  }

  #bars(): SVGElement {
    const counts = this.#counts!;
    const { logins, groups, binsPerNat } = counts;
    const shown = this.#shown;
    const most = Math.log1p(Math.max(9, ...logins.slice(0, shown), ...groups.slice(0, shown)));
    const yOf = (count: number): number =>
      PLOT.bottom - (Math.log1p(count) / most) * (PLOT.bottom - PLOT.top - 6);
    const width = (PLOT.right - PLOT.left) / shown;
    const bar = (count: number, bin: number, kind: string, inset: number): SVGElement | undefined => {
      if (count === 0) return undefined;
      const [x, top] = [this.#xOf(bin + 1) + inset, Math.min(yOf(count), PLOT.bottom - 2)];
      const size = { x, y: top, width: Math.max(1, width - 2 * inset), height: PLOT.bottom - top };
      return svg("rect", { ...size, class: `bar ${kind}`, "data-bin": bin });
    };
    const bars = Array.from({ length: shown }, (_, bin) => [
      bar(logins[bin]!, bin, "logins", width * 0.08),
      bar(groups[bin]!, bin, "groups", width * 0.3),
    ]).flat();
    const levels: number[] = [];
    for (let level = 1; Math.log1p(level) <= most; level *= 10) levels.push(level);
    const decades: number[] = [];
    for (let decade = 0; decade * DECADE_NATS * binsPerNat <= shown; decade++) decades.push(decade);
    const label = "Logins and groups by score. What lies below the threshold to try is said beside it.";
    return svg(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "histogram", "aria-label": label },
      ...levels.flatMap((level) => [
        svg("line", { class: "grid", x1: PLOT.left, x2: PLOT.right, y1: yOf(level), y2: yOf(level) }),
        svg("text", { x: PLOT.left - 6, y: yOf(level) + 4, "text-anchor": "end" }, shortCount(level)),
      ]),
      ...bars,
      svg("line", { class: "axis", x1: PLOT.left, x2: PLOT.right, y1: PLOT.bottom, y2: PLOT.bottom }),
      ...decades.flatMap((decade) => {
        const x = this.#xOf(decade * DECADE_NATS * binsPerNat);
        const at = { "text-anchor": decade === 0 ? "end" : "middle", x: decade === 0 ? x + 6 : x };
        return [
          svg("line", { class: "axis", x1: x, x2: x, y1: PLOT.bottom, y2: PLOT.bottom + 4 }),
          svg("text", { ...at, y: PLOT.bottom + 18 }, decade === 0 ? "1" : `1e-${decade}`),
        ];
      }),
      ...this.#inForce(),
    );
  }

  #inForce(): SVGElement[] {
    if (this.#threshold === null) return [];
    const x = this.#xOf(placeOf(this.#threshold, this.#counts!));
    return [
      svg("line", { class: "in-force", x1: x, x2: x, y1: 18, y2: PLOT.bottom }),
      svg("text", { class: "in-force", "text-anchor": "middle", x, y: 12 }, "in force"),
    ];
  }

  #move(place: Place | undefined): void {
    const { highest, lowest } = placesOf(this.#counts!);
    this.#moved = place === undefined ? undefined : Math.max(highest, Math.min(lowest, place));
    this.#draw();
  }

  #press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { place } = this;
    const { highest, lowest } = placesOf(this.#counts!);
    const decade = Math.round(DECADE_NATS * this.#counts!.binsPerNat);
    const places: Readonly<Record<string, Place>> = {
      ArrowRight: Math.ceil(place) - 1,
      ArrowUp: Math.ceil(place) - 1,
      ArrowLeft: Math.floor(place) + 1,
      ArrowDown: Math.floor(place) + 1,
      PageUp: Math.round(place) - decade,
      PageDown: Math.round(place) + decade,
      Home: lowest,
      End: highest,
    };
    const wanted = places[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    this.#move(wanted);
  }

  /** Wherever the chart is taken hold of, the line comes there. */
  #grab(event: PointerEvent): void {
    if (event.button !== 0) return;
    event.preventDefault();
    this.#handle.focus();
    this.element.setPointerCapture(event.pointerId);
    this.#drag(event);
  }

  #drag(event: PointerEvent): void {
    if (!this.element.hasPointerCapture(event.pointerId)) return;
    const box = this.element.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * WIDTH;
    this.#move(Math.round(((PLOT.right - x) / (PLOT.right - PLOT.left)) * this.#shown));
  }
}

function shortCount(count: number): string {
  return count < 1000 ? String(count) : count < 1e6 ? `${count / 1000}k` : `${count / 1e6}M`;
}

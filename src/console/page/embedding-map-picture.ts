import { countText, h, nameElement, shownName, svg } from "./dom.ts";
import type { EmbeddingMap, MapPoint } from "./model-api.ts";
import { PanZoom } from "./pan-zoom.ts";

const WIDTH = 1000;
const HEIGHT = 560;
const MARGIN = 20;
const RADIUS = 3.6;
const ZOOM_MAX = 30;
const TAG_AT = 10;
const HINT =
  "Point at somebody, or go there by the arrow keys, to see who it is; a click, or Enter, opens the page.";
/** To the side of where the arrow points counts so many times as far. */
const SIDEWAYS = 2;
/** Alerts from which on a point is drawn as one of many, of some, of one. */
const LEVELS = [10, 2, 1] as const;
/** By level. */
const SIZES = [1, 1.4, 1.8, 2.3] as const;

const ARROWS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export type Colouring = "cluster" | "alerts";

type Drawn = {
  readonly point: MapPoint;
  readonly x: number;
  readonly y: number;
  readonly element: SVGElement;
};

/** 0 for none, 3 for the most. */
export function alertLevel({ alerts }: MapPoint): number {
  const place = LEVELS.findIndex((level) => alerts >= level);
  return place < 0 ? 0 : LEVELS.length - place;
}

export function pointText({ kind, cluster, alerts, logins }: MapPoint): string {
  const told = alerts === 0 ? "no alerts" : `${countText(alerts)} ${alerts === 1 ? "alert" : "alerts"}`;
  return `${kind === "user" ? "account" : "host"}, cluster ${cluster + 1}, ${told}, ${countText(logins)} ${logins === 1 ? "login" : "logins"}`;
}

/**
 * The map drawn: each account a circle, each host a square. Tab reaches it as one thing, as nobody wants to press it a thousand times; there
 * the arrows go to the next point in their direction, which is told below, and Enter opens it.
 */
export class EmbeddingMapPicture {
  readonly element: HTMLElement;
  readonly #points: Drawn[];
  readonly #right: number;
  readonly #bottom: number;
  readonly #picture: SVGSVGElement;
  readonly #tag = svg("text", { class: "tag", y: 4 });
  readonly #readout = h("p", { class: "readout" }, HINT);
  readonly #view: PanZoom;
  readonly #onOpen: (point: MapPoint) => void;
  /** Where the arrows go on from. */
  #current: Drawn;
  #told: Drawn | undefined;
  #zoom = 1;

  constructor({ points }: EmbeddingMap, onOpen: (point: MapPoint) => void) {
    this.#onOpen = onOpen;
    // Those with the most alerts are drawn last, over the others.
    this.#points = points.toSorted((a, b) => a.alerts - b.alerts).map(drawn);
    this.#right = Math.max(...this.#points.map(({ x }) => x));
    this.#bottom = Math.max(...this.#points.map(({ y }) => y));
    this.#current = this.#points.at(-1)!;
    const stage = svg("g", {}, ...this.#points.map(({ element }) => element), this.#tag);
    this.#picture = svg(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        class: "embedding-map",
        tabindex: 0,
        role: "application",
        "aria-roledescription": "map",
        "aria-label":
          "Map of accounts and hosts: arrows go from point to point, Enter opens one; the same is in the tables below",
        onpointerover: ({ target }) => this.#tell(this.#at(target), false),
        onpointerleave: () => this.#tell(undefined, false),
        onfocus: () => {
          // Not for who has clicked it.
          if (this.#picture.matches(":focus-visible")) this.#goTo(this.#current);
        },
        onblur: () => this.#tell(undefined, false),
        onclick: ({ target }) => {
          const one = this.#at(target);
          if (one !== undefined) onOpen(one.point);
        },
        onkeydown: (event) => this.#onKey(event as KeyboardEvent),
      },
      stage,
    );
    this.#view = new PanZoom({
      picture: this.#picture,
      stage,
      width: WIDTH,
      height: HEIGHT,
      zoomMax: ZOOM_MAX,
      untouched: ".point",
      onZoom: (zoom) => this.#zoomed(zoom),
    });
    this.element = h("div", {}, this.#picture, this.#readout);
    this.colourBy("cluster");
    this.#whole();
  }

  /** Buttons that scale it: dragging moves it. */
  get tools(): readonly HTMLElement[] {
    const button = (text: string, onclick: () => void): HTMLElement =>
      h("button", { type: "button", onclick }, text);
    return [
      button("Zoom in", () => this.#view.zoomIn()),
      button("Zoom out", () => this.#view.zoomOut()),
      button("Whole map", () => this.#whole()),
    ];
  }

  colourBy(colouring: Colouring): void {
    this.#picture.setAttribute("class", `embedding-map by-${colouring}`);
  }

  /** Shows one cluster and the rest faintly; undefined: all of them. */
  pickOut(cluster: number | undefined): void {
    for (const { point, element } of this.#points)
      element.classList.toggle("faint", cluster !== undefined && point.cluster !== cluster);
  }

  #whole(): void {
    const margin = MARGIN * Math.max(this.#right / WIDTH, this.#bottom / HEIGHT);
    this.#view.fit(
      { left: -margin, right: this.#right + margin, top: -margin, bottom: this.#bottom + margin },
      ZOOM_MAX,
    );
  }

  /** Points stay as large as they were, or what lies upon each other would go on to. */
  #zoomed(zoom: number): void {
    this.#zoom = zoom;
    for (const { element, x, y } of this.#points) element.setAttribute("transform", this.#placeOf(x, y));
    this.#placeTag();
  }

  #placeOf(x: number, y: number): string {
    return `translate(${x},${y}) scale(${1 / this.#zoom})`;
  }

  #at(target: EventTarget | null): Drawn | undefined {
    const place = (target as Element | null)?.getAttribute("data-place") ?? null;
    return place === null ? undefined : this.#points[Number(place)];
  }

  #goTo(one: Drawn): void {
    this.#current = one;
    this.#view.reveal(one.x, one.y);
    this.#tell(one, true);
  }

  /** @param isAsked by keys: who listens wants to hear it then, and not whatever the pointer comes across */
  #tell(one: Drawn | undefined, isAsked: boolean): void {
    this.#told?.element.classList.remove("current");
    one?.element.classList.add("current");
    this.#told = one;
    this.#tag.textContent = one === undefined ? "" : shownName(one.point.name);
    this.#placeTag();
    this.#readout.setAttribute("aria-live", isAsked ? "polite" : "off");
    this.#readout.replaceChildren(
      ...(one === undefined ? [HINT] : [nameElement(one.point.name), ` ${pointText(one.point)}`]),
    );
  }

  #placeTag(): void {
    if (this.#told === undefined) return;
    const { x, y } = this.#told;
    // On the side where there is more room for it.
    const isLeft = x > this.#right / 2;
    this.#tag.setAttribute("x", String(isLeft ? -TAG_AT : TAG_AT));
    this.#tag.setAttribute("text-anchor", isLeft ? "end" : "start");
    this.#tag.setAttribute("transform", this.#placeOf(x, y));
  }

  #onKey(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key];
    if (arrow !== undefined) this.#goTo(this.#next(this.#current, arrow) ?? this.#current);
    else if (event.key === "Enter" || event.key === " ") this.#onOpen(this.#current.point);
    else return;
    event.preventDefault();
  }

  #next(from: Drawn, [dx, dy]: readonly [number, number]): Drawn | undefined {
    let best: { readonly one: Drawn; readonly distance: number } | undefined;
    for (const one of this.#points) {
      const [x, y] = [one.x - from.x, one.y - from.y];
      const ahead = x * dx + y * dy;
      if (ahead <= 0) continue;
      const distance = ahead + SIDEWAYS * Math.abs(x * dy + y * dx);
      if (best === undefined || distance < best.distance) best = { one, distance };
    }
    return best?.one;
  }
}

function drawn(point: MapPoint, place: number): Drawn {
  const attributes = { class: `point c${point.cluster} a${alertLevel(point)}`, "data-place": place };
  const r = RADIUS * SIZES[alertLevel(point)]!;
  // A square looks larger than a circle as wide.
  const half = 0.88 * r;
  const element =
    point.kind === "user"
      ? svg("circle", { ...attributes, r })
      : svg("rect", { ...attributes, x: -half, y: -half, width: 2 * half, height: 2 * half });
  return { point, x: point.x * WIDTH, y: point.y * WIDTH, element };
}

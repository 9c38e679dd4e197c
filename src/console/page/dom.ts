/** Elements of the page. Whatever comes from outside becomes text or an attribute here, never markup. */

export type Child = Node | string | number | undefined | null | false;
type Listener = (event: Event) => void;
export type Attributes = Readonly<Record<string, string | number | boolean | undefined | Listener>>;

const SVG = "http://www.w3.org/2000/svg";

/** An element of HTML. An attribute that begins with `on` is a listener; one that is false or undefined is left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  fill(element, attributes, children);
  return element;
}

/** The same of SVG. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  fill(element, attributes, children);
  return element;
}

function fill(element: Element, attributes: Attributes, children: readonly Child[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  for (const child of children) {
    if (child === undefined || child === null || child === false) continue;
    element.append(typeof child === "number" ? String(child) : child);
  }
}

const MAX_SHOWN = 120;

/**
 * A name as it may stand on the page: characters that can't be seen, or turn what is read around, are spelled out, and a very long one is
 * cut in the middle. The whole of it is its title.
 */
export function shownName(name: string): string {
  const spelled = name.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`,
  );
  const half = Math.floor(MAX_SHOWN / 2);
  return spelled.length <= MAX_SHOWN ? spelled : `${spelled.slice(0, half)}…${spelled.slice(-half)}`;
}

/** A name in an element of its own, so that a text that runs from right to left does not turn what stands around it. */
export function nameElement(name: string): HTMLElement {
  return h("bdi", { class: "name", title: shownName(name) }, name === "" ? "?" : shownName(name));
}

const wholeNumber = new Intl.NumberFormat("en-US");
const shortTime = new Intl.DateTimeFormat("sv-SE", {
  dateStyle: "short",
  timeStyle: "medium",
  timeZone: "UTC",
});

export function countText(count: number): string {
  return wholeNumber.format(count);
}

/** In UTC, as logs have it. */
export function timeText(timeMs: number | null): string {
  return timeMs === null ? "never" : `${shortTime.format(timeMs)} UTC`;
}

/** Where a heading says that it is UTC. */
export function shortTimeElement(timeMs: number): HTMLElement {
  return h("time", { datetime: new Date(timeMs).toISOString() }, shortTime.format(timeMs));
}

export function timeElement(timeMs: number | null): HTMLElement {
  return timeMs === null
    ? h("span", {}, "never")
    : h("time", { datetime: new Date(timeMs).toISOString() }, timeText(timeMs));
}

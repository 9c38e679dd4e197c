import { type Markup, markup } from "../../html/markup.ts";
import { scoreText } from "../terminal/numbers.ts";
import { nameText, sentenceText } from "../terminal/outside-text.ts";

/** Of a name that is longer than a line, so much is told when pointed at. */
const POINTED_AT_MAX = 400;

/**
 * A name from outside, in a direction of its own, so that one of letters that run from right to left turns nothing around it. Its
 * beginning where it is long.
 */
export function nameMarkup(name: string | undefined): Markup {
  const shown = nameText(name);
  if (shown === name || name === undefined) return markup`<bdi class="name">${shown}</bdi>`;
  return markup`<bdi class="name" title="${sentenceText(name, POINTED_AT_MAX)}">${shown}</bdi>`;
}

/** `2015-01-02 17:57:16` in UTC. */
export function timeMarkup(timeMs: number): Markup {
  const text = new Date(timeMs).toISOString();
  return markup`<time datetime="${text}">${text.replace("T", " ").replace(/\.\d+Z$/, "")}</time>`;
}

/** A score that stays in one line. */
export function scoreMarkup(score: number): Markup {
  return markup`<span class="figure">${scoreText(score)}</span>`;
}

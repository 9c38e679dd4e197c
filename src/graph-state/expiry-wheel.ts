import { type LinkRow, NO_ROW } from "./link-row.ts";
import type { LinkTable } from "./link-table.ts";
import type { Window } from "./window.ts";

/**
 * Links by the step of the window at which they are to be looked at for expiry: where they were last seen when they were
 * put there. A link seen since then is put back further on, so each is looked at about once a window.
 */
export class ExpiryWheel {
  readonly #links: LinkTable;
  readonly #window: Window;
  /** Step to the first of its links; the others follow in `nextInWheel`. */
  readonly #heads = new Map<number, LinkRow>();

  constructor(links: LinkTable, window: Window) {
    this.#links = links;
    this.#window = window;
  }

  add(link: LinkRow, step: number): void {
    this.#links.nextInWheel[link] = this.#heads.get(step) ?? NO_ROW;
    this.#heads.set(step, link);
  }

  /** Hands over each link whose last login lies before the window's edge; it is in the wheel no more. */
  *expired(): Generator<LinkRow> {
    const edge = this.#window.edgeStep;
    for (const step of this.#steps()) {
      if (step >= edge) return;
      for (const link of this.#take(step)) {
        const lastStep = this.#lastStepOf(link);
        if (lastStep >= edge) this.add(link, lastStep);
        else yield link;
      }
    }
  }

  /** Hands over `count` of the longest silent links, or fewer; links changed since the last segment are spared. */
  *longestSilent(count: number): Generator<LinkRow> {
    let wanted = count;
    const newest = this.#window.step;
    for (const step of this.#steps()) {
      if (wanted === 0) return;
      for (const link of this.#take(step)) {
        const lastStep = this.#lastStepOf(link);
        const isDirty = this.#links.dirtyOf(link) !== NO_ROW;
        if (isDirty || wanted === 0 || (lastStep > step && lastStep <= newest)) {
          this.add(link, Math.max(lastStep, step));
        } else {
          wanted--;
          yield link;
        }
      }
    }
  }

  #steps(): number[] {
    return [...this.#heads.keys()].sort((a, b) => a - b);
  }

  *#take(step: number): Generator<LinkRow> {
    let link = this.#heads.get(step)!;
    this.#heads.delete(step);
    while (link !== NO_ROW) {
      // Read first: who gets the link may remove it or put it elsewhere.
      const next = this.#links.nextInWheel[link]!;
      yield link;
      link = next;
    }
  }

  #lastStepOf(link: LinkRow): number {
    return this.#window.stepOf(this.#links.statistics.lastMsOf(link));
  }
}

import { sumOf, type Totals } from "../engine/totals.ts";
import { countText } from "./terminal/numbers.ts";

/** Records of which the share is taken at least; and times between two looks, and two warnings, milliseconds. */
const RECORDS_MIN = 100;
const LOOK_MS = 1000;
const WARN_MS = 60_000;

export type RejectedShareOptions = {
  readonly shareMax: number;
  /** Where the records go. */
  readonly deadLetters: string;
  readonly monotonicMs: () => number;
  readonly warn: (message: string) => void;
};

/** Warns while most of an input without an end can't be read: on files that ends a run, a worker goes on. */
export class RejectedShare {
  readonly #options: RejectedShareOptions;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #warnedMs = Number.NEGATIVE_INFINITY;
  #consumed = 0;
  #rejected = 0;

  constructor(options: RejectedShareOptions) {
    this.#options = options;
  }

  /** To be called often; `totals` is seldom. */
  look(totals: () => Totals): void {
    const { shareMax, deadLetters, monotonicMs, warn } = this.#options;
    const nowMs = monotonicMs();
    if (nowMs - this.#lookedMs < LOOK_MS || nowMs - this.#warnedMs < WARN_MS) return;
    this.#lookedMs = nowMs;
    const now = totals();
    const allRejected = sumOf(now.rejected);
    const consumed = now.consumed - this.#consumed;
    const rejected = allRejected - this.#rejected;
    // Less than before: what was lost with a partition is not counted any more.
    if (consumed >= 0 && consumed < RECORDS_MIN) return;
    this.#consumed = now.consumed;
    this.#rejected = allRejected;
    if (consumed < RECORDS_MIN || rejected / consumed <= shareMax) return;
    this.#warnedMs = nowMs;
    const [reason] = Object.entries(now.rejected).toSorted(([, a], [, b]) => b - a)[0]!;
    warn(
      `${countText(rejected)} of the last ${countText(consumed)} records can't be read, most often: ${reason}; ` +
        `they go to ${deadLetters}. Is input.format right?`,
    );
  }
}

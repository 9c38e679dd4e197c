import { z } from "zod";

const MS_PER_DAY = 86_400_000;

/** The window moves in this many steps, so a link is forgotten at most one step late. */
const STEPS = 30;

export const windowOptionsSchema = z.strictObject({
  days: z
    .number()
    .min(1 / 24)
    .max(3650)
    .default(30)
    .describe("days of event time for which a silent link stays known"),
  maxJumpDays: z
    .number()
    .positive()
    .max(36_500)
    .default(30)
    .describe(
      "a login further ahead of the newest one than this is dead-lettered as future-time, until 20 in a row agree",
    ),
  maxLinks: z
    .number()
    .int()
    .min(10_000)
    .max(200_000_000)
    .default(10_000_000)
    .describe("most links held; beyond it the longest silent go first"),
});
export type WindowOptions = z.infer<typeof windowOptionsSchema>;

/**
 * The sliding window of event time. Its edge moves in whole steps (a thirtieth of the window, a day by default), driven
 * by the watermark: the latest time seen. A link whose last step is before the edge is unknown again.
 *
 * Steps, not a continuous edge, make expiry exact under recovery: no segment spans a step, so summing segments step by
 * step forgets the same links at the same moments as the running engine did.
 */
export class Window {
  readonly stepMs: number;
  #watermarkMs = Number.NEGATIVE_INFINITY;

  constructor(options: Pick<WindowOptions, "days">) {
    this.stepMs = Math.max(1, Math.round((options.days * MS_PER_DAY) / STEPS));
  }

  /** Latest event time seen, or -Infinity before the first. */
  get watermarkMs(): number {
    return this.#watermarkMs;
  }

  stepOf(timeMs: number): number {
    return Math.floor(timeMs / this.stepMs);
  }

  /** The step of the watermark, or -Infinity before the first login. */
  get step(): number {
    return this.stepOf(this.#watermarkMs);
  }

  /** First step inside the window. */
  get edgeStep(): number {
    return this.step - STEPS;
  }

  /** True if a login at `timeMs` would move the edge. */
  wouldStep(timeMs: number): boolean {
    return timeMs > this.#watermarkMs && this.stepOf(timeMs) > this.step;
  }

  advance(timeMs: number): void {
    if (timeMs > this.#watermarkMs) this.#watermarkMs = timeMs;
  }
}

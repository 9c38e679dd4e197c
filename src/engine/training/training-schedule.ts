import type { Config } from "../../config/schema.ts";
import type { Graph } from "../../graph-state/graph.ts";
import type { Epoch } from "../../model/epoch.ts";

/** Trains one epoch on the graph as it stands; `trainedAtMs` is event time, `previous` the epoch in force. */
export type TrainEpoch = (
  graph: Graph,
  config: Config,
  number: number,
  trainedAtMs: number,
  signal: AbortSignal | undefined,
  previous: Epoch | undefined,
) => Promise<Epoch>;

const MS_PER_HOUR = 3_600_000;

/**
 * When to train, by event time: on a grid that starts with the first login. A training is due when a login is about to
 * move event time across a grid point, so it depends on where in the stream one is and on nothing else: a run that was
 * interrupted trains at the same places.
 */
export class TrainingSchedule {
  readonly #firstMs: number;
  readonly #everyMs: number;

  constructor(options: { readonly firstAfterHours: number; readonly everyHours: number }) {
    this.#firstMs = options.firstAfterHours * MS_PER_HOUR;
    this.#everyMs = options.everyHours * MS_PER_HOUR;
  }

  /** True if going from one event time to the next crosses a point of the grid. */
  isDue(originMs: number, fromMs: number, toMs: number): boolean {
    return this.#point(originMs, toMs) > this.#point(originMs, fromMs);
  }

  /** Number of grid points passed; -1 before the first, also before any login. */
  #point(originMs: number, timeMs: number): number {
    if (!(timeMs >= originMs)) return -1;
    return Math.max(-1, Math.floor((timeMs - originMs - this.#firstMs) / this.#everyMs));
  }
}

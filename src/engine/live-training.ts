import type { Config } from "../config/schema.ts";
import type { Graph } from "../graph-state/graph.ts";
import type { Epoch } from "../model/epoch.ts";
import type { TrainEpoch } from "./training-schedule.ts";

const MS_PER_HOUR = 3_600_000;

/**
 * Training by the wall clock, beside the scoring: begun between two batches, never awaited. A training that fails leaves
 * the epoch before in force.
 */
export class LiveTraining {
  readonly #config: Config;
  readonly #train: TrainEpoch;
  readonly #now: () => number;
  readonly #onFailed: ((error: Error) => void) | undefined;
  readonly #abort = new AbortController();
  #begunAtMs: number;
  #running: Promise<void> | undefined;
  #finished: Epoch | undefined;

  constructor(options: {
    readonly config: Config;
    readonly train: TrainEpoch;
    /** Milliseconds since the epoch. */
    readonly now: () => number;
    readonly onFailed: ((error: Error) => void) | undefined;
  }) {
    this.#config = options.config;
    this.#train = options.train;
    this.#now = options.now;
    this.#onFailed = options.onFailed;
    this.#begunAtMs = options.now();
  }

  /** Hands out the epoch that a finished training gave, once. */
  take(): Epoch | undefined {
    const epoch = this.#finished;
    this.#finished = undefined;
    return epoch;
  }

  /** Begins a training if its time has come. `current`: the epoch in force. */
  beginIfDue(graph: Graph, current: Epoch | undefined): void {
    const { firstAfterHours, everyHours, linksMin } = this.#config.training;
    const nowMs = this.#now();
    const hours = current === undefined ? firstAfterHours : everyHours;
    if (this.#running !== undefined || nowMs - this.#begunAtMs < hours * MS_PER_HOUR) return;
    if (graph.linkCount < linksMin) return;
    this.#begunAtMs = nowMs;
    const number = (current?.manifest.number ?? 0) + 1;
    const { watermarkMs } = graph.window;
    this.#running = this.#train(graph, this.#config, number, watermarkMs, this.#abort.signal)
      .then((epoch) => {
        this.#finished = epoch;
      })
      .catch((error: unknown) => {
        if (!this.#abort.signal.aborted) this.#onFailed?.(error as Error);
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }
}

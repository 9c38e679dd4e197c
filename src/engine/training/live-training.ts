import type { Config } from "../../config/schema.ts";
import { OddlinkError } from "../../errors.ts";
import type { Graph } from "../../graph-state/graph.ts";
import type { Epoch } from "../../model/epoch.ts";
import type { NewestEpoch } from "../epoch-records.ts";
import type { TrainEpoch } from "./training-schedule.ts";

const MS_PER_HOUR = 3_600_000;

/**
 * Training by the wall clock, beside the scoring: begun between two batches, never awaited. A training that fails leaves
 * the epoch before in force.
 *
 * The hours are counted from the last epoch, whoever trained it, where the log says when it was written: a process that is
 * started again does not begin to wait anew.
 */
export class LiveTraining {
  readonly #config: Config;
  readonly #train: TrainEpoch;
  readonly #now: () => number;
  readonly #onFailed: ((error: Error) => void) | undefined;
  readonly #abort = new AbortController();
  readonly #startedAtMs: number;
  #begunAtMs = Number.NEGATIVE_INFINITY;
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
    this.#startedAtMs = options.now();
  }

  /** Hands out the epoch that a finished training gave, once. */
  take(): Epoch | undefined {
    const epoch = this.#finished;
    this.#finished = undefined;
    return epoch;
  }

  /** Begins a training if its time has come. `newest` and `previous`: the epoch in force. */
  beginIfDue(graph: Graph, newest: NewestEpoch | undefined, previous: Epoch | undefined): void {
    if (this.#running !== undefined || this.#finished !== undefined || !this.#isDue(newest)) return;
    if (graph.linkCount < this.#config.training.linksMin) return;
    this.#begunAtMs = this.#now();
    const number = (newest?.number ?? 0) + 1;
    const { watermarkMs } = graph.window;
    this.#running = this.#train(graph, this.#config, number, watermarkMs, this.#abort.signal, previous)
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

  #isDue(newest: NewestEpoch | undefined): boolean {
    const { firstAfterHours, everyHours } = this.#config.training;
    const nowMs = this.#now();
    const hours = newest === undefined ? firstAfterHours : everyHours;
    // A clock that goes wrong must not put training off for longer than a start does.
    const isKnown = newest?.writtenAtMs !== undefined && newest.writtenAtMs <= nowMs;
    const sinceMs = Math.max(this.#begunAtMs, isKnown ? newest.writtenAtMs! : this.#startedAtMs);
    return nowMs - sinceMs >= hours * MS_PER_HOUR;
  }
}

/** Why an epoch that was just trained is of no use: another of its number, or a newer one, was published meanwhile. */
export function overtaken(
  { manifest: { number } }: Epoch,
  newest: NewestEpoch | undefined,
): OddlinkError | undefined {
  if (newest === undefined || newest.number < number) return undefined;
  return new OddlinkError(
    "EPOCH_SUPERSEDED",
    `epoch ${number} was published by another trainer while this one was at it`,
  );
}

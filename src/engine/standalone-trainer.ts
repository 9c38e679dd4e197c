import { unlessAborted } from "../aborting.ts";
import type { Config } from "../config/schema.ts";
import { OddlinkError } from "../errors.ts";
import type { Graph } from "../graph-state/graph.ts";
import type { TrainerLog } from "../log/port.ts";
import { type Epoch, isAccepted, promoted } from "../model/epoch.ts";
import type { Time } from "../time.ts";
import { EpochReader, type NewestEpoch, type RejectedEpoch } from "./epoch-records.ts";
import { hourOf, RollBack } from "./roll-back.ts";
import { type RestoreProgress, SharedGraph } from "./shared-graph.ts";
import type { StoredSegmentSizes } from "./stored-segments.ts";
import { LiveTraining, overtaken } from "./training/live-training.ts";
import type { TrainEpoch } from "./training/training-schedule.ts";
import { VerdictLog } from "./verdict-log.ts";

/** How often it is looked whether a training is due, or done. */
const CHECK_MS = 1000;

export type StandaloneTrainerOptions = {
  readonly config: Config;
  readonly log: TrainerLog;
  readonly time: Time;
  readonly train: TrainEpoch;
  readonly onPublishing?: (epoch: Epoch) => void;
  /** It is published, and in force from now on. */
  readonly onEpoch?: (epoch: Epoch) => void;
  /** The gate did not let an epoch pass, whoever trained it. */
  readonly onRejected?: (rejected: RejectedEpoch) => void;
  /** A training failed, came too late, or an epoch in the log can't be used. */
  readonly onEpochFailed?: (error: Error) => void;
  /** What is good to know and ends nothing. */
  readonly onNote?: (message: string) => void;
  readonly onRestoring?: (progress: RestoreProgress) => void;
  /** The graph is there; from now on it is followed. */
  readonly onRestored?: (graph: Graph) => void;
  readonly signal: AbortSignal;
};

/**
 * A trainer in a process of its own: follows the graph that the workers write, trains on it, and publishes epochs, which the
 * workers adopt. It never sees a login.
 */
export class StandaloneTrainer {
  /** Epochs that were published and are the ones of their number. */
  published = 0;
  /** Epochs that the gate did not let pass, of this trainer's. */
  rejected = 0;
  readonly #options: StandaloneTrainerOptions;
  readonly #state: SharedGraph;
  readonly #epochs: EpochReader;
  readonly #verdictLog: VerdictLog;
  readonly #stopping = new AbortController();
  readonly #stop = this.#stopping.signal;
  readonly #rollBack: RollBack;
  #epoch: Epoch | undefined;
  #challenger: Epoch | undefined;
  #isRestored = false;
  /** Hour of event time for which it was looked whether the epoch in force is to be taken back. */
  #watchedHour = Number.NaN;
  #failure: unknown;

  constructor(options: StandaloneTrainerOptions) {
    const { config, log, time } = options;
    this.#options = options;
    this.#verdictLog = new VerdictLog({ log, onTrouble: (message) => options.onNote?.(message) });
    this.#state = new SharedGraph({
      config,
      log,
      verdicts: this.#verdictLog.verdicts,
      breathe: () => time.sleep(0),
      onRestoring: options.onRestoring,
      onBroken: (error) => this.#fail(error),
    });
    this.#rollBack = new RollBack(config);
    this.#epochs = new EpochReader({
      onEpoch: (epoch) => {
        this.#epoch = epoch;
        this.#challenger = undefined;
        this.#rollBack.adopted(epoch);
      },
      onChallenger: (epoch) => {
        this.#challenger = epoch;
      },
      onRejected: (rejected) => {
        if (this.#isRestored) options.onRejected?.(rejected);
      },
      onUnusable: (error) => options.onEpochFailed?.(error),
    });
  }

  get graph(): Graph {
    return this.#state.scoring.graph;
  }

  /** Which segments lie in the log, and what they weigh. */
  get storedSegments(): StoredSegmentSizes {
    return this.#state.stored;
  }

  /** True once the stored state was read. */
  get isRestored(): boolean {
    return this.#isRestored;
  }

  /** The epoch in force, whoever published it. */
  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  /** The epoch of the highest number: the one in force, unless the gate did not let it pass. */
  get newest(): NewestEpoch | undefined {
    return this.#epochs.newest;
  }

  /**
   * Trains by the wall clock, and takes over from any trainer before it. Returns when the signal fires.
   *
   * @throws {OddlinkError} TRAINER_REPLACED when another trainer takes over, STATE_INCOMPLETE, KAFKA_FAILED
   */
  follow(): Promise<void> {
    const { config, log, time, train, onEpochFailed } = this.#options;
    return this.#run(async () => {
      await log.takeOver(this.#stop);
      const live = new LiveTraining({ config, train, now: time.now, onFailed: onEpochFailed });
      try {
        while (!this.#stop.aborted) {
          const epoch = live.take();
          if (epoch !== undefined) await this.#publish(epoch);
          await this.#rollBackIfDue();
          if (!this.#state.isRebuilding) live.beginIfDue(this.graph, this.newest, this.#epoch);
          await time.sleep(CHECK_MS, this.#stop);
        }
      } finally {
        await live.stop();
      }
    });
  }

  /**
   * Trains now, on what is there, and publishes. The trainer in charge stays in charge.
   *
   * @throws {OddlinkError} TRAINING_FAILED, also if there are too few links; STATE_INCOMPLETE, KAFKA_FAILED
   */
  once(): Promise<void> {
    const { config, train } = this.#options;
    return this.#run(async () => {
      while (this.#state.isRebuilding) await this.#state.rebuilt;
      const { linksMin } = config.training;
      const { linkCount, window } = this.graph;
      if (linkCount < linksMin) {
        throw new OddlinkError(
          "TRAINING_FAILED",
          `the graph has ${linkCount} links, too few to train on: training.linksMin is ${linksMin}`,
        );
      }
      const { watermarkMs } = window;
      const number = this.#nextNumber;
      await this.#publish(await train(this.graph, config, number, watermarkMs, this.#stop, this.#epoch));
    });
  }

  /**
   * Puts the epoch that is in the shadow in force. The trainer in charge stays in charge.
   *
   * @throws {OddlinkError} USAGE if there is none; STATE_INCOMPLETE, KAFKA_FAILED
   */
  promote(): Promise<void> {
    return this.#run(async () => {
      while (this.#state.isRebuilding) await this.#state.rebuilt;
      if (this.#challenger === undefined)
        throw new OddlinkError(
          "USAGE",
          "no epoch is in the shadow of the one in force: training.shadow makes it so",
        );
      const { watermarkMs } = this.graph.window;
      await this.#publish(promoted(this.#challenger, this.#nextNumber, watermarkMs));
    });
  }

  async #run(work: () => Promise<void>): Promise<void> {
    const { log, signal, onRestored } = this.#options;
    const onStop = (): void => this.#stopping.abort();
    const onLogFailed = (): void => this.#fail(log.failed.reason);
    // Not AbortSignal.any, which Node keeps for as long as nobody aborts it.
    signal.addEventListener("abort", onStop);
    log.failed.addEventListener("abort", onLogFailed);
    if (signal.aborted) onStop();
    const epochs = log.follow("epochs", (record) => this.#epochs.read(record));
    try {
      const restored = Promise.all([this.#state.restore(), epochs.caughtUp(), this.#verdictLog.restore()]);
      await unlessAborted(restored, this.#stop);
      if (!this.#stop.aborted) {
        this.#isRestored = true;
        onRestored?.(this.graph);
        await work();
      }
    } catch (error) {
      // What was stopped may end with any error, and that it was stopped is none.
      if (!this.#stop.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", onStop);
      log.failed.removeEventListener("abort", onLogFailed);
      await this.#state.close();
      await epochs.close();
      await this.#verdictLog.close();
    }
    if (this.#failure !== undefined && !signal.aborted) throw this.#failure;
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#stopping.abort();
  }

  get #nextNumber(): number {
    return (this.newest?.number ?? 0) + 1;
  }

  async #rollBackIfDue(): Promise<void> {
    const hour = hourOf(this.graph.window.watermarkMs) - 1;
    if (this.#state.isRebuilding || hour === this.#watchedHour) return;
    this.#watchedHour = hour;
    const rolledBack = this.#rollBack.due(this.graph, hour, this.#nextNumber);
    if (rolledBack !== undefined) await this.#publish(rolledBack);
  }

  async #publish(epoch: Epoch): Promise<void> {
    const { log, onPublishing, onEpoch, onEpochFailed } = this.#options;
    const { number, digest } = epoch.manifest;
    onPublishing?.(epoch);
    await log.publish(
      () => (overtaken(epoch, this.newest) === undefined ? this.#epochs.publication(epoch) : []),
      this.#stop,
    );
    if (this.newest?.number === number && this.newest.digest === digest) {
      if (isAccepted(epoch)) {
        this.published++;
        onEpoch?.(epoch);
      } else this.rejected++;
      return;
    }
    const late = overtaken(epoch, this.newest);
    if (late !== undefined) onEpochFailed?.(late);
  }
}

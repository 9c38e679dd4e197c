import type { Config } from "../config/schema.ts";
import type { Graph } from "../graph-state/graph.ts";
import type { KeyedRecord } from "../log/port.ts";
import { decodeEpoch, type Epoch, isAccepted } from "../model/epoch.ts";
import { EpochHistory, type KnownEpoch } from "./epoch-history.ts";
import { type DecodeEpoch, EpochReader, type RejectedEpoch } from "./epoch-records.ts";
import { hourOf, RollBack } from "./roll-back.ts";
import type { SharedGraph } from "./shared-graph.ts";
import { LiveTraining, overtaken } from "./training/live-training.ts";
import { type TrainEpoch, TrainingSchedule } from "./training/training-schedule.ts";

/** What an engine tells of epochs. */
export type EpochEvents = {
  /** It was trained here, and is not in force yet; the gate may have rejected it. */
  readonly onEpoch?: (epoch: Epoch) => void;
  /** An epoch, whoever trained it, is in force from now on. Not called for one that was when the engine began. */
  readonly onAdopted?: (epoch: Epoch) => void;
  /** The same for an epoch that took the place of one which is taken back. */
  readonly onRolledBack?: (epoch: Epoch) => void;
  /** An epoch, whoever trained it, scores in the shadow of the one in force from now on. */
  readonly onChallenger?: (epoch: Epoch) => void;
  /** The gate did not let an epoch pass, whoever trained it. */
  readonly onRejected?: (rejected: RejectedEpoch) => void;
  /** A live training failed, or an epoch in the log can't be used; the engine goes on with the one it has. */
  readonly onEpochFailed?: (error: Error) => void;
};

export type EngineEpochsOptions = {
  readonly config: Config;
  readonly state: SharedGraph;
  /** Whether other processes read and write the same log. */
  readonly isShared: boolean;
  readonly train: TrainEpoch;
  /** Milliseconds since the epoch, by the wall clock. */
  readonly now: () => number;
  readonly stop: AbortSignal;
  readonly events: EpochEvents;
  /** Decodes an epoch that others may have written, while logins are scored; at once if undefined. */
  readonly decodeLive: DecodeEpoch | undefined;
  readonly count: (what: "epochs" | "epochsRejected" | "rollBacks") => void;
};

/**
 * The life of epochs in an engine: when one is trained, that it is stored with the next commit, when it comes into force, and
 * when it is taken back.
 */
export class EngineEpochs {
  readonly #options: EngineEpochsOptions;
  readonly #state: SharedGraph;
  readonly #schedule: TrainingSchedule;
  readonly #live: LiveTraining | undefined;
  readonly #reader: EpochReader;
  readonly #rollBack: RollBack;
  readonly #history = new EpochHistory();
  #trainedAtMs = Number.NaN;
  /** Hour of event time for which it was looked whether the epoch in force is to be taken back; and the epoch for which that was done. */
  #watchedHour = Number.NaN;
  #takenBack: Epoch | undefined;
  /** Records that the next commit stores. */
  #new: KeyedRecord[] = [];
  /** To be set once the log was read: of what it held nothing is told. */
  isRestored = false;

  constructor(options: EngineEpochsOptions) {
    const { config, state, isShared, train, now, events, decodeLive, count } = options;
    this.#options = options;
    this.#state = state;
    this.#rollBack = new RollBack(config);
    this.#schedule = new TrainingSchedule(config.training);
    this.#live =
      config.training.mode === "live"
        ? new LiveTraining({ config, train, now, onFailed: events.onEpochFailed })
        : undefined;
    this.#reader = new EpochReader({
      onEpoch: (epoch) => this.#adopt(epoch),
      onChallenger: (epoch) => {
        this.#history.challenged(epoch.manifest);
        if (!config.training.shadow) return;
        state.challenge(epoch);
        if (this.isRestored) events.onChallenger?.(epoch);
      },
      onRejected: (rejected) => {
        count("epochsRejected");
        this.#history.rejected(rejected);
        if (this.isRestored) events.onRejected?.(rejected);
      },
      onUnusable: (error) => events.onEpochFailed?.(error),
      // Where nobody shares the log, an epoch is in force before the next login.
      decode: (bytes, number) =>
        (isShared && this.isRestored ? (decodeLive ?? decodeEpoch) : decodeEpoch)(bytes, number),
    });
  }

  /** Those that came so far, the newest first. */
  get known(): readonly KnownEpoch[] {
    return this.#history.list();
  }

  /** When the newest one was written to the log, milliseconds since the epoch; undefined where nobody says. */
  get newestWrittenAtMs(): number | undefined {
    return this.#reader.newest?.writtenAtMs;
  }

  /** A record of the log. */
  read(record: KeyedRecord): void {
    this.#reader.read(record);
  }

  /** Records that are to be stored with a commit, once. */
  takeNew(): KeyedRecord[] {
    const records = this.#new;
    this.#new = [];
    return records;
  }

  /** A commit is void: if it held an epoch, nobody has it. */
  lost(): void {
    this.#takenBack = undefined;
  }

  async stop(): Promise<void> {
    await this.#live?.stop();
    await this.#reader.settled();
  }

  /** Whether a training, or a roll-back, is due before a login of that time moves event time on; live ones are begun by `goOnLive`. */
  isDue(timeMs: number): boolean {
    const { window, originMs } = this.#graph;
    const { watermarkMs } = window;
    if (this.#options.config.training.mode !== "replay" || timeMs <= watermarkMs) return false;
    if (this.#isRollBackDue(timeMs)) return true;
    // Trained just now, at this very place: the login that crosses the grid point is the next to be processed.
    if (this.#trainedAtMs === watermarkMs) return false;
    return this.#schedule.isDue(originMs, watermarkMs, timeMs);
  }

  /** Asked where the next login begins a new hour: by then all of the hours before is counted. */
  #isRollBackDue(timeMs: number): boolean {
    const hour = hourOf(this.#graph.window.watermarkMs);
    return hourOf(timeMs) > hour && this.#rollBack.due(this.#graph, hour, this.#nextNumber) !== undefined;
  }

  get #nextNumber(): number {
    return (this.#reader.newest?.number ?? 0) + 1;
  }

  /**
   * Trains, or takes back, what is due. All that was scored before is to be committed.
   *
   * @returns false if the run was stopped while training: it is due again next time
   */
  async train(): Promise<boolean> {
    const trainedAtMs = this.#graph.window.watermarkMs;
    const { train, config, stop, events } = this.#options;
    const rolledBack = this.#rollBack.due(this.#graph, hourOf(trainedAtMs), this.#nextNumber);
    if (rolledBack !== undefined) {
      this.#publish(rolledBack);
      // A training that is due too is so still, and goes on from this one.
      return true;
    }
    if (this.#graph.linkCount >= config.training.linksMin) {
      try {
        const epoch = await train(this.#graph, config, this.#nextNumber, trainedAtMs, stop, this.#epoch);
        events.onEpoch?.(epoch);
        this.#publish(epoch);
      } catch (error) {
        if (stop.aborted) return false;
        throw error;
      }
    }
    this.#trainedAtMs = trainedAtMs;
    return true;
  }

  /** Between two batches: takes up the training that was finished, and begins the next if its time has come. */
  goOnLive(): void {
    if (this.#live === undefined) return;
    const { isShared, events } = this.#options;
    // Of processes that share the input, the owner of the first partition trains for all.
    if (isShared && !this.#state.owns(0)) return;
    const epoch = this.#live.take();
    if (epoch !== undefined) {
      const late = overtaken(epoch, this.#reader.newest);
      if (late === undefined) {
        events.onEpoch?.(epoch);
        this.#publish(epoch);
      } else events.onEpochFailed?.(late);
    }
    this.#rollBackLive();
    this.#live.beginIfDue(this.#graph, this.#reader.newest, this.#epoch);
  }

  #rollBackLive(): void {
    const hour = hourOf(this.#graph.window.watermarkMs) - 1;
    // Where it is read back first, it may be a while until it is in force.
    if (hour === this.#watchedHour || (this.#takenBack !== undefined && this.#takenBack === this.#epoch))
      return;
    this.#watchedHour = hour;
    const rolledBack = this.#rollBack.due(this.#graph, hour, this.#nextNumber);
    if (rolledBack === undefined) return;
    this.#takenBack = this.#epoch;
    this.#publish(rolledBack);
  }

  /** Stores an epoch with the next commit. */
  #publish(epoch: Epoch): void {
    const records = this.#reader.publication(epoch);
    if (!isAccepted(epoch)) this.#history.rejectedHere(epoch.manifest);
    this.#new.push(...records);
    // Where others may publish too, it is in force once it is read back, and only if no other of its number came first.
    if (!this.#options.isShared) for (const record of records) this.#reader.read(record);
  }

  #adopt(epoch: Epoch): void {
    const isRolledBack = epoch.manifest.rolledBack !== null;
    const { count, events } = this.#options;
    count("epochs");
    if (isRolledBack) count("rollBacks");
    this.#state.adopt(epoch);
    this.#state.challenge(undefined);
    this.#rollBack.adopted(epoch);
    this.#history.adopted(epoch.manifest, this.isRestored ? this.#graph.window.watermarkMs : null);
    if (!this.isRestored) return;
    events.onAdopted?.(epoch);
    if (isRolledBack) events.onRolledBack?.(epoch);
  }

  get #graph(): Graph {
    return this.#state.scoring.graph;
  }

  get #epoch(): Epoch | undefined {
    return this.#state.scoring.epoch;
  }
}

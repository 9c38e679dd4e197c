import type { GroupPeaks } from "../alerts/group-peaks.ts";
import type { Verdict } from "../alerts/verdict.ts";
import type { Verdicts } from "../alerts/verdicts.ts";
import type { Config } from "../config/schema.ts";
import { OddlinkError } from "../errors.ts";
import type { Facts } from "../graph-state/facts.ts";
import type { Graph } from "../graph-state/graph.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import type { AlertRecord, Assignment, Log, RecordBatch } from "../log/port.ts";
import type { Epoch } from "../model/epoch.ts";
import type { WeakOnlySource } from "../model/weak-only-sources.ts";
import type { Time } from "../time.ts";
import { EngineEpochs, type EpochEvents } from "./engine-epochs.ts";
import type { KnownEpoch } from "./epoch-history.ts";
import type { DecodeEpoch } from "./epoch-records.ts";
import type { EngineMeter } from "./meter.ts";
import { OutdatedAssignments } from "./outdated-assignments.ts";
import { PartitionRun, type PartitionRunOptions } from "./partition-run.ts";
import type { Origin } from "./records.ts";
import type { Probe, Scored } from "./scoring.ts";
import type { Merging } from "./segment-merging.ts";
import { type RestoreProgress, SharedGraph } from "./shared-graph.ts";
import type { StoredSegmentSizes } from "./stored-segments.ts";
import { emptyTotals, parseTotals, plus, type Totals } from "./totals.ts";
import type { TrainEpoch } from "./training/training-schedule.ts";
import type { Slice } from "./uncommitted.ts";
import { VerdictLog, verdictRecord } from "./verdict-log.ts";
import { within } from "./within.ts";

/** Records, and bytes of them, after which a commit is due in any case: they are kept until then. */
const COMMIT_RECORDS = 4096;
const COMMIT_RECORD_BYTES = 16 * 1024 * 1024;
/** Pause before something that a record needs is asked for again, milliseconds. */
const PREPARE_RETRY_MS = 1000;

export type EngineOptions = Partial<Pick<PartitionRunOptions, "schemas" | "wrapDecoder">> &
  EpochEvents & {
    readonly config: Config;
    readonly log: Log;
    readonly time: Time;
    readonly train: TrainEpoch;
    /** Decodes an epoch while logins are scored, where others may write one; on the event loop if left out. */
    readonly decodeLive?: DecodeEpoch;
    readonly merging: (state: SharedGraph) => Merging;
    /** Encoded bytes of one segment, about; as many as a Kafka record may well have if left out. */
    readonly segmentBytesMax?: number;
    /** Something can't be had now and is tried again, or a record brought out a bug. */
    readonly onTrouble?: (message: string) => void;
    /** What is passed is valid during the call only. */
    readonly onScored?: (login: LoginBytes, scored: Scored, facts: Facts) => void;
    readonly onAlert?: (alert: AlertRecord) => void;
    /** What a rule suppresses, which is no alert. */
    readonly onSuppressed?: (alert: AlertRecord) => void;
    readonly onProgress?: (records: number) => void;
    readonly onRestoring?: (progress: RestoreProgress) => void;
    /** The stored graph, and the epoch in force, are there. */
    readonly onRestored?: (graph: Graph, epoch: Epoch | undefined) => void;
    /** An analyst has answered, and that is in force from now on. */
    readonly onVerdict?: (verdict: Verdict) => void;
    readonly meter?: EngineMeter | undefined;
    readonly signal?: AbortSignal;
  };

/**
 * The loop: for each partition of the input, read a batch, score each login, add it to the graph, commit. The only place
 * that sees all stages.
 *
 * A login is first scored, then added, in any path. Partitions take turns between batches; a commit of one does not hold
 * up the others.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #state: SharedGraph;
  readonly #merging: Merging;
  readonly #epochs: EngineEpochs;
  readonly #verdictLog: VerdictLog;
  readonly #stopping = new AbortController();
  readonly #stopNow = (): void => this.#stopping.abort();
  readonly #stop: AbortSignal;
  readonly #outdated: OutdatedAssignments;
  readonly #runs = new Set<PartitionRun>();
  /** Of what is committed. */
  #totals: Totals = emptyTotals();
  #hasToldBug = false;
  /** Names of inputs whose last line is not written to its end: it was left for the next run. */
  readonly leftOver: string[] = [];
  #failure: unknown;

  constructor(options: EngineOptions) {
    const { config, log, time } = options;
    this.#options = options;
    this.#stop = this.#stopping.signal;
    // Not AbortSignal.any: Node keeps such a signal, and all that listens to it, for as long as nobody aborts it.
    if (options.signal?.aborted) this.#stopNow();
    else options.signal?.addEventListener("abort", this.#stopNow);
    const { onVerdict, onTrouble } = options;
    this.#verdictLog = new VerdictLog({ log, onVerdict, onTrouble });
    this.#state = new SharedGraph({
      config,
      log,
      verdicts: this.verdicts,
      breathe: () => time.sleep(0),
      onRestoring: options.onRestoring,
      onFollowed: (writtenAtMs) => {
        if (writtenAtMs !== undefined) options.meter?.followed(Math.max(0, time.now() - writtenAtMs) / 1000);
      },
      onBroken: (error) => this.#fail(error),
      segmentBytesMax: options.segmentBytesMax,
    });
    this.#merging = options.merging(this.#state);
    this.#outdated = new OutdatedAssignments(time, this.#stop);
    this.#epochs = new EngineEpochs({
      config,
      state: this.#state,
      isShared: log.isShared,
      train: options.train,
      now: time.now,
      stop: this.#stop,
      events: options,
      decodeLive: options.decodeLive,
      count: (what) => this.#totals[what]++,
    });
  }

  /** What became of the records, of those too that are not committed yet. */
  get totals(): Totals {
    let totals = this.#totals;
    for (const { uncommitted } of this.#runs) totals = plus(totals, uncommitted.counts);
    return totals;
  }

  /** What became of the records, as far as it is known to be committed: it never goes back. */
  get committedTotals(): Totals {
    return this.#totals;
  }

  get graph(): Graph {
    return this.#state.scoring.graph;
  }

  /** Which segments lie in the log, and what they weigh. */
  get storedSegments(): StoredSegmentSizes {
    return this.#state.stored;
  }

  /** How often segments were merged into their sum. */
  get mergeCount(): number {
    return this.#merging.mergeCount;
  }

  /** When the newest epoch was written to the log, milliseconds since the epoch; undefined where nobody says. */
  get newestEpochWrittenAtMs(): number | undefined {
    return this.#epochs.newestWrittenAtMs;
  }

  get epoch(): Epoch | undefined {
    return this.#state.scoring.epoch;
  }

  /** Epochs that came so far, the newest first; bounded. */
  get knownEpochs(): readonly KnownEpoch[] {
    return this.#epochs.known;
  }

  /** True once the stored state was read. */
  get isRestored(): boolean {
    return this.#epochs.isRestored;
  }

  /** True while the graph is not whole, because it is built anew. */
  get isRebuilding(): boolean {
    return this.#state.isRebuilding;
  }

  /** Partitions that this process has now. */
  get partitions(): readonly number[] {
    return [...this.#runs].map(({ partition }) => partition).toSorted((a, b) => a - b);
  }

  /** What a login would be scored as if it came now; it is not added. */
  probe(login: LoginBytes): Probe {
    return this.#state.scoring.probe(login);
  }

  /** What analysts have answered, as far as this process has heard. */
  get verdicts(): Verdicts {
    return this.#verdictLog.verdicts;
  }

  /**
   * Writes an answer to the log. It is in force here, and in all other processes, once each has read it there.
   *
   * @throws {OddlinkError} as `Log.append` does
   */
  async judge(verdict: Verdict): Promise<void> {
    await this.#options.log.append("verdicts", verdictRecord(verdict));
    // After all is read the log is not followed any more, and who looks at what was found may still answer.
    if (this.#verdictLog.isClosed) this.verdicts.add(verdict);
  }

  /** What each budget has issued today as a share of what the day may raise. */
  budgetsSpent(): Readonly<Record<string, number | undefined>> {
    return this.#state.scoring.budgetsSpent();
  }

  /** What other thresholds would have raised. */
  groupPeaks(): GroupPeaks {
    return this.#state.scoring.groupPeaks();
  }

  /** Threshold in force for what presence does not raise; 0 while the budget learns. */
  get threshold(): number {
    return this.#state.scoring.threshold;
  }

  /** Source hosts that presence lets pass, with how many of their logins since the process began. */
  get weakOnlySources(): readonly WeakOnlySource[] {
    return this.#state.scoring.weakOnlySources.list();
  }

  /** Weight of each feature of the contrast, per standard deviation; undefined until they are learnt. */
  get contrastWeights(): Readonly<Record<string, number>> | undefined {
    return this.#state.scoring.contrastWeights;
  }

  /** How often the graph was built anew because it held what another process's commit made void. */
  get rebuildCount(): number {
    return this.#state.rebuildCount;
  }

  /** Processes every partition it is given, to its end. Stops early, committed, when the signal fires. */
  async run(): Promise<void> {
    const { log } = this.#options;
    const epochs = log.follow("epochs", (record) => this.#epochs.read(record));
    try {
      // In force before the first login: what was answered is not told again after a restart.
      const startedMs = this.#options.time.monotonicMs();
      await this.#verdictLog.restore();
      await this.#state.restore();
      await epochs.caughtUp();
      this.#options.meter?.restored((this.#options.time.monotonicMs() - startedMs) / 1000);
      this.#epochs.isRestored = true;
      this.#options.onRestored?.(this.graph, this.epoch);
      const totals = log.totals();
      if (totals !== undefined) this.#totals = parseTotals(totals);
      const runs = new Set<Promise<void>>();
      for await (const assignment of log.assignments(this.#stop)) {
        const run = this.#run(assignment)
          .catch((error: unknown) => this.#fail(error))
          .finally(() => {
            assignment.release();
            runs.delete(run);
          });
        runs.add(run);
      }
      await Promise.all(runs);
    } finally {
      this.#options.signal?.removeEventListener("abort", this.#stopNow);
      await this.#epochs.stop();
      await this.#state.close();
      await epochs.close();
      await this.#verdictLog.close();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #run(assignment: Assignment): Promise<void> {
    const { config, log, time, onScored, onAlert, onSuppressed } = this.#options;
    while (this.#state.isRebuilding) await this.#state.rebuilt;
    const run = new PartitionRun({
      config,
      assignment,
      state: this.#state,
      totals: () => this.totals,
      ahead: this.#totals.ahead,
      isShared: log.isShared,
      schemas: this.#options.schemas,
      wrapDecoder: this.#options.wrapDecoder,
      time,
      meter: this.#options.meter,
      isTrainingDue: (timeMs) => this.#epochs.isDue(timeMs),
      onScored: onScored && ((login, scored) => onScored(login, scored, this.#state.scoring.facts)),
      onAlert,
      onSuppressed,
      onBug: (error, origin) => this.#reportBug(error, origin),
    });
    const batches = assignment.batches[Symbol.asyncIterator]();
    if (!this.#state.add(run, assignment)) return this.#outdated.wait(assignment);
    this.#outdated.forget(assignment.partition);
    this.#runs.add(run);
    let next: Promise<IteratorResult<RecordBatch>> | undefined;
    let records = 0;
    // Others wait for what a partition says that was just taken over: its first commit is due at once.
    let committedMs = log.isShared ? Number.NEGATIVE_INFINITY : time.monotonicMs();
    let failure: unknown;
    const commit = async (): Promise<void> => {
      await this.#commit(run);
      records = 0;
      committedMs = time.monotonicMs();
    };
    try {
      while (!run.isLost) {
        next ??= batches.next();
        const dueInMs =
          run.pending === undefined ? undefined : committedMs + log.commitIntervalMs - time.monotonicMs();
        const result = await within(dueInMs, next, time, this.#stop).catch((error: unknown) => {
          failure = error;
          return undefined;
        });
        if (result === "timeout") {
          await commit();
          continue;
        }
        if (result === "aborted") break;
        next = undefined;
        if (result === undefined || result.done === true) break;
        const batch = result.value;
        const processed = await this.#process(run, batch);
        records += processed;
        this.#options.onProgress?.(processed);
        const isFull = records >= COMMIT_RECORDS || run.uncommitted.bytes >= COMMIT_RECORD_BYTES;
        const isDue = isFull || time.monotonicMs() - committedMs >= log.commitIntervalMs;
        if (run.pending !== undefined && isDue) await commit();
        failure = log.isEndless ? undefined : run.tooManyRejected(false);
        if (failure !== undefined || processed < batch.length || this.#stop.aborted) break;
      }
      if (run.pending !== undefined && !run.isLost) await commit();
    } finally {
      this.#runs.delete(run);
      if (!run.isLost && run.pending !== undefined) this.#totals = plus(this.#totals, run.uncommitted.counts);
      this.#state.remove(run);
      this.#merging.forget(run.partition);
      const returned = batches.return?.(undefined).catch(() => {});
      // Not awaited while a read is under way: that may end only when the partition is released.
      if (next === undefined) await returned;
    }
    if (run.hasLeftOver) this.leftOver.push(assignment.topic);
    if (!log.isEndless) failure ??= run.tooManyRejected(true);
    if (failure !== undefined) throw failure;
  }

  /** @returns how many records of the batch were processed: all, unless the run was stopped meanwhile, or is lost */
  async #process(run: PartitionRun, batch: RecordBatch): Promise<number> {
    this.#epochs.goOnLive();
    let slices: readonly Slice[] = [{ batch, start: 0 }];
    for (;;) {
      // While the graph is rebuilt nothing may be added; and afterwards the partition may be gone.
      while (this.#state.isRebuilding) await this.#state.rebuilt;
      const [slice, ...others] = slices;
      if (slice === undefined) return batch.length;
      const processed = others.length === 0 ? slice.start : 0;
      if (run.isLost) return processed;
      const start = this.#timed(run, slice);
      if (run.isTainted) {
        slices = [...run.rollBack(), ...others];
        await this.#state.rebuildWithout(run);
        continue;
      }
      slices = start === slice.batch.length ? others : [{ batch: slice.batch, start }, ...others];
      if (start === slice.batch.length) continue;
      const goesOn = run.waitsFor === undefined ? await this.#train(run) : await this.#prepared(run);
      if (!goesOn) return others.length === 0 ? start : 0;
    }
  }

  #timed(run: PartitionRun, { batch, start }: Slice): number {
    const { meter, time } = this.#options;
    const startedMs = time.monotonicMs();
    const end = run.process(batch, start);
    meter?.batch(end - start, (time.monotonicMs() - startedMs) / 1000);
    return end;
  }

  /** Waits for what a record needs, as long as it takes: nothing is dropped. False if the run is over before. */
  async #prepared(run: PartitionRun): Promise<boolean> {
    if (run.pending !== undefined) await this.#commit(run);
    if (run.isLost) return false;
    try {
      await run.waitsFor;
    } catch (error) {
      if (!(error instanceof OddlinkError) || !error.retriable) throw error;
      this.#options.onTrouble?.(`partition ${run.partition} waits: ${error.message}`);
      await this.#options.time.sleep(PREPARE_RETRY_MS, this.#stop);
    }
    return !this.#stop.aborted;
  }

  async #commit(run: PartitionRun): Promise<void> {
    while (this.#state.isRebuilding) await this.#state.rebuilt;
    if (run.isLost) return;
    this.#state.takeSegments(run);
    const { uncommitted } = run;
    const { log, meter, time } = this.#options;
    const position = run.pending!;
    const startedMs = time.monotonicMs();
    const result = await log.commit({
      partition: run.partition,
      position,
      alerts: uncommitted.alerts,
      alertsShadow: uncommitted.alertsShadow,
      scoredLogins: uncommitted.scored,
      deadLetters: uncommitted.deadLetters,
      entityRisks: [...uncommitted.entityRisks.values()],
      graphState: this.#merging.write(uncommitted.segments, run.partition),
      epochs: this.#epochs.takeNew(),
      totals: JSON.stringify(plus(this.#totals, uncommitted.counts)),
    });
    if (result === "committed") {
      // A graph that is being built anew may have been read up to just before this commit: until it is done, what was
      // committed counts among what is to be added again.
      while (this.#state.isRebuilding) await this.#state.rebuilt;
      this.#totals = plus(this.#totals, uncommitted.counts);
      run.committed();
      const { partition } = run;
      const timestampsMs = uncommitted.timestampsMs(position.offset);
      meter?.committed(
        { partition, alerts: uncommitted.alerts, timestampsMs },
        (time.monotonicMs() - startedMs) / 1000,
      );
      return;
    }
    this.#epochs.lost();
    run.isLost = true;
    this.#state.remove(run);
    await this.#state.rebuild();
  }

  /** @returns false if the run was stopped while training, or is lost: it is due again next time */
  async #train(run: PartitionRun): Promise<boolean> {
    // What comes after is scored with another model: nothing before may have to be scored again.
    if (run.pending !== undefined) await this.#commit(run);
    return !run.isLost && (await this.#epochs.train());
  }

  /** The first one in full, for whoever is to mend it; of each the dead letter says what it was. */
  #reportBug(error: Error, { topic, partition, offset }: Origin): void {
    if (this.#hasToldBug) return;
    this.#hasToldBug = true;
    const [, ...frames] = (error.stack ?? "").split("\n");
    this.#options.onTrouble?.(
      `a bug of oddlink: record ${offset} of partition ${partition} of ${topic} can't be scored and becomes a dead letter, ` +
        `as all further ones like it: ${error.message}, ${frames
          .slice(0, 3)
          .map((frame) => frame.trim())
          .join(", ")}`,
    );
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#stopNow();
  }
}

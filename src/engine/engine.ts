import { isUtf8 } from "node:buffer";
import { LRUCache } from "lru-cache";
import { AlertBudget } from "../alerts/budget.ts";
import { AlertPolicy } from "../alerts/decision.ts";
import { Explainer } from "../alerts/explanation.ts";
import { toFinding } from "../alerts/finding.ts";
import type { Signal } from "../alerts/odd-login.ts";
import { alertUid, incidentUid } from "../alerts/uid.ts";
import type { Config } from "../config/schema.ts";
import { OddlinkError } from "../errors.ts";
import { FactReader, Facts } from "../graph-state/facts.ts";
import { Graph } from "../graph-state/graph.ts";
import { findLinkKind } from "../graph-state/link-kinds.ts";
import { decodeSegment, type Segment } from "../graph-state/segment.ts";
import { type Decoded, ignored, rejected } from "../ingest/decoded.ts";
import type { Decoder } from "../ingest/formats/format.ts";
import { createDecoder } from "../ingest/formats/index.ts";
import { OUTCOMES } from "../ingest/login.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import type {
  AlertRecord,
  DeadLetter,
  InputPartition,
  KeyedRecord,
  Log,
  Position,
  RecordBatch,
} from "../log/port.ts";
import { decodeEpoch, type Epoch, encodeEpoch } from "../model/epoch.ts";
import { LinkSignal } from "../model/link-signal.ts";
import { lacksPresence, learningState } from "../model/presence.ts";
import { PRESENCE_SHARE, tieredScore } from "../model/score.ts";
import { Surprise } from "../model/surprise.ts";
import { SegmentMerging } from "./segment-merging.ts";
import { decadeOf, emptyTotals, sumOf, type Totals } from "./totals.ts";
import { type TrainEpoch, TrainingSchedule } from "./training-schedule.ts";

const MS_PER_DAY = 86_400_000;
const MS_PER_HOUR = 3_600_000;
/** A share of bad records says nothing about fewer than this many. */
const REJECTED_COUNT_MIN = 100;
/** Longest time between commits while records keep coming. */
const COMMIT_INTERVAL_MS = 100;
/** Records, and bytes of dead letters, after which a commit is due in any case. */
const COMMIT_RECORDS = 4096;
const COMMIT_DEAD_LETTER_BYTES = 16 * 1024 * 1024;

const BLANK_LINE = ignored("blank-line");
const NO_LINK = ignored("no-link");
const DUPLICATE = { kind: "duplicate" } as const;
const INVALID_UTF8 = rejected("invalid-utf8", "the record is not UTF-8 text");

/** A scored login as others may look at it while it is being processed; valid during the call only. */
export type ScoredLogin = {
  readonly login: LoginBytes;
  readonly facts: Facts;
  readonly signal: Signal;
  readonly score: number;
  readonly isAlert: boolean;
};

export type EngineOptions = {
  readonly config: Config;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly train: TrainEpoch;
  /** Bytes of segments below which they are not merged. */
  readonly mergeBytesMin?: number;
  readonly onScored?: (scored: ScoredLogin) => void;
  readonly onAlert?: (alert: AlertRecord) => void;
  readonly onEpoch?: (epoch: Epoch) => void;
  /** A live training failed; the engine goes on with the epoch it has. */
  readonly onTrainingFailed?: (error: Error) => void;
  readonly onProgress?: (records: number) => void;
  readonly signal?: AbortSignal;
};

/**
 * The loop: read a batch, score each login, add it to the graph, commit. The only place that sees all stages.
 *
 * A login is first scored, then added, in any path.
 */
export class Engine {
  readonly graph: Graph;
  totals: Totals = emptyTotals();
  readonly #options: EngineOptions;
  readonly #config: Config;
  readonly #facts = new Facts();
  readonly #reader: FactReader;
  readonly #surprise: Surprise;
  readonly #link: LinkSignal;
  readonly #policy: AlertPolicy;
  readonly #explainer: Explainer;
  readonly #schedule: TrainingSchedule;
  readonly #merging: SegmentMerging;
  readonly #formsLinkAlways: boolean;
  readonly #writesScored: boolean;
  #topic = "";
  #partition = 0;
  #decoder: Decoder;
  #seen: LRUCache<string, true> | undefined;
  #epoch: Epoch | undefined;
  #trainedAtMs = Number.NaN;
  #segmentStart = 0;
  /** Live training: when the last one began by the wall clock, whether one is under way, and the epoch that it gave. */
  #liveTrainedAtMs: number;
  #liveTraining: Promise<void> | undefined;
  #liveEpoch: Epoch | undefined;
  readonly #liveAbort = new AbortController();

  // What the next commit will hold.
  #alerts: AlertRecord[] = [];
  #scored: string[] = [];
  #deadLetters: DeadLetter[] = [];
  #deadLetterBytes = 0;
  #segments: Segment[] = [];
  #epochs: KeyedRecord[] = [];

  constructor(options: EngineOptions) {
    const { config } = options;
    this.#options = options;
    this.#config = config;
    this.graph = new Graph({ links: config.links, window: config.window });
    this.#reader = new FactReader(this.graph, config.familiarAfterHours * MS_PER_HOUR);
    this.#surprise = new Surprise(this.graph, config.surprise);
    this.#link = new LinkSignal(this.graph);
    this.#policy = new AlertPolicy(
      this.graph,
      config.threshold ?? new AlertBudget(this.graph, config.alertsPerDay),
    );
    this.#explainer = new Explainer(this.graph, this.#reader, this.#surprise, config.window.days);
    this.#schedule = new TrainingSchedule(config.training);
    this.#merging = new SegmentMerging(this.graph, options.mergeBytesMin);
    this.#formsLinkAlways = findLinkKind(this.graph.kinds, "user", "targetHost") !== undefined;
    this.#writesScored = config.outputs.scored !== undefined || config.outputs.scoredLogins;
    this.#decoder = this.#newDecoder();
    this.#liveTrainedAtMs = options.clock();
  }

  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  /** Threshold in force for what presence does not raise; 0 while the budget learns. */
  get threshold(): number {
    return this.#policy.threshold();
  }

  /** Reads every partition to its end. Stops early, committed, when the abort signal fires. */
  async run(): Promise<void> {
    await this.#restore();
    try {
      for (const partition of this.#options.log.partitions()) {
        if (this.#options.signal?.aborted) break;
        await this.#runPartition(partition);
      }
    } finally {
      this.#liveAbort.abort();
      await this.#liveTraining;
    }
  }

  async #restore(): Promise<void> {
    const { log } = this.#options;
    for await (const { key, value } of log.restore("graph-state")) {
      this.graph.addSegment(decodeSegment(value));
      this.#merging.restored(key, value.length);
    }
    let newest: Uint8Array | undefined;
    for await (const { value } of log.restore("epochs")) newest = value;
    if (newest !== undefined) this.#adopt(decodeEpoch(newest));
    const totals = log.totals();
    if (totals !== undefined) this.totals = JSON.parse(totals) as Totals;
  }

  async #runPartition({ partition, topic }: InputPartition): Promise<void> {
    this.#topic = topic;
    this.#partition = partition;
    this.#decoder = this.#newDecoder();
    const { duplicatesMax } = this.#config.input;
    this.#seen = duplicatesMax > 0 ? new LRUCache({ max: duplicatesMax }) : undefined;
    const before = { consumed: this.totals.consumed, rejected: sumOf(this.totals.rejected) };
    const batches = this.#options.log.read(partition)[Symbol.asyncIterator]();
    let position: Position | undefined;
    let records = 0;
    let committedMs = this.#options.clock();
    let failure: unknown;
    let next: Promise<IteratorResult<RecordBatch>> | undefined;
    this.#segmentStart = Number.NaN;
    for (;;) {
      next ??= batches.next();
      const result = await this.#nextOrTimeout(next, position !== undefined).catch((error: unknown) => {
        failure = error;
        return undefined;
      });
      if (result === "aborted") break;
      if (result === "timeout") {
        await this.#commit(position!);
        position = undefined;
        committedMs = this.#options.clock();
        continue;
      }
      next = undefined;
      if (result === undefined || result.done === true) break;
      const batch = result.value;
      if (Number.isNaN(this.#segmentStart)) this.#segmentStart = batch.offsetOf(0);
      const processed = await this.#process(batch);
      if (processed > 0) position = batch.positionAfter(processed - 1);
      records += processed;
      this.#options.onProgress?.(processed);
      const nowMs = this.#options.clock();
      const isFull = records >= COMMIT_RECORDS || this.#deadLetterBytes >= COMMIT_DEAD_LETTER_BYTES;
      if (position !== undefined && (isFull || nowMs - committedMs >= COMMIT_INTERVAL_MS)) {
        await this.#commit(position);
        position = undefined;
        records = 0;
        committedMs = nowMs;
      }
      const tooMany = this.#tooManyRejected(before, topic, false);
      if (tooMany !== undefined) failure = tooMany;
      if (failure !== undefined || this.#options.signal?.aborted) break;
    }
    if (position !== undefined) await this.#commit(position);
    // Not awaited after an abort: it would wait for a read that may never end.
    if (this.#options.signal?.aborted) void batches.return?.(undefined).catch(() => {});
    else await batches.return?.(undefined);
    failure ??= this.#tooManyRejected(before, topic, true);
    if (failure !== undefined) throw failure;
  }

  /** The next batch; or "timeout" when a slow input leaves results waiting to be committed; or "aborted". */
  async #nextOrTimeout(
    next: Promise<IteratorResult<RecordBatch>>,
    isPending: boolean,
  ): Promise<IteratorResult<RecordBatch> | "timeout" | "aborted"> {
    const { signal } = this.#options;
    const other = Promise.withResolvers<"timeout" | "aborted">();
    const onAbort = (): void => other.resolve("aborted");
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    const timer = isPending ? setTimeout(other.resolve, COMMIT_INTERVAL_MS, "timeout") : undefined;
    try {
      return await Promise.race([next, other.promise]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** @returns how many records of the batch were processed: all, unless the run was stopped while training */
  async #process(batch: RecordBatch): Promise<number> {
    this.#goOnLive();
    for (let i = 0; ; ) {
      i = this.#processUntilTraining(batch, i);
      if (i === batch.length) return i;
      if (!(await this.#train())) return i;
    }
  }

  /** Processes records from `start` on; stops before a record at which training is due, else at the end. */
  #processUntilTraining(batch: RecordBatch, start: number): number {
    const { totals } = this;
    for (let i = start; i < batch.length; i++) {
      const decoded = this.#decode(batch, i);
      if (decoded.kind === "login" || decoded.kind === "evidence") {
        const { login } = decoded;
        if (this.#isTrainingDue(login.timeMs)) return i;
        if (login.uid !== undefined) this.#seen?.set(login.uid, true);
        this.#advance(login.timeMs, batch.offsetOf(i));
        if (decoded.kind === "login") {
          totals.scored++;
          this.#score(login, batch.offsetOf(i));
        } else {
          totals.evidence++;
          this.#reader.read(login, this.#facts);
          this.graph.apply(login, this.#facts.ids);
        }
      } else if (decoded.kind === "ignored") {
        totals.ignored[decoded.reason] = (totals.ignored[decoded.reason] ?? 0) + 1;
      } else if (decoded.kind === "rejected") {
        totals.rejected[decoded.reason] = (totals.rejected[decoded.reason] ?? 0) + 1;
        this.#deadLetters.push({
          partition: this.#partition,
          offset: batch.offsetOf(i),
          reason: decoded.reason,
          detail: decoded.detail,
          bytes: Uint8Array.from(batch.bufferOf(i).subarray(batch.starts[i], batch.ends[i])),
        });
        this.#deadLetterBytes += batch.ends[i]! - batch.starts[i]!;
      } else {
        totals.duplicate++;
      }
      totals.consumed++;
    }
    return batch.length;
  }

  #decode(batch: RecordBatch, i: number): Decoded | typeof DUPLICATE {
    const start = batch.starts[i]!;
    const end = batch.ends[i]!;
    if (start === end) return BLANK_LINE;
    const cutFrom = batch.cutFrom(i);
    if (cutFrom > 0) return rejected("record-too-long", `${cutFrom} bytes, kept the first ${end - start}`);
    const buffer = batch.bufferOf(i);
    if (!batch.isUtf8 && !isUtf8(buffer.subarray(start, end))) return INVALID_UTF8;
    const decoded = this.#decoder.decode(buffer, start, end);
    if (decoded.kind !== "login" && decoded.kind !== "evidence") return decoded;
    const { login } = decoded;
    const future = this.#future(login.timeMs);
    if (future !== undefined) return future;
    if (!this.#formsLinkAlways && !this.graph.hasLink(login)) return NO_LINK;
    return login.uid !== undefined && this.#seen?.has(login.uid) === true ? DUPLICATE : decoded;
  }

  /** One record far in the future may not move the window, nor may a clock that is wrong. */
  #future(timeMs: number): Decoded | undefined {
    const { watermarkMs } = this.graph.window;
    if (timeMs <= watermarkMs) return undefined;
    const { maxJumpDays } = this.#config.window;
    if (timeMs - watermarkMs > maxJumpDays * MS_PER_DAY && watermarkMs !== Number.NEGATIVE_INFINITY) {
      const days = Math.round((timeMs - watermarkMs) / MS_PER_DAY);
      return rejected(
        "future-time",
        `${days} days after the newest record before; window.maxJumpDays is ${maxJumpDays}`,
      );
    }
    if (timeMs > this.#options.clock() + MS_PER_DAY)
      return rejected("future-time", "more than a day after now");
    return undefined;
  }

  #advance(timeMs: number, offset: number): void {
    // A segment lies within one step of the window: what was added before the step is taken first.
    if (this.graph.window.wouldStep(timeMs)) this.#takeSegment(offset);
    this.graph.advance(timeMs);
    this.#policy.advance();
  }

  #score(login: LoginBytes, offset: number): void {
    const facts = this.#facts;
    const { detector, presence } = this.#config;
    this.#reader.read(login, facts);
    const isPresence = lacksPresence(login, facts, presence);
    const surprise = this.#surprise.score(facts);
    const link = this.#link.probability(login, facts);
    const raisesPresence = isPresence && (detector === "default" || detector === "presence");
    const signal: Signal = raisesPresence ? "presence" : detector === "link" ? "link" : "surprise";
    let score: number;
    if (detector === "link") score = link ?? 1;
    else if (detector === "surprise") score = surprise;
    else if (detector === "presence" && !isPresence) score = 1;
    else score = tieredScore(isPresence, surprise);
    const decision = this.#policy.decide(signal, score, login);
    const { totals } = this;
    const decade = decadeOf(score);
    totals.decades[decade] = totals.decades[decade]! + 1;
    if (this.#writesScored) this.#writeScored(login, offset, score, isPresence, surprise, link);
    this.#options.onScored?.({ login, facts, signal, score, isAlert: decision.isAlert });
    if (decision.isAlert) this.#alert(login, offset, signal, score, decision, { isPresence, surprise, link });
    this.#surprise.learn();
    this.graph.apply(login, facts.ids);
    if (decision.isAlert) this.graph.markAlert(login, facts.ids);
  }

  #alert(
    bytes: LoginBytes,
    offset: number,
    signal: Signal,
    score: number,
    { threshold, incident }: ReturnType<AlertPolicy["decide"]>,
    signals: { readonly isPresence: boolean; readonly surprise: number; readonly link: number | undefined },
  ): void {
    const login = bytes.toLogin();
    const facts = this.#facts;
    const { detector, training, presence } = this.#config;
    const origin = { topic: this.#topic, partition: this.#partition, offset };
    const uid = alertUid({ ...origin, detector });
    const { tier, user, sourceHost, slotStartMs } = incident!;
    const incidentId = incidentUid({ tier: tier as Signal, user, sourceHost, slotStartMs });
    const seen = this.#explainer.seen(facts);
    const finding = toFinding({
      uid,
      incidentUid: incidentId,
      login,
      origin: login.uid === undefined ? origin : { ...origin, originalUid: login.uid },
      signal,
      detector,
      score,
      threshold,
      signals: {
        presence: signals.isPresence ? PRESENCE_SHARE : 1,
        surprise: signals.surprise,
        ...(signals.link === undefined ? {} : { link: signals.link }),
      },
      epoch:
        this.#epoch === undefined
          ? null
          : { number: this.#epoch.manifest.number, digest: this.#epoch.manifest.digest },
      reasons: this.#explainer.reasons(signal, login, facts, signals.link),
      usual: this.#explainer.usual(facts, login),
      firstSeenMs: seen.firstMs,
      lastSeenMs: seen.lastMs,
      incidentCount: incident!.alerts,
      learning: learningState(facts, presence) ?? null,
      processedTimeMs: training.mode === "live" ? this.#options.clock() : null,
    });
    const alert: AlertRecord = {
      uid,
      incidentUid: incidentId,
      timeMs: login.timeMs,
      signal,
      score,
      partition: this.#partition,
      offset,
      finding: JSON.stringify(finding),
    };
    this.#alerts.push(alert);
    this.totals.alerts++;
    if (incident!.alerts === 1) this.totals.incidents++;
    this.totals.alertsBySignal[signal] = (this.totals.alertsBySignal[signal] ?? 0) + 1;
    this.#options.onAlert?.(alert);
  }

  #writeScored(
    bytes: LoginBytes,
    offset: number,
    score: number,
    isPresence: boolean,
    surprise: number,
    link: number | undefined,
  ): void {
    const login = bytes.toLogin();
    this.#scored.push(
      JSON.stringify({
        uid: login.uid ?? `${this.#topic}/${this.#partition}/${offset}`,
        timeMs: login.timeMs,
        user: login.user,
        targetUser: login.targetUser,
        sourceHost: login.sourceHost,
        targetHost: login.targetHost,
        score,
        signals: {
          presence: isPresence ? PRESENCE_SHARE : 1,
          surprise,
          ...(link === undefined ? {} : { link }),
        },
        outcome: OUTCOMES[bytes.outcome],
        authType: login.authType,
        logonType: login.logonType,
        epoch: this.#epoch?.manifest.number ?? null,
      }),
    );
  }

  #isTrainingDue(timeMs: number): boolean {
    const { watermarkMs } = this.graph.window;
    if (this.#config.training.mode !== "replay" || timeMs <= watermarkMs) return false;
    // Trained just now, at this very place: the login that crosses the grid point is the next to be processed.
    if (this.#trainedAtMs === watermarkMs) return false;
    return this.#schedule.isDue(this.graph.originMs, watermarkMs, timeMs);
  }

  /** @returns false if the run was stopped while training: it is due again next time */
  async #train(): Promise<boolean> {
    const trainedAtMs = this.graph.window.watermarkMs;
    if (this.graph.linkCount >= this.#config.training.linksMin) {
      const number = (this.#epoch?.manifest.number ?? 0) + 1;
      const { train, signal } = this.#options;
      try {
        this.#publish(await train(this.graph, this.#config, number, trainedAtMs, signal));
      } catch (error) {
        if (signal?.aborted) return false;
        throw error;
      }
    }
    this.#trainedAtMs = trainedAtMs;
    return true;
  }

  /**
   * Live training, between two batches: adopts the epoch that a finished training gave, and begins the next one when its
   * time has come. Never awaited. A training that fails leaves the epoch before in force.
   */
  #goOnLive(): void {
    const { mode, firstAfterHours, everyHours, linksMin } = this.#config.training;
    if (mode !== "live") return;
    if (this.#liveEpoch !== undefined) {
      this.#publish(this.#liveEpoch);
      this.#liveEpoch = undefined;
    }
    const nowMs = this.#options.clock();
    const hours = this.#epoch === undefined ? firstAfterHours : everyHours;
    if (this.#liveTraining !== undefined || nowMs - this.#liveTrainedAtMs < hours * MS_PER_HOUR) return;
    if (this.graph.linkCount < linksMin) return;
    this.#liveTrainedAtMs = nowMs;
    const number = (this.#epoch?.manifest.number ?? 0) + 1;
    const trainedAtMs = this.graph.window.watermarkMs;
    this.#liveTraining = this.#options
      .train(this.graph, this.#config, number, trainedAtMs, this.#liveAbort.signal)
      .then((epoch) => {
        this.#liveEpoch = epoch;
      })
      .catch((error: unknown) => {
        if (!this.#liveAbort.signal.aborted) this.#options.onTrainingFailed?.(error as Error);
      })
      .finally(() => {
        this.#liveTraining = undefined;
      });
  }

  /** Stores an epoch with the next commit, and uses it from now on. */
  #publish(epoch: Epoch): void {
    this.#epochs.push({ key: String(epoch.manifest.number).padStart(8, "0"), value: encodeEpoch(epoch) });
    this.totals.epochs++;
    this.#adopt(epoch);
    this.#options.onEpoch?.(epoch);
  }

  #adopt(epoch: Epoch): void {
    this.#epoch = epoch;
    this.#link.adopt(epoch);
  }

  #takeSegment(nextOffset: number): void {
    if (!this.graph.isDirty) return;
    this.#segments.push(this.graph.takeSegment(this.#partition, this.#segmentStart, nextOffset - 1));
    this.#segmentStart = nextOffset;
  }

  async #commit(position: Position): Promise<void> {
    this.#takeSegment(position.offset);
    const graphState = this.#merging.write(this.#segments);
    await this.#options.log.commit({
      partition: this.#partition,
      position,
      alerts: this.#alerts,
      scoredLogins: this.#scored,
      deadLetters: this.#deadLetters,
      graphState,
      epochs: this.#epochs,
      totals: JSON.stringify(this.totals),
    });
    this.#alerts = [];
    this.#scored = [];
    this.#deadLetters = [];
    this.#deadLetterBytes = 0;
    this.#segments = [];
    this.#epochs = [];
  }

  #tooManyRejected(
    before: { readonly consumed: number; readonly rejected: number },
    topic: string,
    isEnd: boolean,
  ): OddlinkError | undefined {
    const consumed = this.totals.consumed - before.consumed;
    const rejectedCount = sumOf(this.totals.rejected) - before.rejected;
    const share = rejectedCount / consumed;
    const isAll = isEnd && consumed > 0 && rejectedCount === consumed;
    if (!isAll && (rejectedCount < REJECTED_COUNT_MIN || share <= this.#config.input.rejectedShareMax))
      return undefined;
    const [reason] = Object.entries(this.totals.rejected).sort((a, b) => b[1] - a[1])[0]!;
    return new OddlinkError(
      "TOO_MANY_REJECTED",
      `${topic}: ${rejectedCount} of ${consumed} records could not be read, most often: ${reason}. ` +
        "Is --format right? What was read is kept; the bad records are dead letters. " +
        `A larger share is allowed by input.rejectedShareMax (now ${this.#config.input.rejectedShareMax}).`,
    );
  }

  #newDecoder(): Decoder {
    return createDecoder(this.#config.input.format, { lanlStartMs: this.#config.input.lanlStartMs });
  }
}

import { isFinding } from "../alerts/decision.ts";
import { scoreBinOf } from "../alerts/group-peaks.ts";
import type { ToldStory } from "../alerts/story.ts";
import { OddlinkError } from "../errors.ts";
import type { GraphPart, Segment } from "../graph-state/segment.ts";
import type { Leg, Story } from "../graph-state/stories.ts";
import { type Decoded, rejected } from "../ingest/decoded.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import type { AlertRecord, Assignment, Position, RecordBatch, TraceContext } from "../log/port.ts";
import type { Epoch } from "../model/epoch.ts";
import type { Time } from "../time.ts";
import { type CanaryLogin, canaryAlert } from "./canary.ts";
import { type EngineMeter, TIMED_EVERY } from "./meter.ts";
import { BLANK_LINE, type ReadRecord, RecordReader, type RecordReaderOptions } from "./record-reader.ts";
import {
  alertRecord,
  closingRecord,
  entityRiskRecords,
  type Origin,
  scoredRecord,
  uidOf,
} from "./records.ts";
import type { Scored, Scoring } from "./scoring.ts";
import type { Contributor, SharedGraph } from "./shared-graph.ts";
import { segmentGroup } from "./stored-segments.ts";
import { closeDue, tellLogin } from "./telling.ts";
import { type Ahead, countFinding, decadeOf, sumOf, type Totals } from "./totals.ts";
import { type Slice, Uncommitted } from "./uncommitted.ts";

/** Later than this behind the newest login, a login counts as late: it is scored and added like any other. */
const LATE_MS = 3_600_000;
/** A share of bad records says nothing about fewer than this many. */
const REJECTED_COUNT_MIN = 100;
/** Of what a bug says, the dead letter holds so many characters. */
const BUG_LENGTH_MAX = 300;

export type PartitionRunOptions = Pick<
  RecordReaderOptions,
  "config" | "ahead" | "schemas" | "wrapDecoder"
> & {
  readonly assignment: Assignment;
  readonly state: SharedGraph;
  readonly totals: () => Totals;
  /** Whether other processes may have other partitions. */
  readonly isShared: boolean;
  readonly time: Pick<Time, "now" | "monotonicMs">;
  readonly meter: EngineMeter | undefined;
  /** True where the next login would move event time past a moment at which training is due, or the epoch in force is to be taken back. */
  readonly isTrainingDue: (timeMs: number) => boolean;
  readonly onScored: ((login: LoginBytes, scored: Scored) => void) | undefined;
  readonly onAlert: ((alert: AlertRecord) => void) | undefined;
  /** A rule suppresses an alert: nobody is alerted by it, and who keeps incidents keeps this one too. */
  readonly onSuppressed: ((alert: AlertRecord) => void) | undefined;
  /** A record brought out a bug, and becomes a dead letter. */
  readonly onBug: (error: Error, origin: Origin) => void;
};

type Rejected = Extract<Decoded, { kind: "rejected" }>;

/**
 * One partition of the input while this process has it: decodes, scores and adds its records, and holds what comes of
 * them until a commit is known.
 */
export class PartitionRun implements Contributor {
  readonly partition: number;
  /** What the next commit will hold. */
  uncommitted = new Uncommitted();
  isUnwritten: boolean;
  /** Set when another process has the partition. */
  isLost = false;
  /** Set when the last record is not written to its end, so that it is left for the next run. */
  hasLeftOver = false;
  /** Set when the graph holds half of a record: it has to be built anew, see `rollBack`. */
  isTainted = false;
  /** What the record that `process` stopped at needs before it can be decoded; rejects if it can't be had now. */
  waitsFor: Promise<void> | undefined;
  readonly #options: PartitionRunOptions;
  readonly #topic: string;
  readonly #reader: RecordReader;
  readonly #writesScored: boolean;
  readonly #origin: { -readonly [K in keyof Origin]: Origin[K] };
  /** Records that brought out a bug since the last commit, by offset. */
  readonly #poison = new Map<number, Rejected>();
  /** The record that is being processed. */
  #batch: RecordBatch | undefined;
  #place = 0;
  #committedOffset: number;
  #segmentFirst: number;
  #nextOffset: number;
  /** From here on nobody was told of scores and alerts: a record that is processed again is told of once. */
  #untoldOffset: number;
  #aheadAtCommit: Ahead;
  #position: Position | undefined;
  #consumed = 0;
  #rejected = 0;
  /** Set once anything but blank lines could be read. */
  #hasReadable = false;

  constructor(options: PartitionRunOptions) {
    const { assignment, config } = options;
    this.#options = options;
    this.partition = assignment.partition;
    this.isUnwritten = assignment.isNew;
    this.#topic = assignment.topic;
    this.#origin = { topic: assignment.topic, partition: assignment.partition, offset: 0 };
    const { offset } = assignment.position;
    this.#committedOffset = this.#segmentFirst = this.#nextOffset = this.#untoldOffset = offset;
    this.#aheadAtCommit = { ...options.ahead };
    this.#reader = new RecordReader({
      ...options,
      graph: () => options.state.scoring.graph,
      now: options.time.now,
    });
    this.#writesScored = config.outputs.scored !== undefined || config.outputs.scoredLogins;
  }

  /** Where reading continues after what was processed; undefined if all of it is committed. */
  get pending(): Position | undefined {
    return this.#position;
  }

  /** Segments taken and not known to be committed: part of the graph, but not yet of the log. */
  get segments(): readonly Segment[] {
    return this.uncommitted.segments;
  }

  /**
   * Processes records of a batch from `start` on.
   *
   * @returns the position of the first record not processed: one that needs something (`waitsFor`), one at which training
   *   is due, one that failed half-way (`isTainted`), or the end
   */
  process(batch: RecordBatch, start: number): number {
    const { state, isTrainingDue } = this.#options;
    const { counts } = this.uncommitted;
    this.uncommitted.hold(batch, start);
    state.beginSlice(this);
    let i = start;
    for (; i < batch.length; i++) {
      this.waitsFor = this.#reader.prepare(batch, i);
      if (this.waitsFor !== undefined) break;
      const offset = batch.offsetOf(i);
      const decoded = this.#read(batch, i);
      if (decoded.kind === "rejected" && decoded.reason !== "scoring-failed" && batch.mayGrow(i)) {
        this.hasLeftOver = true;
        break;
      }
      this.#nextOffset = offset;
      this.#batch = batch;
      this.#place = i;
      if (decoded.kind !== "rejected" && decoded !== BLANK_LINE) this.#hasReadable = true;
      if (decoded.kind === "login" || decoded.kind === "evidence") {
        if (isTrainingDue(decoded.login.timeMs)) break;
        // Not among what a record may fail with: that time moves on is no record's own matter.
        state.advance(decoded.login.timeMs);
        this.#closeStories(offset);
        const { watermarkMs } = state.scoring.graph.window;
        const failure = this.#add(decoded.kind, decoded.login);
        if (failure !== undefined) {
          this.isTainted = state.scoring.isChanging;
          if (this.isTainted) break;
          this.#reject(batch, i, failure);
        } else if (decoded.login.timeMs < watermarkMs - LATE_MS) counts.late++;
      } else if (decoded.kind === "ignored") {
        counts.ignored[decoded.reason] = (counts.ignored[decoded.reason] ?? 0) + 1;
      } else if (decoded.kind === "rejected") {
        this.#reject(batch, i, decoded);
      } else if (decoded.kind === "canary") {
        this.#probeCanary(decoded);
      } else {
        counts.duplicate++;
      }
      counts.consumed++;
      this.#consumed++;
      this.uncommitted.bytes += batch.ends[i]! - batch.starts[i]!;
    }
    if (i > start) {
      this.#position = batch.positionAfter(i - 1);
      this.#nextOffset = this.#position.offset;
    }
    return this.hasLeftOver ? batch.length : i;
  }

  /**
   * Forgets what came of the records since the last commit. The graph, which holds half a record, is to be built anew
   * without them.
   *
   * @returns these records: processed again, the one that failed becomes a dead letter
   */
  rollBack(): readonly Slice[] {
    const { slices, uids, counts } = this.uncommitted;
    this.#reader.forget(uids);
    this.#consumed -= counts.consumed;
    this.#rejected -= sumOf(counts.rejected);
    Object.assign(this.#options.ahead, this.#aheadAtCommit);
    this.#segmentFirst = this.#nextOffset = this.#committedOffset;
    this.#position = undefined;
    this.hasLeftOver = false;
    this.isTainted = false;
    this.uncommitted = new Uncommitted();
    return slices;
  }

  /** Makes segments of what the graph gained from this partition since the last ones. */
  takeSegments(parts: readonly GraphPart[]): void {
    const { coverage } = this.#options.state;
    const range = {
      partition: this.partition,
      historyStart: coverage.startOf(this.partition) ?? this.#segmentFirst,
      first: this.#segmentFirst,
      next: this.#nextOffset,
    };
    const group = segmentGroup(this.partition, this.#segmentFirst);
    for (const [piece, part] of parts.entries()) {
      this.uncommitted.segments.push({
        group,
        piece,
        isLast: piece === parts.length - 1,
        ranges: [range],
        ...part,
      });
    }
    coverage.add(range);
    this.#segmentFirst = this.#nextOffset;
  }

  get segmentFirst(): number {
    return this.#segmentFirst;
  }

  /** True if records were read since the last segment was taken. */
  get hasNewOffsets(): boolean {
    return this.#nextOffset > this.#segmentFirst;
  }

  /** The commit is known to have happened. */
  committed(): void {
    this.uncommitted = new Uncommitted();
    this.isUnwritten = false;
    this.#poison.clear();
    this.#committedOffset = this.#segmentFirst;
    this.#aheadAtCommit = { ...this.#options.ahead };
    this.#position = undefined;
  }

  /** The error to end with if too many records of this input are bad; `isEnd` once all of them were read. */
  tooManyRejected(isEnd: boolean): OddlinkError | undefined {
    const { rejectedShareMax } = this.#options.config.input;
    const isAll = isEnd && this.#rejected > 0 && !this.#hasReadable;
    const isTooMany =
      this.#rejected >= REJECTED_COUNT_MIN && this.#rejected / this.#consumed > rejectedShareMax;
    if (!isAll && !isTooMany) return undefined;
    const [reason] = Object.entries(this.#options.totals().rejected).sort((a, b) => b[1] - a[1])[0]!;
    return new OddlinkError(
      "TOO_MANY_REJECTED",
      `${this.#topic}: ${this.#rejected} of ${this.#consumed} records could not be read, most often: ${reason}. ` +
        "Is --format right? What was read is kept; the bad records are dead letters. " +
        `A larger share is allowed by input.rejectedShareMax (now ${rejectedShareMax}).`,
    );
  }

  #read(batch: RecordBatch, i: number): ReadRecord {
    const poison = this.#poison.get(batch.offsetOf(i));
    if (poison !== undefined) return poison;
    try {
      return this.#reader.read(batch, i);
    } catch (error) {
      return this.#asPoison(error, batch.offsetOf(i));
    }
  }

  #reject(batch: RecordBatch, i: number, { reason, detail }: Rejected): void {
    const { counts, deadLetters } = this.uncommitted;
    counts.rejected[reason] = (counts.rejected[reason] ?? 0) + 1;
    this.#rejected++;
    deadLetters.push({
      partition: this.partition,
      offset: batch.offsetOf(i),
      reason,
      detail,
      bytes: new Uint8Array(batch.bufferOf(i).subarray(batch.starts[i], batch.ends[i])),
      metadata: batch.metadataOf(i),
    });
  }

  /**
   * Scores a login and adds it, or adds evidence.
   *
   * @returns why that can't be done, if the record brings out a bug
   */
  #add(kind: "login" | "evidence", login: LoginBytes): Rejected | undefined {
    const { state, onScored, onAlert, onSuppressed } = this.#options;
    let scored: Scored | undefined;
    try {
      if (kind === "login") scored = this.#timedScore(login);
      else state.scoring.addEvidence(login);
    } catch (error) {
      return this.#asPoison(error, this.#nextOffset);
    }
    if (login.uid !== undefined && this.#reader.remember(login.uid)) this.uncommitted.uids.push(login.uid);
    if (scored === undefined) this.uncommitted.counts.evidence++;
    else if (this.#nextOffset >= this.#untoldOffset) {
      this.#untoldOffset = this.#nextOffset + 1;
      onScored?.(login, scored);
      const { isAlert, suppressedBy } = scored.decision!;
      if (isAlert) onAlert?.(this.uncommitted.alerts.at(-1)!);
      else if (suppressedBy !== undefined) onSuppressed?.(this.uncommitted.alerts.at(-1)!);
    }
    return undefined;
  }

  /** Of this partition alone where others have partitions too: each incident is closed once, with a commit of its own partition. */
  #closeStories(offset: number): void {
    const { state, config, isShared } = this.#options;
    const isOwn = ({ partition }: Story): boolean => !isShared || partition === this.partition;
    for (const story of closeDue(state.scoring.graph, isOwn))
      this.uncommitted.alerts.push(closingRecord(story, config, { ...this.#origin, offset }));
  }

  /** A login that is nobody's: whether it would alert is all that is asked. */
  #probeCanary(canary: CanaryLogin): void {
    const { state, config } = this.#options;
    const { counts, alerts } = this.uncommitted;
    counts.ignored["canary"] = (counts.ignored["canary"] ?? 0) + 1;
    const alert = canaryAlert(state.scoring, config, canary, { ...this.#origin, offset: this.#nextOffset });
    if (alert !== undefined) alerts.push(alert);
  }

  #timedScore(login: LoginBytes): Scored {
    const { meter, time } = this.#options;
    if (meter === undefined || this.#nextOffset % TIMED_EVERY !== 0) return this.#score(login);
    const startedMs = time.monotonicMs();
    const scored = this.#score(login);
    meter.scored((time.monotonicMs() - startedMs) / 1000);
    return scored;
  }

  #score(login: LoginBytes): Scored {
    const { state, config } = this.#options;
    const { scored: lines, alerts, counts } = this.uncommitted;
    const { scoring } = state;
    this.#scoreInShadow(login);
    const scored = scoring.score(login, this.partition);
    const decision = scored.decision!;
    const decade = decadeOf(scored.score);
    counts.scored++;
    if (scoring.metUnseen) counts.unseenByEpoch++;
    counts.decades[decade] = counts.decades[decade]! + 1;
    if (!scored.raisesPresence) counts.scoreBins[scoreBinOf(scored.score)]!++;
    this.#origin.offset = this.#nextOffset;
    const told = tellLogin(scoring, scored, login, this.partition, () => uidOf(this.#origin, config));
    if (this.#writesScored)
      lines.push({ ...scoredRecord(scoring, login, this.#origin, scored, told), trace: this.#trace });
    if (isFinding(decision)) {
      alerts.push(this.#alert(login, scored, told!));
      countFinding(counts, decision, scored.signal, told!.story.alerts === 1);
      if (decision.isAlert) this.#rate(scoring, told!.leg);
    }
    scoring.add(login, this.partition, this.#nextOffset);
    return scored;
  }

  /** Risk is kept of those whom an alert is about. */
  #rate(scoring: Scoring, leg: Leg): void {
    if (!this.#options.config.outputs.entityRisk) return;
    const { entityRisks } = this.uncommitted;
    for (const record of entityRiskRecords(scoring, leg)) entityRisks.set(record.key, record);
  }

  /** @param challenger the epoch in the shadow that would have raised it, if one would */
  #alert(login: LoginBytes, scored: Scored, told: ToldStory, challenger?: Epoch): AlertRecord {
    const { state, config, time } = this.#options;
    // Null where the same input is to give the same bytes.
    const processedTimeMs = config.training.mode === "live" ? time.now() : null;
    const origin = { ...this.#origin };
    const alert = alertRecord(
      state.scoring,
      config,
      login,
      origin,
      scored,
      told,
      processedTimeMs,
      challenger,
    );
    return { ...alert, trace: this.#trace };
  }

  get #trace(): TraceContext | undefined {
    return this.#batch!.metadataOf(this.#place).trace;
  }

  /** First, so that all that is kept of a login is what the epoch in force says. */
  #scoreInShadow(login: LoginBytes): void {
    const { state, config } = this.#options;
    const { challenger } = state.scoring;
    const scored = challenger && state.scoring.scoreInShadow(login, this.partition);
    if (scored === undefined) return;
    this.#origin.offset = this.#nextOffset;
    const { scoring } = state;
    const uid = (): string => uidOf(this.#origin, config, true);
    const told = tellLogin(scoring, scored, login, this.partition, uid, true)!;
    this.uncommitted.alertsShadow.push(this.#alert(login, scored, told, challenger));
    this.uncommitted.counts.alertsShadow++;
  }

  /** A record must not stop all that follow it because of a bug: it is kept with the dead letters until that is mended. */
  #asPoison(error: unknown, offset: number): Rejected {
    if (!isBug(error)) throw error;
    this.#origin.offset = offset;
    this.#options.onBug(error, this.#origin);
    const poison = rejected("scoring-failed", `${error.name}: ${error.message}`.slice(0, BUG_LENGTH_MAX));
    this.#poison.set(offset, poison as Rejected);
    return poison as Rejected;
  }
}

/** Whether a record may have brought an error out: what has a code is no bug, and memory that can't be had no record's fault. */
function isBug(error: unknown): error is Error {
  return (
    error instanceof Error && !(error instanceof OddlinkError) && !/allocation failed/i.test(error.message)
  );
}

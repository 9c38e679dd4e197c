import assert from "node:assert/strict";
import type { Verdicts } from "../alerts/verdicts.ts";
import type { Config } from "../config/schema.ts";
import { OddlinkError } from "../errors.ts";
import { Coverage, chooseSegments, type StoredSegment } from "../graph-state/coverage.ts";
import type { GraphPart, Segment } from "../graph-state/segment.ts";
import type { Assignment, Follower, KeyedRecord, Log } from "../log/port.ts";
import type { Epoch } from "../model/epoch.ts";
import { Scoring } from "./scoring.ts";
import { StoredSegments, toSegment, toStored } from "./stored-segments.ts";

/** Well below the megabyte that a Kafka record may have by default. */
export const SEGMENT_BYTES_MAX = 600_000;
/** Bytes of segments that are added between two turns of the event loop: some fifty milliseconds. */
const RESTORE_SLICE_BYTES = 1024 * 1024;
/** A log that is compacted while it is read may show a gap once; reading it again shows what took its place. */
const RESTORE_ATTEMPTS = 3;

export type RestoreProgress = {
  readonly bytesRead: number;
  /** Bytes of segments that are to be added; undefined while they are still read. All are added in the end. */
  readonly bytesTotal: number | undefined;
  readonly bytesAdded: number;
  readonly links: number;
};

/** A partition that is being read, as the graph sees it: what it adds has to be told apart. */
export type Contributor = {
  readonly partition: number;
  /** Segments taken and not known to be committed: part of the graph, but not yet of the log. */
  readonly segments: readonly Segment[];
  /** Where its next segment begins. */
  readonly segmentFirst: number;
  /** True if records were read since the last segment was taken. */
  readonly hasNewOffsets: boolean;
  /** True while nothing of the partition was ever committed. */
  readonly isUnwritten: boolean;
  /** Set when another process has the partition. */
  isLost: boolean;
  /** Makes segments of what the graph gained from this partition since the last ones. */
  takeSegments(parts: readonly GraphPart[]): void;
};

export type SharedGraphOptions = {
  readonly config: Config;
  readonly log: Pick<Log, "follow" | "isShared">;
  readonly verdicts: Verdicts;
  /** Lets other work have its turn. */
  readonly breathe: () => Promise<void>;
  readonly onRestoring?: ((progress: RestoreProgress) => void) | undefined;
  /** A segment that another process wrote, at that time if the log says so, is part of the graph now. */
  readonly onFollowed?: ((writtenAtMs: number | undefined) => void) | undefined;
  /** What is followed can't be added: the graph can't be trusted to be whole. */
  readonly onBroken: (error: Error) => void;
  /** Encoded bytes of one segment, about. */
  readonly segmentBytesMax?: number | undefined;
};

/**
 * The graph as the sum of all segments: restored from the log, kept up with what other processes write, and built anew when
 * it holds what was never committed.
 */
export class SharedGraph {
  scoring: Scoring;
  coverage = new Coverage();
  readonly stored = new StoredSegments();
  /** Encoded bytes of one segment, about; a larger one is written as several pieces. */
  readonly segmentBytesMax: number;
  readonly #options: SharedGraphOptions;
  readonly #runs = new Map<number, Contributor>();
  #follower: Follower | undefined;
  #deltaOwner: Contributor | undefined;
  /** While restoring: what the log holds, newest value of each key. */
  #restoring: Map<string, Uint8Array> | undefined;
  /** While what was restored is added: what came since. */
  #queue: KeyedRecord[] | undefined;
  #rebuilt: Promise<void> = Promise.resolve();
  /** Rebuilds that are asked for and not done. */
  #rebuilding = 0;
  #rebuilds = 0;

  constructor(options: SharedGraphOptions) {
    this.#options = options;
    this.segmentBytesMax = options.segmentBytesMax ?? SEGMENT_BYTES_MAX;
    this.scoring = this.#newScoring();
  }

  /** While true, the graph may not be used. To be asked after anything was awaited, this not excepted. */
  get isRebuilding(): boolean {
    return this.#rebuilding > 0;
  }

  get rebuilt(): Promise<void> {
    return this.#rebuilt;
  }

  /** How often the graph was built anew. */
  get rebuildCount(): number {
    return this.#rebuilds;
  }

  /** Sums up what the log holds, and follows it from then on. */
  async restore(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const gap = await this.#restoreOnce();
      if (gap === undefined) return;
      if (attempt === RESTORE_ATTEMPTS) {
        throw new OddlinkError(
          "STATE_INCOMPLETE",
          `the stored graph has a gap: ${gap}. Restore the topic or the store, or begin anew with another one`,
        );
      }
    }
  }

  /**
   * Takes a partition on.
   *
   * @returns false if more of it is known than was committed when it was given: another process has it by now
   * @throws {OddlinkError} STATE_INCOMPLETE if the graph does not hold exactly what was committed of it
   */
  add(run: Contributor, { partition, topic, position, isNew }: Assignment): boolean {
    const covered = this.coverage.nextOf(partition);
    if (covered !== undefined && covered > position.offset) return false;
    if (covered !== position.offset && !(isNew && covered === undefined)) {
      const committed = isNew ? "nothing is" : `offsets below ${position.offset} are`;
      const held = covered === undefined ? "nothing of it" : `those below ${covered}`;
      throw new OddlinkError(
        "STATE_INCOMPLETE",
        `${committed} committed of partition ${partition} of ${topic}, but the stored graph holds ${held}. ` +
          "graph-state and the positions of the group belong together: restore the topic, or begin with a new group and topic. " +
          "oddlink doctor looks closer",
      );
    }
    this.#runs.set(partition, run);
    return true;
  }

  /** Gives a partition up. What it added and did not commit makes a rebuild necessary: see `rebuild`. */
  remove(run: Contributor): void {
    if (this.#deltaOwner === run) this.#disown();
    if (this.#runs.get(run.partition) === run) this.#runs.delete(run.partition);
  }

  owns(partition: number): boolean {
    return this.#runs.has(partition);
  }

  /** What is added from now on comes from this partition. */
  beginSlice(run: Contributor): void {
    if (this.#deltaOwner === run) return;
    this.#disown();
    this.#deltaOwner = run;
  }

  /** Moves event time on. A segment lies within one step of the window: what was added before the step is taken first. */
  advance(timeMs: number): void {
    const { graph } = this.scoring;
    if (graph.isDirty && graph.window.wouldStep(timeMs)) this.#takeDelta();
    this.scoring.advance(timeMs);
  }

  /** Makes segments of all that the partition has read. */
  takeSegments(run: Contributor): void {
    if (!run.hasNewOffsets) return;
    if (this.#deltaOwner === run) this.#takeDelta();
    // Offsets that changed nothing are covered too: a successor can tell that nothing is missing.
    else run.takeSegments([this.#emptyPart()]);
  }

  /**
   * Builds the graph anew from what is committed, because it holds what never will be. What other partitions added and are
   * about to commit is kept.
   */
  rebuild(): Promise<void> {
    this.#disown();
    this.#rebuilding++;
    this.#rebuilt = this.#rebuilt.then(() => this.#rebuildNow()).finally(() => this.#rebuilding--);
    return this.#rebuilt;
  }

  /**
   * Builds the graph anew because a record failed while it was being added. What the partition added since its last commit
   * is left out: its records are to be processed again.
   */
  rebuildWithout(run: Contributor): Promise<void> {
    assert(!run.hasNewOffsets && run.segments.length === 0, "what is left out may not be kept");
    // Half a record is in what was added: no segment is made of it.
    if (this.#deltaOwner === run) this.#deltaOwner = undefined;
    return this.rebuild();
  }

  adopt(epoch: Epoch): void {
    this.scoring.adopt(epoch);
  }

  /** An epoch that scores in the shadow of the one in force; none any more if undefined. */
  challenge(epoch: Epoch | undefined): void {
    this.scoring.challenge(epoch);
  }

  async close(): Promise<void> {
    await this.#follower?.close();
  }

  async #rebuildNow(): Promise<void> {
    this.#rebuilds++;
    // First of all, or what is still followed would be added to the new graph, and summed up with the rest once more.
    await this.#follower?.close();
    const { epoch, challenger } = this.scoring;
    this.scoring = this.#newScoring();
    if (epoch !== undefined) this.scoring.adopt(epoch);
    this.scoring.challenge(challenger);
    await this.restore();
    for (const run of this.#runs.values()) {
      if (this.#addUncommitted(run)) continue;
      // Somebody else has committed in between: what was just added of it never will be.
      this.#lose(run);
      await this.#rebuildNow();
      return;
    }
  }

  /** @returns false if what the partition is about to commit, or to read, does not follow what is committed */
  #addUncommitted(run: Contributor): boolean {
    for (const segment of run.segments) {
      const [range] = segment.ranges;
      const standing = this.coverage.standingOf(range!);
      if (standing === "known") continue;
      if (standing !== "next") return false;
      this.scoring.graph.addPart(segment);
      if (segment.isLast) this.coverage.add(range!);
    }
    // What was just committed may not be there to be read yet, of a partition that is new too: then nothing at all is known of it.
    const next = this.coverage.nextOf(run.partition);
    return next === undefined ? run.isUnwritten : next === run.segmentFirst;
  }

  /** @returns where there is a gap, or undefined if there is none */
  async #restoreOnce(): Promise<string | undefined> {
    await this.#follower?.close();
    const restoring = new Map<string, Uint8Array>();
    this.#restoring = restoring;
    this.stored.clear();
    this.#follower = this.#options.log.follow("graph-state", (record) => this.#onRecord(record));
    await this.#follower.caughtUp();
    // From here on nothing may be awaited before the segments are chosen: what comes later is queued, and added after them.
    this.#restoring = undefined;
    const segments: StoredSegment[] = [];
    for (const [key, bytes] of restoring) segments.push(toStored(key, bytes));
    restoring.clear();
    const { chosen, coverage, gap } = chooseSegments(segments);
    this.coverage = coverage;
    if (gap !== undefined) return gap;
    // Reading may have ended within a group of pieces: those that are there wait for the rest, which would be added without them.
    const taken = new Set(chosen);
    this.#queue = segments
      .filter((segment) => !taken.has(segment) && this.#isNext(segment))
      .map(({ key, bytes }) => ({ key, value: bytes }));
    await this.#addAll(chosen);
    const queue = this.#queue;
    this.#queue = undefined;
    for (const record of queue) this.#onRecord(record);
    return undefined;
  }

  async #addAll(segments: readonly StoredSegment[]): Promise<void> {
    const { graph } = this.scoring;
    const bytesTotal = segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
    let bytesAdded = 0;
    let sliceBytes = 0;
    for (const segment of segments) {
      const { bytes } = segment;
      graph.addPart(toSegment(segment));
      bytesAdded += bytes.length;
      sliceBytes += bytes.length;
      if (sliceBytes < RESTORE_SLICE_BYTES) continue;
      sliceBytes = 0;
      this.#progress({ bytesTotal, bytesAdded });
      await this.#options.breathe();
    }
    this.#progress({ bytesTotal, bytesAdded });
  }

  #progress({ bytesTotal, bytesAdded }: Pick<RestoreProgress, "bytesTotal" | "bytesAdded">): void {
    const bytesRead = this.stored.bytes + this.stored.sumBytes;
    this.#options.onRestoring?.({ bytesRead, bytesTotal, bytesAdded, links: this.scoring.graph.linkCount });
  }

  #onRecord(record: KeyedRecord): void {
    const { key, value } = record;
    if (this.#queue !== undefined) {
      this.#queue.push(record);
      return;
    }
    if (value === null) this.stored.delete(key);
    else this.stored.put(key, value.length);
    if (this.#restoring !== undefined) {
      if (value === null) this.#restoring.delete(key);
      else this.#restoring.set(key, value);
      this.#progress({ bytesTotal: undefined, bytesAdded: 0 });
      return;
    }
    if (value === null) return;
    try {
      if (this.#addFollowed(toStored(key, value))) this.#options.onFollowed?.(record.writtenAtMs);
    } catch (error) {
      this.#options.onBroken(error as Error);
    }
  }

  /**
   * A segment that another process, or this one, has just written.
   *
   * @returns whether it was added
   */
  #addFollowed(segment: StoredSegment): boolean {
    const { ranges, isLast, watermarkMs } = segment.header;
    // What was read of the same partition and is in no segment yet is part of the graph too.
    if (ranges.some(({ partition }) => partition === this.#deltaOwner?.partition)) this.#disown();
    const standings = ranges.map((range) => this.coverage.standingOf(range));
    if (standings.every((standing) => standing === "known")) return false;
    // Another process has committed what this one was about to read, or has read: the partition was taken, before the group
    // said so.
    for (const { partition } of ranges) {
      const run = this.#runs.get(partition);
      if (run !== undefined) this.#lose(run);
    }
    if (!standings.every((standing) => standing === "next")) {
      this.rebuild().catch((error: unknown) => this.#options.onBroken(error as Error));
      return false;
    }
    // Time first: groups of alerts that end by it are counted by their owner, and a step takes what was added before it.
    if (watermarkMs !== Number.NEGATIVE_INFINITY) this.advance(watermarkMs);
    this.scoring.graph.addPart(toSegment(segment));
    if (isLast) for (const range of ranges) this.coverage.add(range);
    return true;
  }

  /** Whether a segment goes on where what is known ends. */
  #isNext({ header: { ranges } }: StoredSegment): boolean {
    return ranges.every((range) => this.coverage.standingOf(range) === "next");
  }

  #lose(run: Contributor): void {
    run.isLost = true;
    this.remove(run);
  }

  #disown(): void {
    const owner = this.#deltaOwner;
    if (owner?.hasNewOffsets) this.#takeDelta();
    this.#deltaOwner = undefined;
  }

  #takeDelta(): void {
    assert(this.#deltaOwner !== undefined, "links were changed by nobody");
    this.#deltaOwner.takeSegments(this.scoring.graph.takeDelta(this.segmentBytesMax));
  }

  #emptyPart(): GraphPart {
    const { window, originMs } = this.scoring.graph;
    const { watermarkMs } = window;
    return {
      watermarkMs,
      originMs,
      names: [],
      relations: [],
      links: [],
      histograms: [],
      incidents: [],
      stories: [],
      samples: [],
    };
  }

  #newScoring(): Scoring {
    const { config, log, verdicts } = this.#options;
    return new Scoring(config, (partition) => !log.isShared || this.#runs.has(partition), verdicts);
  }
}

import { Buffer } from "node:buffer";
import { type FactReader, Facts } from "../../graph-state/facts.ts";
import type { Graph } from "../../graph-state/graph.ts";
import { BIN_COUNT, type HourlyHistogram } from "../../graph-state/hourly-histograms.ts";
import { type LoginBytes, SOURCE_HOST, TARGET_HOST, USER } from "../../ingest/login-bytes.ts";
import type { LinkSignal } from "../link-signal.ts";
import { fitTail, type Tail, tailProbability } from "../tail.ts";
import { TrailingHistogram } from "../trailing-histogram.ts";
import { type ContrastFit, FEATURE_COUNT, fitContrast, logOddsOf } from "./contrast-fit.ts";
import { FakeLogins, SWAPPED } from "./fakes.ts";
import { CONTRAST_FEATURES } from "./features.ts";

const HOURS_PER_DAY = 24;
const MS_PER_HOUR = 3_600_000;
/** Days after the first login at which it is fitted; after the last of them every so many. */
const FIT_DAYS = [1, 2, 4, 7];
const FIT_EVERY_DAYS = 7;
/** Days of samples that a fit is made of, and that fakes are drawn from. */
const SAMPLE_DAYS = 14;
/** Bins of log-odds. */
const BIN_WIDTH = 0.125;
const LEAST = -16;
/** With fewer scores than this the sampled logins say better how odd is usual. */
const LIVE_SCORES_MIN = 1000;

/** A sample: the features of a login, and those of its fakes. */
const ROW_BYTES = (1 + SWAPPED.length) * FEATURE_COUNT * Float32Array.BYTES_PER_ELEMENT;

const BIN_CENTRES = Float64Array.from({ length: BIN_COUNT }, (_, bin) => LEAST + (bin + 0.5) * BIN_WIDTH);

export type ContrastOptions = {
  readonly warmupHours: number;
  readonly calibrationDays: number;
  readonly usesLinks: boolean;
};

/**
 * How unlike the past a login is, as learnt from logins against fakes of them: label-free contrast, a logistic regression without
 * negative weights.
 *
 * What it is fitted to, some sampled logins of each hour with the features that they and their fakes had when they were scored,
 * is part of the graph's state; when it is fitted follows from event time. So every process, and one that was started anew,
 * has the same fit.
 */
export class Contrast {
  /** What each feature of the login scored last adds to its log-odds. */
  readonly contributions: Float64Array = new Float64Array(FEATURE_COUNT);
  readonly #graph: Graph;
  readonly #reader: FactReader;
  readonly #link: LinkSignal;
  readonly #options: ContrastOptions;
  readonly #scores: HourlyHistogram;
  readonly #trailingScores: TrailingHistogram;
  readonly #values = new Float64Array(FEATURE_COUNT);
  readonly #fakeFacts = new Facts();
  #hour = -1;
  #fitHour = Number.NaN;
  #fit: ContrastFit | undefined;
  #tail: Tail | undefined;
  #fakes: FakeLogins | undefined;
  #logOdds = 0;

  constructor(graph: Graph, reader: FactReader, link: LinkSignal, options: ContrastOptions) {
    this.#graph = graph;
    this.#reader = reader;
    this.#link = link;
    this.#options = options;
    this.#scores = graph.histograms.get("contrast");
    this.#trailingScores = new TrailingHistogram(this.#scores, {
      countMin: Number.POSITIVE_INFINITY,
      hoursMax: options.calibrationDays * HOURS_PER_DAY,
    });
  }

  /** The fit in force, or undefined before the first. */
  get fit(): ContrastFit | undefined {
    return this.#fit;
  }

  /** Tail probability of a login in (0, 1], or undefined before the first fit. The link signal must have seen the login. */
  score(facts: Facts): number | undefined {
    const hour = Math.floor(this.#graph.window.watermarkMs / MS_PER_HOUR);
    if (hour !== this.#hour) this.#roll(hour);
    if (this.#fit === undefined) return undefined;
    this.#read(facts, this.#values);
    this.#logOdds = logOddsOf(this.#fit, this.#values, this.contributions);
    return tailProbability(this.#tail!, this.#logOdds);
  }

  /**
   * Learns from the login scored last, before it is added.
   *
   * @param key uniform hash of where it came from: the lowest ones of an hour are sampled
   */
  learn(login: LoginBytes, facts: Facts, key: number): void {
    if (this.#fit !== undefined) this.#scores.record(this.#hour, (this.#logOdds - LEAST) / BIN_WIDTH);
    const { samples } = this.#graph;
    if (!facts.isRemote || login.isAbsent(USER) || !samples.accepts(this.#hour, key)) return;
    samples.record({
      hour: this.#hour,
      key,
      user: nameOf(login, USER),
      sourceHost: nameOf(login, SOURCE_HOST),
      targetHost: nameOf(login, TARGET_HOST),
      rows: this.#rowsOf(login, facts, key),
    });
  }

  /** Features of a login, then of its fakes against the same graph, which is left as it is. */
  #rowsOf(login: LoginBytes, facts: Facts, key: number): Buffer {
    const rows = new Float32Array((1 + SWAPPED.length) * FEATURE_COUNT).fill(Number.NaN);
    this.#read(facts, rows);
    this.#fakes ??= new FakeLogins(
      this.#graph.samples.within(this.#hour - SAMPLE_DAYS * HOURS_PER_DAY, this.#hour),
    );
    let at = FEATURE_COUNT;
    for (const fake of this.#fakes.of(login, key)) {
      if (fake !== undefined) {
        this.#reader.read(fake, this.#fakeFacts);
        this.#link.probability(fake, this.#fakeFacts);
        this.#read(this.#fakeFacts, rows.subarray(at, at + FEATURE_COUNT));
      }
      at += FEATURE_COUNT;
    }
    return Buffer.from(rows.buffer);
  }

  #read(facts: Facts, into: Float64Array | Float32Array): void {
    const { oddness } = this.#link;
    for (let k = 0; k < FEATURE_COUNT; k++) into[k] = CONTRAST_FEATURES[k]!.value(facts, oddness);
  }

  #roll(hour: number): void {
    this.#hour = hour;
    this.#fakes = undefined;
    const originHour = Math.floor(this.#graph.originMs / MS_PER_HOUR);
    const fitHour = fitHourOf(hour, originHour);
    if (fitHour !== this.#fitHour && !(Number.isNaN(fitHour) && Number.isNaN(this.#fitHour))) {
      this.#fitHour = fitHour;
      this.#refit(fitHour, originHour);
    }
    this.#graph.samples.dropBefore(hour - (SAMPLE_DAYS + FIT_EVERY_DAYS) * HOURS_PER_DAY);
    if (this.#fit === undefined) return;
    this.#trailingScores.roll(hour, this.#fitHour);
    this.#tail =
      this.#trailingScores.total >= LIVE_SCORES_MIN
        ? fitTail(BIN_CENTRES, this.#trailingScores.sum)
        : fitTail(this.#fit.realScores, new Uint8Array(this.#fit.realScores.length).fill(1));
  }

  #refit(fitHour: number, originHour: number): void {
    const { warmupHours, usesLinks } = this.#options;
    const from = Math.max(fitHour - SAMPLE_DAYS * HOURS_PER_DAY, originHour + warmupHours);
    const rows = this.#graph.samples
      .within(from, fitHour)
      // Those that were written with other features say nothing of these.
      .filter(({ rows }) => rows.length === ROW_BYTES)
      .map(({ rows }) => floatsOf(rows));
    this.#fit = Number.isNaN(fitHour) ? undefined : fitContrast(rows, usesLinks);
  }
}

/** The hour of the last fit that is due by `hour`, NaN before the first. */
export function fitHourOf(hour: number, originHour: number): number {
  const days = (hour - originHour) / HOURS_PER_DAY;
  const last = FIT_DAYS.at(-1)!;
  const due =
    days >= last
      ? last + Math.floor((days - last) / FIT_EVERY_DAYS) * FIT_EVERY_DAYS
      : FIT_DAYS.findLast((day) => day <= days);
  return due === undefined ? Number.NaN : originHour + due * HOURS_PER_DAY;
}

/** A copy: a Float32Array needs its bytes aligned. */
function floatsOf(bytes: Buffer): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

function nameOf(login: LoginBytes, column: number): Buffer {
  return Buffer.from(login.buffers[column]!.subarray(login.starts[column], login.ends[column]));
}

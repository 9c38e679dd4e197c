import assert from "node:assert/strict";
import { MIDAS_DEFAULTS, type MidasOptions } from "./midas-options.ts";
import { TickCounts } from "./tick-counts.ts";

/** Kinds of key, and how many there are: each seed stands for three sets of hash functions. */
const EDGES = 1;
const SOURCES = 2;
const TARGETS = 3;
const KINDS = 3;

/**
 * Finds microclusters in a stream of edges: sudden groups of like edges, such as floods and scans. Each edge gets the
 * chi-squared statistic of "this tick is like the mean of the ticks before it"; with sources and targets counted too, the
 * largest of the three.
 *
 * A pure function of the edges before: no clock, no randomness. Memory is fixed: three sketches (one for `midas`) of
 * 24 B x rows x columns, 144 kB by default. An edge costs 3 x rows hashes, a new tick one pass over the sketches.
 *
 * @see Bhatia et al., "MIDAS: Microcluster-Based Detector of Anomalies in Edge Streams", AAAI 2020
 * @see Bhatia et al., "Real-Time Anomaly Detection in Edge Streams" (MIDAS-F), ACM TKDD 16(4), 2022
 */
export class Midas {
  readonly #options: MidasOptions;
  readonly #edges: TickCounts;
  /** Absent for `midas`, which looks at edges alone. */
  readonly #sources: TickCounts | undefined;
  readonly #targets: TickCounts | undefined;
  #tick = 1;

  constructor(options: Partial<MidasOptions> = {}) {
    this.#options = { ...MIDAS_DEFAULTS, ...options };
    const { variant, rows, columns, decay, seed } = this.#options;
    assert(decay >= 0 && decay < 1, `decay is not in [0, 1): ${decay}`);
    const countsOf = (kind: number) => new TickCounts(KINDS * seed + kind, rows, columns);
    this.#edges = countsOf(EDGES);
    if (variant === "midas") return;
    this.#sources = countsOf(SOURCES);
    this.#targets = countsOf(TARGETS);
  }

  /** Bytes of all sketches; they never grow. */
  get bytes(): number {
    return this.#all.reduce((sum, counts) => sum + counts.bytes, 0);
  }

  /**
   * Adds an edge and says how odd it is.
   *
   * @param source, target 32-bit numbers
   * @param tick number of the time step, 1 or more; an earlier one than before counts as the current one
   * @returns 0 or more, larger is odder; no probability
   */
  add(source: number, target: number, tick: number): number {
    if (tick > this.#tick) this.#advance(tick);
    const score = this.#count(this.#edges, source, target);
    if (this.#sources === undefined || this.#targets === undefined) return score;
    return Math.max(score, this.#count(this.#sources, source, 0), this.#count(this.#targets, target, 0));
  }

  get #all(): readonly TickCounts[] {
    return [this.#edges, this.#sources, this.#targets].filter((counts) => counts !== undefined);
  }

  #count(counts: TickCounts, a: number, b: number): number {
    counts.find(a, b);
    counts.addCurrent();
    if (this.#options.variant !== "midas-f") {
      counts.addTotal();
      const total = counts.total();
      return chiSquared(counts.current(), total, total, this.#tick);
    }
    const before = counts.total();
    const score = chiSquared(counts.current(), counts.current() + before, before, this.#tick);
    counts.setScore(score);
    return score;
  }

  #advance(tick: number): void {
    const { variant, decay, mergeBelow } = this.#options;
    const kept = variant === "midas" ? 0 : decay ** (tick - this.#tick);
    for (const counts of this.#all) {
      if (variant === "midas-f") counts.mergeBelow(mergeBelow, this.#tick - 1);
      counts.fade(kept);
    }
    this.#tick = tick;
  }
}

/**
 * Chi-squared statistic of a count against the mean of all ticks; 0 where there is nothing to hold it against.
 *
 *     (now tick - total)^2 / (expected (tick - 1))
 *
 * @param now in tick number `tick`
 * @param total in all ticks, this one included
 * @param expected what the deviation is measured by: `total`, or for `midas-f` the total of the ticks before
 */
function chiSquared(now: number, total: number, expected: number, tick: number): number {
  if (tick <= 1 || expected <= 0) return 0;
  return (now * tick - total) ** 2 / (expected * (tick - 1));
}

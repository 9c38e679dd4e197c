import assert from "node:assert/strict";

/** Shares of all scored logins that an analyst looks at, as the exact divisor of the count. */
const SHARES = [
  ["0.001", 1000],
  ["0.005", 200],
  ["0.01", 100],
] as const;

/** Alerts a day that an analyst looks at. */
const ALERTS_PER_DAY = ["1", "5", "10", "50"] as const;
const ALERTS_PER_DAY_MAX = 50;

const DAY_MS = 86_400_000;

export type ScoredLogin = {
  /** Low is odd. A baseline's oddness enters with its sign turned. Never NaN. */
  readonly score: number;
  /** Whether a label names this login. */
  readonly positive: boolean;
  /** Event time, milliseconds since the epoch. */
  readonly timeMs: number;
  /** What the login is grouped by. A number costs less memory than a string. */
  readonly incident: string | number;
};

/** How well the positives rank. Every metric is null where it can't be told: without positives, or (FPR) negatives. */
export type RankingMetrics = {
  readonly scored: number;
  readonly positives: number;
  /** Mean over the positives of the precision at their rank. */
  readonly averagePrecision: number | null;
  /** Share of the negatives that must be looked at to find half of the positives. */
  readonly fprAtRecall50: number | null;
  /** Share of the positives among the oddest `floor(share x scored)`. */
  readonly recallAtShare: Readonly<Record<(typeof SHARES)[number][0], number | null>>;
  /** Share of the positives among the N oddest of each day, days being 24 hours from the start of the scored period. */
  readonly recallAtAlertsPerDay: Readonly<Record<(typeof ALERTS_PER_DAY)[number], number | null>>;
};

/** The numbers of `evaluate --json` for one detector and one seed: by login, and by incident. */
export type Ranking = RankingMetrics & { readonly incidents: RankingMetrics };

/**
 * Collects scored logins and ranks them once at the end.
 *
 * Ties always count against the detector: among equal scores the negatives rank first, and a budget of N takes N, not the
 * whole tie. An incident has the lowest score of its logins, the time of that login (the earliest, if equal), and is
 * positive if any of them is.
 *
 *   a login      score:f64 timeMs:f64                 16 B   (positives and negatives lie apart)
 *   an incident  score:f64 timeMs:f64 positive:f64    24 B   + its key in a Map, some 40 B and the string
 *
 * Five million logins are 80 MB, and 40 MB more while they are sorted.
 */
export class RankingAccumulator {
  readonly #startMs: number | undefined;
  #firstMs = Number.POSITIVE_INFINITY;
  readonly #negatives = new Sample();
  readonly #positives = new Sample();
  readonly #incidentIds = new Map<string | number, number>();
  readonly #incidents = new Sample();
  readonly #incidentPositive = new NumberColumn();

  /** @param options.startMs start of the scored period; by default the earliest login's time */
  constructor(options: { readonly startMs?: number | undefined } = {}) {
    this.#startMs = options.startMs;
  }

  /** Logins added. */
  get scored(): number {
    return this.#negatives.length + this.#positives.length;
  }

  /** In any order of time. */
  add({ score, positive, timeMs, incident }: ScoredLogin): void {
    assert(!Number.isNaN(score), "a score is a number");
    assert(Number.isFinite(timeMs), "an event time is a finite number");
    if (timeMs < this.#firstMs) this.#firstMs = timeMs;
    (positive ? this.#positives : this.#negatives).push(score, timeMs);
    const id = this.#incidentIds.get(incident);
    if (id === undefined) {
      this.#incidentIds.set(incident, this.#incidents.length);
      this.#incidents.push(score, timeMs);
      this.#incidentPositive.push(positive ? 1 : 0);
      return;
    }
    this.#incidents.lower(id, score, timeMs);
    if (positive) this.#incidentPositive.set(id, 1);
  }

  /** The metrics of what was added so far. Costs one sort, and leaves the accumulator as it was. */
  result(): Ranking {
    const startMs = this.#startMs ?? this.#firstMs;
    const negatives = new Sample();
    const positives = new Sample();
    for (let id = 0; id < this.#incidents.length; id++) {
      const side = this.#incidentPositive.get(id) === 1 ? positives : negatives;
      side.push(this.#incidents.score.get(id), this.#incidents.timeMs.get(id));
    }
    return {
      ...metricsOf(this.#negatives, this.#positives, startMs),
      incidents: metricsOf(negatives, positives, startMs),
    };
  }
}

function metricsOf(negatives: Sample, positives: Sample, startMs: number): RankingMetrics {
  const scored = negatives.length + positives.length;
  const counts = { scored, positives: positives.length };
  const recall = (found: number) => (positives.length === 0 ? null : found / positives.length);
  const days = new DailyLowest(startMs);
  // Negatives first: the table puts a newcomer behind its equals.
  days.addAll(negatives, false);
  days.addAll(positives, true);
  const recallAtAlertsPerDay = Object.fromEntries(
    ALERTS_PER_DAY.map((countMax) => [countMax, recall(days.positivesWithin(Number(countMax)))]),
  ) as RankingMetrics["recallAtAlertsPerDay"];

  // Both sides apart, sorted natively: a tenth of the time of one sort with a comparator.
  const low = negatives.score.toArray().sort();
  const hits = positives.score.toArray().sort();
  const budgets = SHARES.map(([, divisor]) => Math.floor(scored / divisor));
  const foundInBudget = SHARES.map(() => 0);
  const half = Math.ceil(hits.length / 2);
  let before = 0;
  let precisionSum = 0;
  let fprAtRecall50: number | null = null;
  for (let i = 0; i < hits.length; i++) {
    while (before < low.length && low[before] <= hits[i]) before++;
    const rank = before + i + 1;
    precisionSum += (i + 1) / rank;
    if (i + 1 === half && low.length > 0) fprAtRecall50 = before / low.length;
    for (let b = 0; b < budgets.length; b++) if (rank <= budgets[b]) foundInBudget[b]++;
  }
  return {
    ...counts,
    averagePrecision: hits.length === 0 ? null : precisionSum / hits.length,
    fprAtRecall50,
    recallAtShare: Object.fromEntries(
      SHARES.map(([share], b) => [share, recall(foundInBudget[b])]),
    ) as RankingMetrics["recallAtShare"],
    recallAtAlertsPerDay,
  };
}

/** The few lowest scores of each day, ascending; equal scores in the order they came. One entry a day that has logins. */
class DailyLowest {
  readonly #startMs: number;
  readonly #days = new Map<number, { scores: number[]; positive: boolean[] }>();

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  addAll(sample: Sample, positive: boolean): void {
    for (let i = 0; i < sample.length; i++) {
      const day = Math.floor((sample.timeMs.get(i) - this.#startMs) / DAY_MS);
      this.#add(day, sample.score.get(i), positive);
    }
  }

  #add(day: number, score: number, positive: boolean): void {
    let lowest = this.#days.get(day);
    if (lowest === undefined) this.#days.set(day, (lowest = { scores: [], positive: [] }));
    const { scores } = lowest;
    if (scores.length === ALERTS_PER_DAY_MAX) {
      if (score >= scores[ALERTS_PER_DAY_MAX - 1]) return;
      scores.pop();
      lowest.positive.pop();
    }
    let at = scores.length;
    while (at > 0 && scores[at - 1] > score) at--;
    scores.splice(at, 0, score);
    lowest.positive.splice(at, 0, positive);
  }

  positivesWithin(countMax: number): number {
    let found = 0;
    for (const { positive } of this.#days.values()) {
      for (let i = 0; i < Math.min(countMax, positive.length); i++) if (positive[i]) found++;
    }
    return found;
  }
}

/** Scores with their times. */
class Sample {
  readonly score = new NumberColumn();
  readonly timeMs = new NumberColumn();

  get length(): number {
    return this.score.length;
  }

  push(score: number, timeMs: number): void {
    this.score.push(score);
    this.timeMs.push(timeMs);
  }

  /** Keeps the lower score, and of equal ones the earlier. */
  lower(i: number, score: number, timeMs: number): void {
    const held = this.score.get(i);
    if (score > held || (score === held && timeMs >= this.timeMs.get(i))) return;
    this.score.set(i, score);
    this.timeMs.set(i, timeMs);
  }
}

const CHUNK_BITS = 16;
const CHUNK_LENGTH = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_LENGTH - 1;

/** A column of numbers that grows by chunks of 64 Ki (0.5 MB), so growing never copies and wastes at most one chunk. */
class NumberColumn {
  readonly #chunks: Float64Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    const offset = this.#length & CHUNK_MASK;
    if (offset === 0) this.#chunks.push(new Float64Array(CHUNK_LENGTH));
    this.#chunks[this.#length >>> CHUNK_BITS][offset] = value;
    this.#length++;
  }

  get(i: number): number {
    return this.#chunks[i >>> CHUNK_BITS][i & CHUNK_MASK];
  }

  set(i: number, value: number): void {
    this.#chunks[i >>> CHUNK_BITS][i & CHUNK_MASK] = value;
  }

  /** A copy in one piece. */
  toArray(): Float64Array {
    const array = new Float64Array(this.#length);
    for (let c = 0; c < this.#chunks.length; c++) {
      const start = c * CHUNK_LENGTH;
      array.set(this.#chunks[c].subarray(0, Math.min(CHUNK_LENGTH, this.#length - start)), start);
    }
    return array;
  }
}

export type Spread = { readonly mean: number; readonly min: number; readonly max: number };

/** The same shape with a `Spread` in place of every number. */
export type SpreadOf<T> = T extends number
  ? Spread
  : T extends null
    ? null
    : { readonly [K in keyof T]: SpreadOf<T[K]> };

/**
 * Mean, lowest and highest of every number over several runs of the same evaluation, one a seed.
 *
 * A metric that is null in any of them is null: a mean over the seeds that happen to have it would flatter.
 */
export function spreadOverSeeds<T extends object>(results: readonly T[]): SpreadOf<T> {
  assert(results.length > 0, "at least one result");
  return spread(results) as SpreadOf<T>;
}

function spread(values: readonly unknown[]): unknown {
  if (values.includes(null)) return null;
  if (typeof values[0] === "number") {
    const numbers = values as number[];
    const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
    return { mean, min: Math.min(...numbers), max: Math.max(...numbers) };
  }
  const objects = values as Record<string, unknown>[];
  return Object.fromEntries(
    Object.keys(objects[0]).map((key) => [key, spread(objects.map((each) => each[key]))]),
  );
}

import { z } from "zod";
import { Random } from "../random.ts";

/** Lengths of the character sequences that a text is taken for. */
const GRAM_LENGTHS = [2, 3, 4];
/** Sequences that most texts to learn from hold are known; rarer ones beyond that are not. */
const GRAMS_MAX = 2048;
/** Texts that are learnt from: of more, so many, evenly spread over their order. */
const TEXTS_MAX = 2000;
/** Prior of how much of a topic a text has: shape and scale of a gamma distribution. */
const SHAPE = 1.1;
const SCALE = 1;
/** How much of what earlier batches taught a batch keeps. */
const DECAY = 0.95;
const BATCH_TEXTS = 128;
const PASSES_MAX = 5;
const PASS_CHANGE_MIN = 1e-4;
const FIT_UPDATES_MAX = 20;
const UPDATES_MAX = 100;
const UPDATE_CHANGE_MIN = 1e-3;
/** A topic begins as the sequences of one text, and a little of all others. */
const START_FLOOR = 0.1;
/** A topic is called by its heaviest sequences. */
const NAME_GRAMS = 3;
/** Weights are kept with so many significant digits: what is read back says the same as what was fitted. */
const WEIGHT_DIGITS = 4;

export const topicModelSchema = z.strictObject({
  /** Character sequences that it knows. */
  grams: z.array(z.string()).max(GRAMS_MAX),
  /** Topics by name: what is said of a text. */
  topics: z
    .array(z.strictObject({ name: z.string(), weights: z.array(z.number().min(0)).max(GRAMS_MAX) }))
    .min(1),
});
/** Topics over character sequences. Plain data, and part of an epoch. */
export type TopicModel = z.infer<typeof topicModelSchema>;

/** How often each known sequence comes in a text: places and counts. */
type Counts = { readonly places: readonly number[]; readonly counts: readonly number[] };

/**
 * Groups texts by how they are spelt: gamma-Poisson factorisation of the counts of their character sequences of length 2 to 4. Fitting is seeded,
 * and the same texts in the same order give the same topics.
 *
 * @param texts different ones; at least as many as topics
 * @see Cerda and Varoquaux, "Encoding high-cardinality string categorical variables", TKDE 2020
 */
export function fitTopics(texts: readonly string[], topicCount: number, seed: number): TopicModel {
  const count = Math.min(texts.length, TEXTS_MAX);
  const learnt = Array.from({ length: count }, (_, i) => texts[Math.floor((i * texts.length) / count)]!);
  const grams = knownGrams(learnt);
  const placeOf = new Map(grams.map((gram, place) => [gram, place]));
  const rows = learnt.map((text) => countsOf(text, placeOf));
  const random = new Random(seed, "topics");
  const weights = starts(rows, topicCount, grams.length, random);
  const topicWeights = weights.map((row) => row.slice());
  const topicTotals = new Float64Array(topicCount).fill(1);
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const before = weights.map((row) => row.slice());
    for (let at = 0; at < rows.length; at += BATCH_TEXTS) {
      const batch = rows.slice(at, at + BATCH_TEXTS);
      const shares = batch.map((row) => sharesOf(row, weights, FIT_UPDATES_MAX));
      learn(batch, shares, weights, topicWeights, topicTotals);
    }
    if (changeOf(before, weights) < PASS_CHANGE_MIN) break;
  }
  const rounded = weights.map((row) => Array.from(row, (w) => Number(w.toPrecision(WEIGHT_DIGITS))));
  const names = rounded.map((row) => nameOf(row, grams));
  const topics = rounded.map((row, topic) => ({
    // Two topics may have the same heaviest sequences.
    name: names.indexOf(names[topic]!) === topic ? names[topic]! : `${names[topic]} ${topic}`,
    weights: row,
  }));
  return { grams, topics };
}

/** Says which topic a text has most of. What it has seen once it remembers, up to a bound. */
export class Topics {
  static readonly #REMEMBERED_MAX = 65_536;
  readonly #model: TopicModel;
  readonly #placeOf: ReadonlyMap<string, number>;
  readonly #weights: readonly Float64Array[];
  readonly #known = new Map<string, string | undefined>();

  constructor(model: TopicModel) {
    this.#model = model;
    this.#placeOf = new Map(model.grams.map((gram, place) => [gram, place]));
    this.#weights = model.topics.map(({ weights }) => Float64Array.from(weights));
  }

  /** Name of the topic; undefined if the text holds nothing that the model knows. */
  of(text: string): string | undefined {
    if (this.#known.has(text)) return this.#known.get(text);
    const counts = countsOf(text, this.#placeOf);
    let topic: string | undefined;
    if (counts.places.length > 0) {
      const shares = sharesOf(counts, this.#weights, UPDATES_MAX);
      topic = this.#model.topics[shares.indexOf(Math.max(...shares))]!.name;
    }
    if (this.#known.size >= Topics.#REMEMBERED_MAX) this.#known.clear();
    this.#known.set(text, topic);
    return topic;
  }
}

function gramsOf(text: string): string[] {
  const characters = [...text.toLowerCase()];
  return GRAM_LENGTHS.flatMap((length) =>
    Array.from({ length: Math.max(0, characters.length - length + 1) }, (_, i) =>
      characters.slice(i, i + length).join(""),
    ),
  );
}

/** Those in most texts; of equal ones, the first in the order of their characters. */
function knownGrams(texts: readonly string[]): string[] {
  const textsWith = new Map<string, number>();
  for (const text of texts)
    for (const gram of new Set(gramsOf(text))) textsWith.set(gram, (textsWith.get(gram) ?? 0) + 1);
  return [...textsWith]
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, GRAMS_MAX)
    .map(([gram]) => gram);
}

function countsOf(text: string, placeOf: ReadonlyMap<string, number>): Counts {
  const counts = new Map<number, number>();
  for (const gram of gramsOf(text)) {
    const place = placeOf.get(gram);
    if (place !== undefined) counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return { places: [...counts.keys()], counts: [...counts.values()] };
}

/** Topics begin as texts that are far from each other: k-means++. Rows sum to 1. */
function starts(rows: readonly Counts[], topics: number, grams: number, random: Random): Float64Array[] {
  const distances = new Float64Array(rows.length).fill(Number.POSITIVE_INFINITY);
  let chosen = random.nextInt(rows.length);
  return Array.from({ length: topics }, () => {
    const center = new Float64Array(grams);
    for (const [i, place] of rows[chosen]!.places.entries()) center[place] = rows[chosen]!.counts[i]!;
    const squares = center.reduce((sum, value) => sum + value * value, 0);
    for (const [r, { places, counts }] of rows.entries()) {
      let distance = squares;
      for (const [i, place] of places.entries())
        distance += (counts[i]! - center[place]!) ** 2 - center[place]! ** 2;
      distances[r] = Math.min(distances[r]!, distance);
    }
    const total = distances.reduce((sum, distance) => sum + distance, 0);
    let left = random.nextFloat() * total;
    chosen = distances.findIndex((distance) => (left -= distance) < 0);
    if (chosen < 0) chosen = distances.indexOf(Math.max(...distances));
    const start = center.map((value) => value + START_FLOOR);
    const sum = start.reduce((a, b) => a + b, 0);
    return start.map((value) => value / sum);
  });
}

/** How much of each topic a text has, by multiplicative updates. */
function sharesOf(
  { places, counts }: Counts,
  weights: readonly Float64Array[],
  updatesMax: number,
): Float64Array {
  const scale = 1 + 1 / SCALE;
  const total = counts.reduce((sum, count) => sum + count, 0);
  let shares = new Float64Array(weights.length).fill(total / weights.length);
  const ratios = new Float64Array(places.length);
  for (let update = 0; update < updatesMax; update++) {
    for (const [i, place] of places.entries()) {
      let expected = 0;
      for (const [topic, share] of shares.entries()) expected += share * weights[topic]![place]!;
      ratios[i] = expected === 0 ? 0 : counts[i]! / expected;
    }
    const next = shares.map((share, topic) => {
      let sum = 0;
      for (const [i, place] of places.entries()) sum += weights[topic]![place]! * ratios[i]!;
      return (share * sum) / scale + (SHAPE - 1) / scale;
    });
    const change = changeOf([shares], [next]);
    shares = next;
    if (change < UPDATE_CHANGE_MIN) break;
  }
  return shares;
}

/** Moves the topics towards what a batch of texts says of them. */
function learn(
  batch: readonly Counts[],
  shares: readonly Float64Array[],
  weights: Float64Array[],
  topicWeights: readonly Float64Array[],
  topicTotals: Float64Array,
): void {
  const gained = weights.map((row) => new Float64Array(row.length));
  for (const [t, { places, counts }] of batch.entries()) {
    for (const [i, place] of places.entries()) {
      let expected = 0;
      for (const [topic, share] of shares[t]!.entries()) expected += share * weights[topic]![place]!;
      if (expected === 0) continue;
      for (const [topic, share] of shares[t]!.entries())
        gained[topic]![place]! += (share * counts[i]!) / expected;
    }
  }
  for (const [topic, row] of weights.entries()) {
    topicTotals[topic] = DECAY * topicTotals[topic]! + shares.reduce((sum, h) => sum + h[topic]!, 0);
    let sum = 0;
    for (let place = 0; place < row.length; place++) {
      const kept = DECAY * topicWeights[topic]![place]! + row[place]! * gained[topic]![place]!;
      topicWeights[topic]![place] = kept;
      row[place] = kept / topicTotals[topic]!;
      sum += row[place]!;
    }
    for (let place = 0; place < row.length; place++) row[place]! /= sum;
  }
}

/** Relative change, as the root of squares. */
function changeOf(before: readonly Float64Array[], after: readonly Float64Array[]): number {
  let difference = 0;
  let size = 0;
  for (const [r, row] of before.entries()) {
    for (const [i, value] of row.entries()) {
      difference += (after[r]![i]! - value) ** 2;
      size += value ** 2;
    }
  }
  return Math.sqrt(difference / size);
}

function nameOf(weights: readonly number[], grams: readonly string[]): string {
  return Array.from(weights.keys())
    .sort((a, b) => weights[b]! - weights[a]! || a - b)
    .slice(0, NAME_GRAMS)
    .map((place) => grams[place])
    .join("+");
}

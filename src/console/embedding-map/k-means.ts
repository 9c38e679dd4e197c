import { Random } from "../../model/random.ts";

/** Starts from other centres, of which the best end counts; and rounds of each. */
const STARTS = 5;
const ROUNDS_MAX = 50;
export const CLUSTERS_MIN = 2;
export const CLUSTERS_MAX = 8;

/** Points one after the other, each of `dimensions` numbers. */
export type Points = { readonly values: Float32Array; readonly count: number; readonly dimensions: number };

export type Clustering = {
  /** Of each point, the number of its cluster: 0 is the largest. */
  readonly clusterOf: Uint8Array;
  readonly count: number;
};

/**
 * k-means, with the number of clusters, `CLUSTERS_MIN` to `CLUSTERS_MAX`, that has the largest mean silhouette; the same for the same points.
 *
 * The silhouette is the simplified one, by distances to centres, so that it takes no distance between each two points.
 *
 * @see Arthur & Vassilvitskii, "k-means++: The Advantages of Careful Seeding", SODA 2007
 * @see Vendramin et al., "Relative clustering validity criteria", Statistical Analysis and Data Mining, 2010
 */
export function cluster(points: Points, seed: number): Clustering {
  const random = new Random(seed, "clusters");
  let best: { readonly run: Run; readonly silhouette: number } | undefined;
  for (let k = CLUSTERS_MIN; k <= Math.min(CLUSTERS_MAX, points.count - 1); k++) {
    let run: Run | undefined;
    for (let start = 0; start < STARTS; start++) {
      const next = kMeans(points, k, random);
      if (run === undefined || next.inertia < run.inertia) run = next;
    }
    const silhouette = silhouetteOf(points, run!);
    if (best === undefined || silhouette > best.silhouette) best = { run: run!, silhouette };
  }
  if (best === undefined)
    return { clusterOf: new Uint8Array(points.count), count: Math.min(1, points.count) };
  return bySize(best.run);
}

type Run = { readonly centres: Float64Array[]; readonly clusterOf: Uint8Array; readonly inertia: number };

function kMeans(points: Points, k: number, random: Random): Run {
  const centres = firstCentres(points, k, random);
  const clusterOf = new Uint8Array(points.count);
  let inertia = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    let changes = 0;
    inertia = 0;
    for (let i = 0; i < points.count; i++) {
      const { index, squared } = nearest(points, i, centres);
      if (clusterOf[i] !== index) changes++;
      clusterOf[i] = index;
      inertia += squared;
    }
    if (round > 0 && changes === 0) break;
    moveCentres(points, centres, clusterOf);
  }
  return { centres, clusterOf, inertia };
}

/** Each further centre is a point, drawn the more likely the farther it is from those before. */
function firstCentres(points: Points, k: number, random: Random): Float64Array[] {
  const centres = [pointOf(points, random.nextInt(points.count))];
  const distances = new Float64Array(points.count).fill(Number.POSITIVE_INFINITY);
  while (centres.length < k) {
    const last = centres.at(-1)!;
    for (let i = 0; i < points.count; i++)
      distances[i] = Math.min(distances[i]!, squaredDistance(points, i, last));
    let rest = random.nextFloat() * distances.reduce((sum, distance) => sum + distance, 0);
    let drawn = 0;
    while (drawn < points.count - 1 && (rest -= distances[drawn]!) > 0) drawn++;
    centres.push(pointOf(points, drawn));
  }
  return centres;
}

function moveCentres({ values, count, dimensions }: Points, centres: Float64Array[], of: Uint8Array): void {
  const sizes = new Float64Array(centres.length);
  for (let i = 0; i < count; i++) {
    const c = of[i]!;
    // One that nothing is nearest to stays where it is.
    if (sizes[c]!++ === 0) centres[c]!.fill(0);
    for (let d = 0; d < dimensions; d++) centres[c]![d]! += values[i * dimensions + d]!;
  }
  for (const [c, size] of sizes.entries())
    if (size > 0) for (let d = 0; d < dimensions; d++) centres[c]![d]! /= size;
}

function nearest(points: Points, i: number, centres: readonly Float64Array[]) {
  let [index, squared] = [0, Number.POSITIVE_INFINITY];
  for (let c = 0; c < centres.length; c++) {
    const distance = squaredDistance(points, i, centres[c]!);
    if (distance < squared) [index, squared] = [c, distance];
  }
  return { index, squared };
}

function silhouetteOf(points: Points, { centres, clusterOf }: Run): number {
  let sum = 0;
  for (let i = 0; i < points.count; i++) {
    const distances = centres.map((centre) => Math.sqrt(squaredDistance(points, i, centre)));
    const own = distances[clusterOf[i]!]!;
    const other = Math.min(...distances.filter((_, c) => c !== clusterOf[i]));
    sum += (other - own) / Math.max(other, own, Number.MIN_VALUE);
  }
  return sum / points.count;
}

function bySize({ centres, clusterOf }: Run): Clustering {
  const sizes = centres.map((_, c) => clusterOf.reduce((sum, one) => sum + (one === c ? 1 : 0), 0));
  const order = [...sizes.keys()].filter((c) => sizes[c]! > 0).toSorted((a, b) => sizes[b]! - sizes[a]!);
  return { clusterOf: clusterOf.map((c) => order.indexOf(c)), count: order.length };
}

function pointOf({ values, dimensions }: Points, i: number): Float64Array {
  return Float64Array.from(values.subarray(i * dimensions, (i + 1) * dimensions));
}

function squaredDistance({ values, dimensions }: Points, i: number, centre: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < dimensions; d++) sum += (values[i * dimensions + d]! - centre[d]!) ** 2;
  return sum;
}

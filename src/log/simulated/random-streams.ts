/** One stream of seeded numbers. Passed in, as everywhere: the log knows no generator of its own. */
export type RandomStream = {
  /** Uniform in [0, 1). */
  nextFloat(): number;
  /** Uniform in 0 .. count - 1. */
  nextInt(count: number): number;
};

/** The streams of one seed: equal labels begin equal streams, different labels draw nothing of each other. */
export type RandomStreams = (label: string) => RandomStream;

/** Uniform in [min, max). */
export function uniform(random: RandomStream, min: number, max: number): number {
  return min + random.nextFloat() * (max - min);
}

/** One of the items, or undefined of none. */
export function pickOne<T>(random: RandomStream, items: readonly T[]): T | undefined {
  return items.length === 0 ? undefined : items[random.nextInt(items.length)];
}

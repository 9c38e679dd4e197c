import assert from "node:assert/strict";

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

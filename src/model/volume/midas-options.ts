/**
 * How anomalous edges are told apart and what becomes of them.
 *
 * | variant | counts of | from one tick to the next | anomalous counts |
 * |---|---|---|---|
 * | midas | edges | forgotten | become normal |
 * | midas-r | edges, sources, targets | fade by `decay` | become normal |
 * | midas-f | edges, sources, targets | fade by `decay` | are kept out of what is normal |
 */
export const MIDAS_VARIANTS = ["midas", "midas-r", "midas-f"] as const;
export type MidasVariant = (typeof MIDAS_VARIANTS)[number];

export type MidasOptions = {
  readonly variant: MidasVariant;
  /** Rows and columns of each sketch: more rows make collisions of all rows rarer, more columns those of each. */
  readonly rows: number;
  readonly columns: number;
  /** What is left of the counts of a tick in the next one, in [0, 1). Of no use to `midas`. */
  readonly decay: number;
  /** Score from which the count of a tick is not added to the total. Of use to `midas-f` alone. */
  readonly mergeBelow: number;
  /** Chooses the hash functions: which keys share cells. */
  readonly seed: number;
};

/** The parameters that the papers publish for DARPA, and the variant that the product uses. */
export const MIDAS_DEFAULTS: MidasOptions = {
  variant: "midas-f",
  rows: 2,
  columns: 1024,
  decay: 0.5,
  mergeBelow: 1000,
  seed: 0,
};

/**
 * Which numbers of a layer's output a training step drops. The others are multiplied with 1 / (1 - rate), so that their sum is expected to stay
 * (inverted dropout).
 *
 * Whether a number is dropped is a hash of seed, step, layer and its place, entity x dimensions + dimension: every back end drops the same
 * ones, in any order, and keeps no mask. `kernels/rgcn.ts` has the same hash.
 *
 * @see Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 2014
 */
export type Dropout = {
  /** Share that is dropped, in [0, 1). */
  readonly rate: number;
  readonly seed: number;
};

export const NO_DROPOUT: Dropout = { rate: 0, seed: 0 };

/** What tells the masks of two layers or steps apart. */
export function dropoutKey({ seed }: Dropout, step: number, layer: 1 | 2): number {
  return mix(mix(mix(seed) + step) + layer);
}

/** Hashes below that are dropped. */
export function dropoutThreshold({ rate }: Dropout): number {
  return Math.floor(rate * 2 ** 32);
}

/** Multiplies a layer's output, or the gradients by it, with the mask. */
export function dropOut(
  values: Float32Array | Float64Array,
  dropout: Dropout,
  step: number,
  layer: 1 | 2,
): void {
  const key = dropoutKey(dropout, step, layer);
  const threshold = dropoutThreshold(dropout);
  const scale = 1 / (1 - dropout.rate);
  for (let place = 0; place < values.length; place++)
    values[place]! *= mix(place ^ key) >>> 0 < threshold ? 0 : scale;
}

/** A bijection of 32 bits in which each bit of the input moves about half of the output (after C. Wellons, "lowbias32", public domain). */
function mix(word: number): number {
  let x = word | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return x ^ (x >>> 15);
}

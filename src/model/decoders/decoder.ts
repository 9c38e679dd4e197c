export const DECODER_NAMES = ["distmult", "transe", "rotate", "complex"] as const;
export type DecoderName = (typeof DECODER_NAMES)[number];

/** Single precision where links are scored, double where the reference back end trains. */
export type Floats = Float32Array | Float64Array;

/**
 * How likely a link is, as a logit, from the embeddings of its ends, h and t, and the vector of its relation, r: d floats each. An
 * entity or a relation is an array and the place in it where its floats begin.
 *
 * `kernels/decode.ts` has the same for the back end `simd`, `backends/tfjs/decode.ts` for `tfjs`.
 */
export type Decoder = {
  readonly name: DecoderName;
  /** Whether d floats are d/2 complex numbers, real and imaginary parts in turn. */
  readonly isComplex: boolean;
  /**
   * Whether a relation is trained as the d/2 phases of complex numbers of modulus one, which are its vector (`phases.ts`). What is trained
   * of any other relation is its vector.
   */
  readonly hasPhases: boolean;
  /** What is trained of a relation starts within plus or minus that. */
  readonly relationLimit: (d: number) => number;
  /** Distance of even odds, for a decoder that measures one. */
  readonly margin: (d: number) => number;
  readonly score: (
    heads: Floats,
    h: number,
    relations: Floats,
    r: number,
    tails: Floats,
    t: number,
    d: number,
  ) => number;
  /** Adds `slope` times the gradients of the score to those at the same places: of a link between rows of `rows`. */
  readonly addGradients: (
    slope: number,
    rows: Floats,
    h: number,
    relations: Floats,
    r: number,
    t: number,
    d: number,
    dRows: Floats,
    dRelations: Floats,
  ) => void;
};

/** Below that a distance has no direction: its gradient is zero. */
export const DISTANCE_MIN = 1e-12;

import type { Random } from "../../model/random.ts";

export type Shape = { readonly nodes: number; readonly relations: number; readonly dimensions: number };

/** Every array a model is trained in, by rows: N nodes, R relations, d dimensions. Gradients have the same form. */
export type Parameters = {
  /** N x d, free embeddings. */
  readonly input: Float32Array;
  /** R x d: layer 1 multiplies messages element by element (blocks of 1 x 1). */
  readonly diagonal: Float32Array;
  /** d x d and d: what layer 1 makes of the node itself. */
  readonly self1: Float32Array;
  readonly bias1: Float32Array;
  /** R x d x d: layer 2 multiplies messages with a whole matrix. */
  readonly full: Float32Array;
  readonly self2: Float32Array;
  readonly bias2: Float32Array;
  /** R x d: the decoder's vectors. */
  readonly decoder: Float32Array;
};

/** As many as there are numbers in `Parameters`. */
export function parameterCount({ nodes, relations, dimensions: d }: Shape): number {
  return nodes * d + (relations * d + d * d + d) + (relations * d * d + d * d + d) + relations * d;
}

export function emptyParameters({ nodes, relations, dimensions: d }: Shape): Parameters {
  return {
    input: new Float32Array(nodes * d),
    diagonal: new Float32Array(relations * d),
    self1: new Float32Array(d * d),
    bias1: new Float32Array(d),
    full: new Float32Array(relations * d * d),
    self2: new Float32Array(d * d),
    bias2: new Float32Array(d),
    decoder: new Float32Array(relations * d),
  };
}

/** Where training starts: embeddings standard normal, biases zero, the rest uniform within the limits of its kind. */
export function initialParameters(shape: Shape, random: Random): Parameters {
  const { relations, dimensions: d } = shape;
  const parameters = emptyParameters(shape);
  fill(parameters.input, () => normal(random));
  fill(parameters.diagonal, () => random.nextWithin(1));
  fill(parameters.full, () => random.nextWithin(1 / Math.sqrt(d)));
  for (const matrix of [parameters.self1, parameters.self2]) {
    fill(matrix, () => random.nextWithin(xavierLimit(d, d)));
  }
  fill(parameters.decoder, () => random.nextWithin(xavierLimit(relations, d)));
  return parameters;
}

/** Glorot & Bengio (AISTATS 2010) with the gain of a ReLU, the square root of 2. */
function xavierLimit(inputs: number, outputs: number): number {
  return Math.SQRT2 * Math.sqrt(6 / (inputs + outputs));
}

function fill(array: Float32Array, next: () => number): void {
  for (let i = 0; i < array.length; i++) array[i] = next();
}

/** Box & Muller (1958); the second number of each pair is not used. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.nextFloat())) * Math.cos(2 * Math.PI * random.nextFloat());
}

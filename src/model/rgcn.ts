import type { DecoderName } from "./decoders/decoder.ts";
import { DECODERS, relationFloats } from "./decoders/decoders.ts";
import { Random } from "./random.ts";

export const RELATION_WEIGHTS = ["basis", "diagonal"] as const;
export type RelationWeights = (typeof RELATION_WEIGHTS)[number];

/**
 * Shape of the RGCN: two layers over free input embeddings, relation matrices by basis decomposition or diagonal,
 * and a decoder, DistMult if no other.
 *
 *   h  = ReLU( sum_r mean_{j in N_r(i)} E_j W1_r + E_i S1 + b1 )
 *   z  =       sum_r mean_{j in N_r(i)} h_j W2_r + h_i S2 + b2
 *   logit(s, r, t) = sum_k z_sk R_rk z_tk          DistMult; the others are in `decoders`
 *
 * Each of the `relations` also passes messages the other way, as a relation of its own: 2 x relations in all.
 *
 * @see Schlichtkrull et al., "Modeling Relational Data with Graph Convolutional Networks", ESWC 2018; Yang et al., ICLR 2015
 */
export type RgcnShape = {
  readonly entities: number;
  readonly relations: number;
  readonly dimensions: number;
  readonly weights: RelationWeights;
  /** Number of bases; 0 with diagonal weights. */
  readonly bases: number;
  readonly decoder: DecoderName;
};

/** All trained numbers, by name; row-major. With m = 2 x relations, d dimensions, B bases. */
export type RgcnParameters = {
  /** entities x d */
  readonly input: Float32Array;
  /** B x d x d, or m x d with diagonal weights; and m x B coefficients (empty with diagonal weights). */
  readonly basis1: Float32Array;
  readonly coefficients1: Float32Array;
  readonly self1: Float32Array;
  readonly bias1: Float32Array;
  readonly basis2: Float32Array;
  readonly coefficients2: Float32Array;
  readonly self2: Float32Array;
  readonly bias2: Float32Array;
  /** relations x d, or x d/2 phases: `relationFloats` */
  readonly decoder: Float32Array;
};

export const PARAMETER_NAMES = [
  "input",
  "basis1",
  "coefficients1",
  "self1",
  "bias1",
  "basis2",
  "coefficients2",
  "self2",
  "bias2",
  "decoder",
] as const satisfies readonly (keyof RgcnParameters)[];

/** Number of floats of each parameter. */
export function parameterSizes(shape: RgcnShape): Record<keyof RgcnParameters, number> {
  const { entities, relations, dimensions: d, bases } = shape;
  const messages = 2 * relations;
  const basis = shape.weights === "basis" ? bases * d * d : messages * d;
  const coefficients = shape.weights === "basis" ? messages * bases : 0;
  return {
    input: entities * d,
    basis1: basis,
    coefficients1: coefficients,
    self1: d * d,
    bias1: d,
    basis2: basis,
    coefficients2: coefficients,
    self2: d * d,
    bias2: d,
    decoder: relations * relationFloats(shape.decoder, d),
  };
}

/** Seeded start: Glorot-uniform matrices, zero biases, relations of the decoder as wide as it says. */
export function initialParameters(shape: RgcnShape, seed: number): RgcnParameters {
  const { dimensions: d, bases } = shape;
  const sizes = parameterSizes(shape);
  const isBasis = shape.weights === "basis";
  const limits: Record<keyof RgcnParameters, number> = {
    input: Math.sqrt(3 / d),
    basis1: isBasis ? Math.sqrt(3 / d) : 1,
    coefficients1: isBasis ? Math.sqrt(3 / bases) : 0,
    self1: Math.sqrt(3 / d),
    bias1: 0,
    basis2: isBasis ? Math.sqrt(3 / d) : 1,
    coefficients2: isBasis ? Math.sqrt(3 / bases) : 0,
    self2: Math.sqrt(3 / d),
    bias2: 0,
    decoder: DECODERS[shape.decoder].relationLimit(d),
  };
  const parameters = {} as Record<keyof RgcnParameters, Float32Array>;
  for (const name of PARAMETER_NAMES) {
    const random = new Random(seed, name);
    parameters[name] = Float32Array.from({ length: sizes[name] }, () => random.nextWithin(limits[name]));
  }
  return parameters;
}

/** `into += scale * row W_m` for one message relation `m` of a layer. */
export function addMessage(
  shape: RgcnShape,
  layer: { readonly basis: Float32Array; readonly coefficients: Float32Array },
  message: number,
  row: Float32Array,
  into: Float32Array,
): void {
  const { dimensions: d, bases } = shape;
  if (shape.weights === "diagonal") {
    for (let k = 0; k < d; k++) into[k]! += row[k]! * layer.basis[message * d + k]!;
    return;
  }
  for (let b = 0; b < bases; b++) {
    const coefficient = layer.coefficients[message * bases + b]!;
    for (let j = 0; j < d; j++) {
      const x = coefficient * row[j]!;
      const base = (b * d + j) * d;
      for (let k = 0; k < d; k++) into[k]! += x * layer.basis[base + k]!;
    }
  }
}

/** A neighbour known to the model: the relation its message comes by, and its row. */
export type Neighbour = { readonly message: number; readonly row: number };

/**
 * Output embedding of one entity that the model has never seen, from its neighbours as they are now: the forward pass at
 * one node, with the mean input embedding of its kind in the place of its own. Does not depend on the neighbours' order.
 *
 * @param input entities x d, as trained; `hidden` the stored layer-1 activations, entities x d
 * @param own mean input embedding of the entity's kind, d floats
 */
export function embedUnknown(
  shape: RgcnShape,
  parameters: RgcnParameters,
  hidden: Float32Array,
  own: Float32Array,
  neighbours: readonly Neighbour[],
): Float32Array {
  const { dimensions: d } = shape;
  const sorted = [...neighbours].sort((a, b) => a.message - b.message || a.row - b.row);
  const h = layerAt(shape, parameters.input, own, sorted, {
    basis: parameters.basis1,
    coefficients: parameters.coefficients1,
    self: parameters.self1,
    bias: parameters.bias1,
  });
  for (let k = 0; k < d; k++) if (h[k]! < 0) h[k] = 0;
  return layerAt(shape, hidden, h, sorted, {
    basis: parameters.basis2,
    coefficients: parameters.coefficients2,
    self: parameters.self2,
    bias: parameters.bias2,
  });
}

type Layer = {
  readonly basis: Float32Array;
  readonly coefficients: Float32Array;
  readonly self: Float32Array;
  readonly bias: Float32Array;
};

function layerAt(
  shape: RgcnShape,
  rows: Float32Array,
  own: Float32Array,
  sorted: readonly Neighbour[],
  layer: Layer,
): Float32Array {
  const { dimensions: d } = shape;
  const out = Float32Array.from(layer.bias);
  for (let j = 0; j < d; j++) for (let k = 0; k < d; k++) out[k]! += own[j]! * layer.self[j * d + k]!;
  const mean = new Float32Array(d);
  for (let i = 0; i < sorted.length; ) {
    const { message } = sorted[i]!;
    let end = i;
    mean.fill(0);
    for (; end < sorted.length && sorted[end]!.message === message; end++) {
      const base = sorted[end]!.row * d;
      for (let k = 0; k < d; k++) mean[k]! += rows[base + k]!;
    }
    for (let k = 0; k < d; k++) mean[k]! /= end - i;
    addMessage(shape, layer, message, mean, out);
    i = end;
  }
  return out;
}

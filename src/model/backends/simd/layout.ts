import { DECODERS, relationFloats } from "../../decoders/decoders.ts";
import { PARAMETER_NAMES, parameterSizes, type RgcnParameters, type RgcnShape } from "../../rgcn.ts";
import type { MessageGraph } from "../backend.ts";
import { indexMessages, type MessageIndex } from "../message-index.ts";

/**
 * A step is cut into so many slices, whoever works on them, and what they give is added up in their order: its result does not
 * depend on how many threads there are. More threads than slices would have nothing to do.
 */
export const SLICES = 4;

/** Floats of a vector; rows are padded to a multiple of it, with zeros, which stay zeros in all that follows. */
const VECTOR = 4;
const FLOAT_BYTES = 4;
/** Cost of a node's own products, as a multiple of what one of its pairs costs. */
const NODE_COST = 8;

/** Bytes from the beginning of the memory. */
type At = number;

type GraphLayout = { readonly [Name in Exclude<keyof MessageIndex, "pairs" | "destinations">]: At } & {
  /** Where slices of the entities begin, about equally costly ones: slices + 1. */
  readonly bounds: readonly number[];
};

type ParameterLayout = { readonly [Name in keyof RgcnParameters]: At };

/**
 * Where everything is in the memory that the threads of a back end share. Trained numbers, their gradients and Adam's moments
 * are four flat arrays of the same order: input embeddings first, then all the small matrices, of which each slice has gradients of
 * its own.
 *
 *   self1 | basis1     one matrix of (1 + bases) d x d, as `x` has the own row and then one sum for each basis
 */
export type Layout = {
  readonly shape: RgcnShape;
  /** Dimensions, padded. */
  readonly d: number;
  /** Floats in a row of `x`: (1 + bases) d. */
  readonly k: number;
  readonly parameters: ParameterLayout;
  /** Floats of the flat arrays, and of the input embeddings among them. */
  readonly floats: number;
  readonly inputFloats: number;
  readonly values: At;
  readonly gradients: At;
  readonly first: At;
  readonly second: At;
  /** By slice: gradients of what comes after the input embeddings; and gradients by output, entities x d. */
  readonly sliceGradients: readonly At[];
  readonly sliceOutputGradients: readonly At[];
  /** What the decoder reads of relations, and its gradients by slice: relations x d. Parameters themselves, unless those are phases. */
  readonly vectors: At;
  readonly sliceVectorGradients: readonly At[];
  /** Floats of a relation's parameters, padded. */
  readonly relationFloats: number;
  /** entities x d */
  readonly hidden: At;
  readonly output: At;
  readonly hiddenGradient: At;
  /** By layer: entities x k, pairs x d, and d x k. */
  readonly x: readonly At[];
  readonly means: readonly At[];
  readonly transposed: readonly At[];
  readonly batch: {
    readonly from: At;
    readonly relation: At;
    readonly to: At;
    readonly label: At;
    readonly weight: At;
  };
  readonly graphs: readonly GraphLayout[];
  readonly bytes: number;
};

/** Lays out the memory of a back end, which `write` fills. */
export function layOut(
  shape: RgcnShape,
  graphs: readonly MessageGraph[],
  batchLinksMax: number,
): { readonly layout: Layout; readonly write: (memory: ArrayBufferLike, start: RgcnParameters) => void } {
  const { entities, relations, bases } = shape;
  const d = padded(shape.dimensions);
  const k = (1 + bases) * d;
  let bytes = 0;
  const take = (length: number): At => {
    const at = bytes;
    bytes += FLOAT_BYTES * padded(length);
    return at;
  };
  const perSlice = (length: number): At[] => Array.from({ length: SLICES }, () => take(length));
  const perLayer = (length: number): At[] => [take(length), take(length)];

  const relationRow = padded(relationFloats(shape.decoder, shape.dimensions));
  const sizes = { ...parameterSizes({ ...shape, dimensions: d }), decoder: relations * relationRow };
  const values = bytes;
  const parameters = Object.fromEntries(
    PARAMETER_ORDER.map((name) => [name, take(sizes[name])]),
  ) as ParameterLayout;
  const floats = (bytes - values) / FLOAT_BYTES;
  const inputFloats = padded(sizes.input);
  const indexes = graphs.map((graph) => indexMessages(graph, entities, relations));
  const pairsMax = Math.max(...indexes.map(({ pairs }) => pairs));
  const arrays: (readonly [At, Int32Array])[] = [];
  const put = (array: Int32Array): At => {
    const at = take(array.length);
    arrays.push([at, array]);
    return at;
  };
  const sliceGradients = perSlice(floats - inputFloats);
  const { hasPhases } = DECODERS[shape.decoder];
  const layout = {
    shape,
    d,
    k,
    parameters,
    floats,
    inputFloats,
    values,
    gradients: take(floats),
    first: take(floats),
    second: take(floats),
    sliceGradients,
    sliceOutputGradients: perSlice(entities * d),
    vectors: hasPhases ? take(relations * d) : parameters.decoder,
    sliceVectorGradients: hasPhases
      ? perSlice(relations * d)
      : sliceGradients.map((at) => at + parameters.decoder - values - FLOAT_BYTES * inputFloats),
    relationFloats: relationRow,
    hidden: take(entities * d),
    output: take(entities * d),
    hiddenGradient: take(entities * d),
    x: perLayer(entities * k),
    means: perLayer(pairsMax * d),
    transposed: perLayer(d * k),
    batch: {
      from: take(batchLinksMax),
      relation: take(batchLinksMax),
      to: take(batchLinksMax),
      label: take(batchLinksMax),
      weight: take(batchLinksMax),
    },
    graphs: indexes.map((index) => ({
      pairStarts: put(index.pairStarts),
      messages: put(index.messages),
      starts: put(index.starts),
      neighbours: put(index.neighbours),
      sourceStarts: put(index.sourceStarts),
      sourcePairs: put(index.sourcePairs),
      bounds: boundsOf(index, entities),
    })),
  };
  const write = (memory: ArrayBufferLike, start: RgcnParameters): void => {
    for (const [at, array] of arrays) new Int32Array(memory, at, array.length).set(array);
    for (const name of PARAMETER_NAMES) {
      for (const [place, row] of rowsOf(memory, parameters[name], start[name], rowShape(shape, name)))
        place.set(row);
    }
  };
  return { layout: { ...layout, bytes }, write };
}

/** Reads a parameter, without what it was padded with. */
export function readParameter(
  memory: ArrayBufferLike,
  layout: Layout,
  name: keyof RgcnParameters,
): Float32Array {
  const parameter = new Float32Array(parameterSizes(layout.shape)[name]);
  for (const [padded, plain] of rowsOf(
    memory,
    layout.parameters[name],
    parameter,
    rowShape(layout.shape, name),
  ))
    plain.set(padded);
  return parameter;
}

/** Reads entities x dimensions. */
export function readEmbeddings(memory: ArrayBufferLike, at: At, { shape }: Layout): Float32Array {
  const embeddings = new Float32Array(shape.entities * shape.dimensions);
  for (const [padded, plain] of rowsOf(memory, at, embeddings, rowShape(shape, "input"))) plain.set(padded);
  return embeddings;
}

/** `self` before `basis`: they are one matrix. */
const PARAMETER_ORDER = [
  "input",
  "self1",
  "basis1",
  "coefficients1",
  "bias1",
  "self2",
  "basis2",
  "coefficients2",
  "bias2",
  "decoder",
] as const satisfies readonly (keyof RgcnParameters)[];

function padded(length: number): number {
  return Math.ceil(length / VECTOR) * VECTOR;
}

type RowShape = {
  /** Floats of a row, before padding and after. */
  readonly row: number;
  readonly paddedRow: number;
  /** Rows of a matrix before padding and after, where matrices are padded below as well. */
  readonly rows: number;
  readonly paddedRows: number;
};

function rowShape({ dimensions, weights, bases, decoder }: RgcnShape, name: keyof RgcnParameters): RowShape {
  if (name === "decoder") {
    const row = relationFloats(decoder, dimensions);
    return { row, paddedRow: padded(row), rows: 1, paddedRows: 1 };
  }
  if (name === "coefficients1" || name === "coefficients2") {
    // As long as the others of their relation: nothing is padded but the end.
    return { row: Math.max(1, bases), paddedRow: Math.max(1, bases), rows: 1, paddedRows: 1 };
  }
  const isBasis = weights === "basis" && (name === "basis1" || name === "basis2");
  const isSquare = isBasis || name === "self1" || name === "self2";
  return {
    row: dimensions,
    paddedRow: padded(dimensions),
    rows: isSquare ? dimensions : 1,
    paddedRows: isSquare ? padded(dimensions) : 1,
  };
}

/** Each row where it lies padded, and where it lies plain. */
function* rowsOf(
  memory: ArrayBufferLike,
  at: At,
  plain: Float32Array,
  { row, paddedRow, rows, paddedRows }: RowShape,
): Generator<readonly [Float32Array, Float32Array]> {
  for (let i = 0; i < plain.length / row; i++) {
    const place = Math.floor(i / rows) * paddedRows + (i % rows);
    yield [
      new Float32Array(memory, at + FLOAT_BYTES * paddedRow * place, row),
      plain.subarray(i * row, (i + 1) * row),
    ];
  }
}

function boundsOf({ pairStarts, sourceStarts }: MessageIndex, entities: number): number[] {
  const costUpTo = (entity: number): number =>
    NODE_COST * entity + pairStarts[entity]! + sourceStarts[entity]! / NODE_COST;
  const bounds = [0];
  let entity = 0;
  for (let slice = 1; slice < SLICES; slice++) {
    while (entity < entities && costUpTo(entity) < (costUpTo(entities) * slice) / SLICES) entity++;
    bounds.push(entity);
  }
  return [...bounds, entities];
}

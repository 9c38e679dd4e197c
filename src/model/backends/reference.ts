import type { Decoder } from "../decoders/decoder.ts";
import { DECODERS } from "../decoders/decoders.ts";
import { addPhaseGradients, turn } from "../decoders/phases.ts";
import { PARAMETER_NAMES, parameterSizes, type RgcnParameters, type RgcnShape } from "../rgcn.ts";
import { type Dropout, dropOut, NO_DROPOUT } from "../training/dropout.ts";
import { adamRate, BETA1, BETA2, EPSILON } from "./adam.ts";
import type {
  CreateBackend,
  MessageGraph,
  OptimiserOptions,
  TrainingBackend,
  TrainingBatch,
} from "./backend.ts";
import { indexMessages, type MessageIndex } from "./message-index.ts";
import { packState, unpackState } from "./optimiser-state.ts";
import { addOuter, addProduct, addTransposed } from "./products.ts";

type Numbers = Record<keyof RgcnParameters, Float64Array>;

/** One layer's part of the parameters, of their gradients, or of what the forward pass left behind. */
type LayerNumbers = {
  readonly basis: Float64Array;
  readonly coefficients: Float64Array;
  readonly self: Float64Array;
};

/**
 * The readable back end: typed arrays, gradients derived by hand, double precision throughout. Nothing is allocated in a
 * step. Its time goes into one d x d product a pair and layer forward, and two backward.
 */
export class ReferenceBackend implements TrainingBackend {
  readonly name = "reference";
  readonly #shape: RgcnShape;
  readonly #options: OptimiserOptions;
  readonly #graphs: readonly MessageIndex[];
  /** The one of `#graphs` that the pass at hand runs over. */
  #pairs: MessageIndex;
  readonly #values: Numbers;
  readonly #gradients: Numbers;
  readonly #firstMoments: Numbers;
  readonly #secondMoments: Numbers;
  #steps = 0;

  /** Means of neighbours by pair, of inputs and of hidden activations: pairs x d. */
  readonly #means1: Float64Array;
  readonly #means2: Float64Array;
  /** Matrix of each message relation, and its gradient: 2R x d x d (with diagonal weights 2R x d). */
  readonly #matrices: Float64Array;
  readonly #matrixGradients: Float64Array;
  /** entities x d each. */
  readonly #hidden: Float64Array;
  readonly #output: Float64Array;
  readonly #hiddenGradient: Float64Array;
  readonly #outputGradient: Float64Array;
  readonly #meanGradient: Float64Array;
  readonly #decoder: Decoder;
  /** What the decoder reads of relations, and its gradients: relations x d. Trained themselves, unless phases are. */
  readonly #vectors: Float64Array;
  readonly #vectorGradients: Float64Array;

  constructor(
    shape: RgcnShape,
    start: RgcnParameters,
    graphs: readonly MessageGraph[],
    options: OptimiserOptions,
  ) {
    this.#shape = shape;
    this.#options = options;
    this.#graphs = graphs.map((graph) => indexMessages(graph, shape.entities, shape.relations));
    this.#pairs = this.#graphs[0]!;
    const sizes = parameterSizes(shape);
    const numbers = (of: (name: keyof RgcnParameters) => Float64Array): Numbers =>
      Object.fromEntries(PARAMETER_NAMES.map((name) => [name, of(name)])) as Numbers;
    const zeros = (): Numbers => numbers((name) => new Float64Array(sizes[name]));
    this.#values = numbers((name) => Float64Array.from(start[name]));
    this.#gradients = zeros();
    this.#firstMoments = zeros();
    this.#secondMoments = zeros();
    const { entities, dimensions: d, relations } = shape;
    const pairsMax = Math.max(...this.#graphs.map(({ pairs }) => pairs));
    this.#means1 = new Float64Array(pairsMax * d);
    this.#means2 = new Float64Array(pairsMax * d);
    const matrixSize = 2 * relations * d * (shape.weights === "basis" ? d : 1);
    this.#matrices = new Float64Array(matrixSize);
    this.#matrixGradients = new Float64Array(matrixSize);
    this.#hidden = new Float64Array(entities * d);
    this.#output = new Float64Array(entities * d);
    this.#hiddenGradient = new Float64Array(entities * d);
    this.#outputGradient = new Float64Array(entities * d);
    this.#meanGradient = new Float64Array(d);
    this.#decoder = DECODERS[shape.decoder];
    const { hasPhases } = this.#decoder;
    this.#vectors = hasPhases ? new Float64Array(relations * d) : this.#values.decoder;
    this.#vectorGradients = hasPhases ? new Float64Array(relations * d) : this.#gradients.decoder;
  }

  step(batch: TrainingBatch, graph: number): number {
    const { loss } = this.lossAndGradients(batch, graph);
    this.#adam();
    return loss;
  }

  /** Loss with the current parameters and its gradient by each of them; public so that tests can hold them to account. */
  lossAndGradients(
    batch: TrainingBatch,
    graph: number,
  ): { readonly loss: number; readonly gradients: Readonly<Numbers> } {
    this.#pairs = this.#graphs[graph]!;
    this.#run(this.#options.dropout);
    for (const name of PARAMETER_NAMES) this.#gradients[name].fill(0);
    const loss = this.#decode(batch);
    this.#backward();
    return { loss, gradients: this.#gradients };
  }

  /** The parameters themselves, not a copy: for finite differences. */
  get values(): Readonly<Numbers> {
    return this.#values;
  }

  forward(): { readonly hidden: Float32Array; readonly output: Float32Array } {
    this.#pairs = this.#graphs[0]!;
    this.#run(NO_DROPOUT);
    return { hidden: Float32Array.from(this.#hidden), output: Float32Array.from(this.#output) };
  }

  parameters(): RgcnParameters {
    return Object.fromEntries(
      PARAMETER_NAMES.map((name) => [name, Float32Array.from(this.#values[name])]),
    ) as RgcnParameters;
  }

  state(): Uint8Array {
    return packState(this.#steps, this.#trained);
  }

  resume(state: Uint8Array): void {
    this.#steps = unpackState(state, this.#trained);
  }

  get #trained(): Float64Array[] {
    return [this.#values, this.#firstMoments, this.#secondMoments].flatMap((numbers) =>
      PARAMETER_NAMES.map((name) => numbers[name]),
    );
  }

  close(): void {}

  #run(dropout: Dropout): void {
    const { input, bias1, bias2 } = this.#values;
    this.#layer(input, this.#layerOf(this.#values, 1), bias1, this.#means1, this.#hidden);
    const hidden = this.#hidden;
    for (let i = 0; i < hidden.length; i++) if (hidden[i]! < 0) hidden[i] = 0;
    if (dropout.rate > 0) dropOut(hidden, dropout, this.#steps + 1, 1);
    this.#layer(hidden, this.#layerOf(this.#values, 2), bias2, this.#means2, this.#output);
    if (dropout.rate > 0) dropOut(this.#output, dropout, this.#steps + 1, 2);
  }

  #layerOf(numbers: Numbers, layer: 1 | 2): LayerNumbers {
    return layer === 1
      ? { basis: numbers.basis1, coefficients: numbers.coefficients1, self: numbers.self1 }
      : { basis: numbers.basis2, coefficients: numbers.coefficients2, self: numbers.self2 };
  }

  /** out_i = bias + in_i S + sum over the pairs p of i of mean_p W_message(p) */
  #layer(
    rows: Float64Array,
    layer: LayerNumbers,
    bias: Float64Array,
    means: Float64Array,
    out: Float64Array,
  ): void {
    const { entities, dimensions: d, weights } = this.#shape;
    const { pairs, destinations, messages, starts, neighbours } = this.#pairs;
    this.#expandMatrices(layer);
    for (let i = 0; i < entities; i++) {
      for (let k = 0; k < d; k++) out[i * d + k] = bias[k]!;
      addProduct(rows, i * d, layer.self, 0, out, i * d, d);
    }
    for (let p = 0; p < pairs; p++) {
      const mean = p * d;
      means.fill(0, mean, mean + d);
      const begin = starts[p]!;
      const end = starts[p + 1]!;
      for (let n = begin; n < end; n++) {
        const row = neighbours[n]! * d;
        for (let k = 0; k < d; k++) means[mean + k]! += rows[row + k]!;
      }
      const share = 1 / (end - begin);
      for (let k = 0; k < d; k++) means[mean + k]! *= share;
      const to = destinations[p]! * d;
      if (weights === "basis") {
        addProduct(means, mean, this.#matrices, messages[p]! * d * d, out, to, d);
      } else {
        const diagonal = messages[p]! * d;
        for (let k = 0; k < d; k++) out[to + k]! += means[mean + k]! * this.#matrices[diagonal + k]!;
      }
    }
  }

  /** W_m = sum_b c_mb V_b, or the diagonals as they are. */
  #expandMatrices({ basis, coefficients }: LayerNumbers): void {
    const { dimensions: d, relations, bases, weights } = this.#shape;
    if (weights === "diagonal") {
      this.#matrices.set(basis);
      return;
    }
    const size = d * d;
    this.#matrices.fill(0);
    for (let m = 0; m < 2 * relations; m++) {
      for (let b = 0; b < bases; b++) {
        const c = coefficients[m * bases + b]!;
        for (let x = 0; x < size; x++) this.#matrices[m * size + x]! += c * basis[b * size + x]!;
      }
    }
  }

  /** Loss of the batch; leaves the gradients by output and decoder. */
  #decode({ from, relation, to, label, weight }: TrainingBatch): number {
    const { entities, relations, dimensions: d } = this.#shape;
    const { l2 } = this.#options;
    const decoder = this.#decoder;
    const z = this.#output;
    const dz = this.#outputGradient;
    const trained = this.#values.decoder;
    const dTrained = this.#gradients.decoder;
    const r = this.#vectors;
    const dr = this.#vectorGradients;
    const n = from.length;
    let squares = 0;
    for (let i = 0; i < z.length; i++) {
      squares += z[i]! * z[i]!;
      dz[i] = (2 * l2 * z[i]!) / (entities * d);
    }
    let loss = (l2 * squares) / (entities * d);
    if (decoder.hasPhases) {
      turn(trained, 0, r, 0, trained.length);
      dr.fill(0);
    } else {
      squares = 0;
      for (let i = 0; i < r.length; i++) {
        squares += r[i]! * r[i]!;
        dr[i] = (2 * l2 * r[i]!) / (relations * d);
      }
      loss += (l2 * squares) / (relations * d);
    }
    for (let e = 0; e < n; e++) {
      const s = from[e]! * d;
      const t = to[e]! * d;
      const q = relation[e]! * d;
      const logit = decoder.score(z, s, r, q, z, t, d);
      const share = weight[e]! / n;
      // softplus(-logit) for a true link, softplus(logit) for a fake, without overflow.
      loss += share * (Math.max(logit, 0) - logit * label[e]! + Math.log1p(Math.exp(-Math.abs(logit))));
      const slope = share * (1 / (1 + Math.exp(-logit)) - label[e]!);
      decoder.addGradients(slope, z, s, r, q, t, d, dz, dr);
    }
    if (decoder.hasPhases) addPhaseGradients(r, 0, dr, 0, dTrained, 0, trained.length);
    return loss;
  }

  #backward(): void {
    const hidden = this.#hidden;
    const dh = this.#hiddenGradient;
    const { dropout } = this.#options;
    if (dropout.rate > 0) dropOut(this.#outputGradient, dropout, this.#steps + 1, 2);
    this.#layerBackward(2, hidden, this.#means2, this.#outputGradient, this.#gradients.bias2, dh);
    if (dropout.rate > 0) dropOut(dh, dropout, this.#steps + 1, 1);
    for (let i = 0; i < dh.length; i++) if (hidden[i] === 0) dh[i] = 0;
    const { input, bias1 } = this.#gradients;
    this.#layerBackward(1, this.#values.input, this.#means1, dh, bias1, input);
  }

  /** Gradients of one layer: by its weights, and by its input rows into `dRows` (which is overwritten). */
  #layerBackward(
    layer: 1 | 2,
    rows: Float64Array,
    means: Float64Array,
    dOut: Float64Array,
    dBias: Float64Array,
    dRows: Float64Array,
  ): void {
    const { entities, dimensions: d, weights } = this.#shape;
    const { pairs, destinations, messages, starts, neighbours } = this.#pairs;
    const values = this.#layerOf(this.#values, layer);
    const gradients = this.#layerOf(this.#gradients, layer);
    this.#expandMatrices(values);
    this.#matrixGradients.fill(0);
    dRows.fill(0);
    for (let i = 0; i < entities; i++) {
      for (let k = 0; k < d; k++) dBias[k]! += dOut[i * d + k]!;
      addOuter(rows, i * d, dOut, i * d, gradients.self, 0, d);
      addTransposed(dOut, i * d, values.self, 0, dRows, i * d, d);
    }
    const dMean = this.#meanGradient;
    for (let p = 0; p < pairs; p++) {
      const to = destinations[p]! * d;
      const mean = p * d;
      dMean.fill(0);
      if (weights === "basis") {
        const matrix = messages[p]! * d * d;
        addOuter(means, mean, dOut, to, this.#matrixGradients, matrix, d);
        addTransposed(dOut, to, this.#matrices, matrix, dMean, 0, d);
      } else {
        const diagonal = messages[p]! * d;
        for (let k = 0; k < d; k++) {
          this.#matrixGradients[diagonal + k]! += means[mean + k]! * dOut[to + k]!;
          dMean[k] = dOut[to + k]! * this.#matrices[diagonal + k]!;
        }
      }
      const begin = starts[p]!;
      const end = starts[p + 1]!;
      const share = 1 / (end - begin);
      for (let n = begin; n < end; n++) {
        const row = neighbours[n]! * d;
        for (let k = 0; k < d; k++) dRows[row + k]! += share * dMean[k]!;
      }
    }
    this.#collectMatrixGradients(values, gradients);
  }

  #collectMatrixGradients(values: LayerNumbers, gradients: LayerNumbers): void {
    const { dimensions: d, relations, bases, weights } = this.#shape;
    if (weights === "diagonal") {
      gradients.basis.set(this.#matrixGradients);
      return;
    }
    const size = d * d;
    for (let m = 0; m < 2 * relations; m++) {
      for (let b = 0; b < bases; b++) {
        const c = values.coefficients[m * bases + b]!;
        let dc = 0;
        for (let x = 0; x < size; x++) {
          const g = this.#matrixGradients[m * size + x]!;
          dc += g * values.basis[b * size + x]!;
          gradients.basis[b * size + x]! += c * g;
        }
        gradients.coefficients[m * bases + b]! += dc;
      }
    }
  }

  #adam(): void {
    const { learningRate, clipNorm } = this.#options;
    let squares = 0;
    for (const name of PARAMETER_NAMES) for (const g of this.#gradients[name]) squares += g * g;
    const norm = Math.sqrt(squares);
    const scale = norm > clipNorm ? clipNorm / norm : 1;
    this.#steps++;
    const rate = adamRate(learningRate, this.#steps);
    for (const name of PARAMETER_NAMES) {
      const values = this.#values[name];
      const gradients = this.#gradients[name];
      const first = this.#firstMoments[name];
      const second = this.#secondMoments[name];
      for (let i = 0; i < values.length; i++) {
        const g = gradients[i]! * scale;
        first[i] = BETA1 * first[i]! + (1 - BETA1) * g;
        second[i] = BETA2 * second[i]! + (1 - BETA2) * g * g;
        values[i]! -= (rate * first[i]!) / (Math.sqrt(second[i]!) + EPSILON);
      }
    }
  }
}

export const createReferenceBackend: CreateBackend = (shape, start, graphs, options) =>
  new ReferenceBackend(shape, start, graphs, options);

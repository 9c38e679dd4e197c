import { DECODERS } from "../../decoders/decoders.ts";
import { addPhaseGradients, turn } from "../../decoders/phases.ts";
import { dropoutKey, dropoutThreshold } from "../../training/dropout.ts";
import { adamRate } from "../adam.ts";
import type { OptimiserOptions } from "../backend.ts";
import { type Decode, decodeOf, instantiate, type Kernels } from "./kernels.ts";
import { type Layout, SLICES } from "./layout.ts";
import type { ThreadBarrier } from "./thread-barrier.ts";

const FLOAT_BYTES = 4;

/** What the threads of a back end tell each other, in shared memory. */
export type SharedSums = {
  /** By slice: loss; squares of the outputs; squares of the gradients. */
  readonly loss: Float64Array;
  readonly outputSquares: Float64Array;
  readonly gradientSquares: Float64Array;
};

export type KernelPassOptions = {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly layout: Layout;
  readonly sums: SharedSums;
  readonly optimiser: OptimiserOptions;
  /** Which of how many threads this is: it works on the slices `thread`, `thread + threads`, ... */
  readonly thread: number;
  readonly threads: number;
  readonly barrier: ThreadBarrier;
};

/** One thread's part of a step: all of them go through the same phases, and wait for each other after each. */
export class KernelPass {
  readonly #kernels: Kernels;
  readonly #decode: Decode;
  readonly #bytes: Uint8Array;
  readonly #floats: Float32Array;
  readonly #options: KernelPassOptions;
  readonly #layout: Layout;

  constructor(options: KernelPassOptions) {
    this.#options = options;
    this.#layout = options.layout;
    this.#kernels = instantiate(options.module, options.memory);
    this.#decode = decodeOf(this.#kernels, options.layout.shape.decoder);
    this.#bytes = new Uint8Array(options.memory.buffer);
    this.#floats = new Float32Array(options.memory.buffer);
  }

  /**
   * One forward and backward pass over a message graph and one step of Adam.
   *
   * @param links in the batch
   * @param step counts from 1
   * @returns the loss before it
   */
  step(graph: number, links: number, step: number): number {
    const { layout } = this.#options;
    const { sums, optimiser, thread } = this.#options;
    const { shape, d, parameters, floats, inputFloats, output, hidden } = layout;
    const { entities, relations, dimensions } = shape;
    const kernels = this.#kernels;
    const [outputGradient, ...otherOutputGradients] = layout.sliceOutputGradients as [number, ...number[]];
    const { bounds } = layout.graphs[graph]!;
    const { hasPhases, margin } = DECODERS[shape.decoder];

    if (thread === 0) {
      if (hasPhases) this.#turnPhases();
      for (const layer of [0, 1] as const)
        kernels.transpose(this.#selfOf(layer), layout.k, d, layout.transposed[layer]!);
    }
    this.#forward(graph, step);
    this.#phase((slice) => {
      const dz = layout.sliceOutputGradients[slice]!;
      this.#clear(dz, entities * d);
      this.#clear(layout.sliceGradients[slice]!, floats - inputFloats);
      if (hasPhases) this.#clear(layout.sliceVectorGradients[slice]!, relations * d);
      const { from, relation, to, label, weight } = layout.batch;
      sums.loss[slice] = this.#decode(
        output,
        layout.vectors,
        d,
        margin(dimensions),
        from,
        relation,
        to,
        label,
        weight,
        links,
        dz,
        layout.sliceVectorGradients[slice]!,
        Math.floor((links * slice) / SLICES),
        Math.floor((links * (slice + 1)) / SLICES),
      );
      sums.outputSquares[slice] = kernels.squares(output, bounds[slice]! * d, bounds[slice + 1]! * d);
    });
    const outputL2 = optimiser.l2 / (entities * dimensions);
    // Of a phase nothing is too large.
    const decoderL2 = hasPhases ? 0 : optimiser.l2 / (relations * dimensions);
    const decoderSquares = kernels.squares(layout.vectors, 0, relations * d);
    this.#phase((slice) => {
      const begin = bounds[slice]! * d;
      const end = bounds[slice + 1]! * d;
      for (const other of otherOutputGradients) kernels.addScaled(other, 1, outputGradient, begin, end);
      kernels.addScaled(output, 2 * outputL2, outputGradient, begin, end);
      this.#dropOut(2, outputGradient, graph, slice, step);
      if (slice === 0) {
        const [vectorGradients] = layout.sliceVectorGradients as [number, ...number[]];
        if (hasPhases) this.#addPhaseGradients();
        else kernels.addScaled(layout.vectors, 2 * decoderL2, vectorGradients, 0, relations * d);
      }
      this.#layerBackward(1, graph, slice, hidden, outputGradient);
    });
    this.#phase((slice) => {
      const { hiddenGradient } = layout;
      this.#scatter(1, graph, slice, hiddenGradient);
      kernels.reluBackward(hidden, hiddenGradient, bounds[slice]! * d, bounds[slice + 1]! * d);
      this.#dropOut(1, hiddenGradient, graph, slice, step);
      this.#layerBackward(0, graph, slice, parameters.input, hiddenGradient);
    });
    const ranges = (slice: number): readonly (readonly [number, number])[] => [
      [bounds[slice]! * d, bounds[slice + 1]! * d],
      [smallBound(layout, slice), smallBound(layout, slice + 1)],
    ];
    this.#phase((slice) => {
      this.#scatter(0, graph, slice, layout.gradients);
      const [input, [begin, end]] = ranges(slice) as [readonly [number, number], readonly [number, number]];
      this.#clear(layout.gradients + FLOAT_BYTES * begin, end - begin);
      for (const gradients of layout.sliceGradients)
        kernels.addScaled(gradients - FLOAT_BYTES * inputFloats, 1, layout.gradients, begin, end);
      sums.gradientSquares[slice] =
        kernels.squares(layout.gradients, ...input) + kernels.squares(layout.gradients, begin, end);
    });
    const norm = Math.sqrt(sumOf(sums.gradientSquares));
    const clip = norm > optimiser.clipNorm ? optimiser.clipNorm / norm : 1;
    const rate = adamRate(optimiser.learningRate, step);
    this.#phase((slice) => {
      for (const [begin, end] of ranges(slice)) {
        const { values, gradients, first, second } = layout;
        kernels.adam(values, gradients, first, second, clip, rate, begin, end);
      }
    });
    return sumOf(sums.loss) + outputL2 * sumOf(sums.outputSquares) + decoderL2 * decoderSquares;
  }

  /** Leaves hidden activations and outputs over message graph 0. */
  forward(): void {
    this.#forward(0);
  }

  /** @param step whose dropout there is; none without */
  #forward(graph: number, step?: number): void {
    const { parameters, hidden, output, d, graphs } = this.#layout;
    const { bounds } = graphs[graph]!;
    this.#phase((slice) => {
      this.#layer(0, graph, slice, parameters.input, hidden);
      this.#kernels.relu(hidden, bounds[slice]! * d, bounds[slice + 1]! * d);
      if (step !== undefined) this.#dropOut(1, hidden, graph, slice, step);
    });
    this.#phase((slice) => {
      this.#layer(1, graph, slice, hidden, output);
      if (step !== undefined) this.#dropOut(2, output, graph, slice, step);
    });
  }

  /** Drops what a layer gave, or the gradients by it. */
  #dropOut(layer: 1 | 2, rows: number, graph: number, slice: number, step: number): void {
    const { dropout } = this.#options.optimiser;
    if (dropout.rate === 0) return;
    const { d, shape, graphs } = this.#layout;
    const { bounds } = graphs[graph]!;
    this.#kernels.dropOut(
      rows,
      d,
      shape.dimensions,
      dropoutKey(dropout, step, layer),
      dropoutThreshold(dropout),
      1 / (1 - dropout.rate),
      bounds[slice]!,
      bounds[slice + 1]!,
    );
  }

  #turnPhases(): void {
    const { shape, d, parameters, vectors, relationFloats } = this.#layout;
    const floats = this.#floats;
    const [from, to] = [parameters.decoder / FLOAT_BYTES, vectors / FLOAT_BYTES];
    for (let r = 0; r < shape.relations; r++)
      turn(floats, from + r * relationFloats, floats, to + r * d, shape.dimensions / 2);
  }

  /** Of all slices, to the gradients of the first. */
  #addPhaseGradients(): void {
    const { shape, d, vectors, sliceVectorGradients, relationFloats } = this.#layout;
    const [sum, ...others] = sliceVectorGradients as [number, ...number[]];
    for (const other of others) this.#kernels.addScaled(other, 1, sum, 0, shape.relations * d);
    const floats = this.#floats;
    const [at, dAt] = [vectors / FLOAT_BYTES, sum / FLOAT_BYTES];
    const to = this.#gradientOf("decoder", 0) / FLOAT_BYTES;
    for (let r = 0; r < shape.relations; r++)
      addPhaseGradients(
        floats,
        at + r * d,
        floats,
        dAt + r * d,
        floats,
        to + r * relationFloats,
        shape.dimensions / 2,
      );
  }

  #layer(layer: 0 | 1, graph: number, slice: number, rows: number, out: number): void {
    const { shape, d, k, parameters, x, means, graphs } = this.#layout;
    const { pairStarts, messages, starts, neighbours, bounds } = graphs[graph]!;
    const range = [bounds[slice]!, bounds[slice + 1]!] as const;
    const kernels = this.#kernels;
    kernels.setRows(layer === 0 ? parameters.bias1 : parameters.bias2, d, out, ...range);
    if (shape.weights === "basis") {
      const coefficients = layer === 0 ? parameters.coefficients1 : parameters.coefficients2;
      const index = [pairStarts, messages, starts, neighbours] as const;
      kernels.gather(rows, d, shape.bases, ...index, coefficients, means[layer]!, x[layer]!, ...range);
      kernels.multiply(x[layer]!, k, this.#selfOf(layer), d, out, ...range);
    } else {
      const diagonals = layer === 0 ? parameters.basis1 : parameters.basis2;
      kernels.multiply(rows, d, this.#selfOf(layer), d, out, ...range);
      const index = [pairStarts, messages, starts, neighbours] as const;
      kernels.gatherDiagonal(rows, d, ...index, diagonals, means[layer]!, out, ...range);
    }
  }

  /** Gradients of one layer by its weights; of what it read, `x` and `means` hold what `#scatter` adds up. */
  #layerBackward(layer: 0 | 1, graph: number, slice: number, rows: number, dOut: number): void {
    const { shape, d, k, parameters, x, means, transposed, graphs } = this.#layout;
    const { pairStarts, messages, starts, bounds } = graphs[graph]!;
    const range = [bounds[slice]!, bounds[slice + 1]!] as const;
    const kernels = this.#kernels;
    const isBasis = shape.weights === "basis";
    const dx = x[layer]!;
    kernels.addRows(dOut, d, this.#gradientOf(layer === 0 ? "bias1" : "bias2", slice), ...range);
    const dSelf = this.#gradientOf(layer === 0 ? "self1" : "self2", slice);
    kernels.addOuter(isBasis ? dx : rows, k, dOut, d, dSelf, ...range);
    this.#clear(dx + FLOAT_BYTES * k * range[0], k * (range[1] - range[0]));
    kernels.multiply(dOut, d, transposed[layer]!, k, dx, ...range);
    const index = [pairStarts, messages, starts] as const;
    if (isBasis) {
      const name = layer === 0 ? "coefficients1" : "coefficients2";
      const gradients = this.#gradientOf(name, slice);
      kernels.gatherBackward(
        d,
        shape.bases,
        ...index,
        parameters[name],
        means[layer]!,
        dx,
        gradients,
        ...range,
      );
    } else {
      const name = layer === 0 ? "basis1" : "basis2";
      const gradients = this.#gradientOf(name, slice);
      kernels.gatherDiagonalBackward(d, ...index, parameters[name], means[layer]!, dOut, gradients, ...range);
    }
  }

  #scatter(layer: 0 | 1, graph: number, slice: number, out: number): void {
    const { d, k, x, means, graphs } = this.#layout;
    const { sourceStarts, sourcePairs, bounds } = graphs[graph]!;
    this.#kernels.scatter(
      x[layer]!,
      k,
      d,
      sourceStarts,
      sourcePairs,
      means[layer]!,
      out,
      bounds[slice]!,
      bounds[slice + 1]!,
    );
  }

  #selfOf(layer: 0 | 1): number {
    const { parameters } = this.#layout;
    return layer === 0 ? parameters.self1 : parameters.self2;
  }

  /** A slice's gradients by a parameter that comes after the input embeddings. */
  #gradientOf(name: Exclude<keyof Layout["parameters"], "input">, slice: number): number {
    const { parameters, values, inputFloats, sliceGradients } = this.#layout;
    return sliceGradients[slice]! + parameters[name] - values - FLOAT_BYTES * inputFloats;
  }

  #clear(at: number, floats: number): void {
    this.#bytes.fill(0, at, at + FLOAT_BYTES * floats);
  }

  #phase(work: (slice: number) => void): void {
    const { thread, threads, barrier } = this.#options;
    for (let slice = thread; slice < SLICES; slice += threads) work(slice);
    barrier.wait();
  }
}

/** Where a slice of what comes after the input embeddings begins, as a float of the flat arrays; vectors stay whole. */
function smallBound({ floats, inputFloats }: Layout, slice: number): number {
  const vectors = (floats - inputFloats) / 4;
  return inputFloats + 4 * Math.floor((vectors * slice) / SLICES);
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

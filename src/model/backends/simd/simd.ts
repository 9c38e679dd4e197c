import { Buffer } from "node:buffer";
import { Worker } from "node:worker_threads";
import { OddlinkError } from "../../../errors.ts";
import { PARAMETER_NAMES, type RgcnParameters, type RgcnShape } from "../../rgcn.ts";
import type {
  BackendOptions,
  CreateBackend,
  MessageGraph,
  TrainingBackend,
  TrainingBatch,
} from "../backend.ts";
import { packState, unpackState } from "../optimiser-state.ts";
import { FORWARD, type KernelThreadData, STEP, STOP } from "./commands.ts";
import { COMPILED_KERNELS } from "./compiled-kernels.ts";
import { KernelPass, type KernelPassOptions, type SharedSums } from "./kernel-pass.ts";
import { type Layout, layOut, readEmbeddings, readParameter, SLICES } from "./layout.ts";
import { ThreadBarrier } from "./thread-barrier.ts";

/** Type stripping runs the sources, the build runs what was compiled beside this file. */
const THREAD = new URL(`./kernel-thread.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);
const PAGE_BYTES = 65_536;
/** What 32-bit addresses reach. */
const MEMORY_BYTES_MAX = 2 ** 32 - PAGE_BYTES;
/** A thread that has not come after that is not coming: to its start, and to the end of a phase. */
const START_MS_MAX = 30_000;
const PHASE_MS_MAX = 120_000;

/**
 * The fast back end: kernels in WebAssembly with SIMD, over one block of shared memory in which all threads work. Nothing is
 * allocated in a step. Single precision; where the processor has fused multiply-add it is used, so that last digits may differ
 * between kinds of processors.
 */
export class SimdBackend implements TrainingBackend {
  readonly name = "simd";
  readonly #layout: Layout;
  readonly #memory: WebAssembly.Memory;
  readonly #pass: KernelPass;
  readonly #barrier: ThreadBarrier;
  readonly #command: Int32Array;
  readonly #workers: Worker[] = [];
  readonly #batchLinksMax: number;
  #steps = 0;

  /**
   * @throws {OddlinkError} TRAINING_FAILED if it does not fit into memory, or a thread does not start
   */
  constructor(
    shape: RgcnShape,
    start: RgcnParameters,
    graphs: readonly MessageGraph[],
    { batchLinksMax, threads: wanted, ...optimiser }: BackendOptions,
  ) {
    const threads = Math.max(1, Math.min(SLICES, wanted));
    const { layout, write } = layOut(shape, graphs, batchLinksMax);
    this.#layout = layout;
    this.#batchLinksMax = batchLinksMax;
    this.#memory = memoryOf(layout.bytes);
    write(this.#memory.buffer, start);
    const words = new Int32Array(new SharedArrayBuffer(8));
    this.#command = new Int32Array(new SharedArrayBuffer(16));
    const sums: SharedSums = {
      loss: new Float64Array(new SharedArrayBuffer(8 * SLICES)),
      outputSquares: new Float64Array(new SharedArrayBuffer(8 * SLICES)),
      gradientSquares: new Float64Array(new SharedArrayBuffer(8 * SLICES)),
    };
    this.#barrier = new ThreadBarrier(words, threads, PHASE_MS_MAX);
    const shared = {
      module: new WebAssembly.Module(Buffer.from(COMPILED_KERNELS, "base64")),
      memory: this.#memory,
      layout,
      sums,
      optimiser,
      threads,
    } satisfies Partial<KernelPassOptions>;
    for (let thread = 1; thread < threads; thread++) {
      const data: KernelThreadData = {
        ...shared,
        thread,
        words,
        command: this.#command,
        phaseMsMax: PHASE_MS_MAX,
      };
      const worker = new Worker(THREAD, { workerData: data });
      // What it can't do shows at the barrier.
      worker.on("error", () => {});
      worker.unref();
      this.#workers.push(worker);
    }
    this.#pass = new KernelPass({ ...shared, thread: 0, barrier: this.#barrier });
    this.#meet(START_MS_MAX);
  }

  step(batch: TrainingBatch, graph: number): number {
    const links = batch.from.length;
    if (links > this.#batchLinksMax)
      throw new Error(`a batch of ${links} links, there is room for ${this.#batchLinksMax}`);
    const { buffer } = this.#memory;
    const { from, relation, to, label, weight } = this.#layout.batch;
    new Int32Array(buffer, from, links).set(batch.from);
    new Int32Array(buffer, relation, links).set(batch.relation);
    new Int32Array(buffer, to, links).set(batch.to);
    new Float32Array(buffer, label, links).set(batch.label);
    new Float32Array(buffer, weight, links).set(batch.weight);
    this.#steps++;
    this.#command.set([STEP, graph, links, this.#steps]);
    this.#meet();
    return this.#pass.step(graph, links, this.#steps);
  }

  forward(): { readonly hidden: Float32Array; readonly output: Float32Array } {
    this.#command.set([FORWARD, 0, 0, 0]);
    this.#meet();
    this.#pass.forward();
    const { hidden, output } = this.#layout;
    return {
      hidden: readEmbeddings(this.#memory.buffer, hidden, this.#layout),
      output: readEmbeddings(this.#memory.buffer, output, this.#layout),
    };
  }

  parameters(): RgcnParameters {
    return Object.fromEntries(
      PARAMETER_NAMES.map((name) => [name, readParameter(this.#memory.buffer, this.#layout, name)]),
    ) as RgcnParameters;
  }

  state(): Uint8Array {
    return packState(this.#steps, this.#trained);
  }

  resume(state: Uint8Array): void {
    this.#steps = unpackState(state, this.#trained);
  }

  get #trained(): Float32Array[] {
    const { values, first, second, floats } = this.#layout;
    return [values, first, second].map((at) => new Float32Array(this.#memory.buffer, at, floats));
  }

  close(): void {
    this.#command.set([STOP, 0, 0, 0]);
    this.#meet();
    for (const worker of this.#workers.splice(0)) void worker.terminate();
  }

  /** Lets the other threads read the command. */
  #meet(msMax?: number): void {
    try {
      this.#barrier.wait(msMax);
    } catch (error) {
      for (const worker of this.#workers.splice(0)) void worker.terminate();
      throw new OddlinkError("TRAINING_FAILED", (error as Error).message, { cause: error });
    }
  }
}

export const createSimdBackend: CreateBackend = (shape, start, graphs, options) =>
  new SimdBackend(shape, start, graphs, options);

/** @throws {OddlinkError} TRAINING_FAILED */
function memoryOf(bytes: number): WebAssembly.Memory {
  const mib = Math.ceil(bytes / 2 ** 20);
  const advice = "a shorter window.days, fewer links or smaller training.dimensions need less";
  if (bytes > MEMORY_BYTES_MAX) {
    throw new OddlinkError(
      "TRAINING_FAILED",
      `this graph needs ${mib} MiB to train on, and the back end simd can address 4,095; ${advice}`,
    );
  }
  const pages = Math.ceil(bytes / PAGE_BYTES);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (error) {
    throw new OddlinkError(
      "TRAINING_FAILED",
      `there is no memory for the ${mib} MiB that training on this graph takes; ${advice}`,
      { cause: error },
    );
  }
}

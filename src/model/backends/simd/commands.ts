import type { KernelPassOptions } from "./kernel-pass.ts";

/** What the threads of a back end are told to do, each with a graph, a number of links and a number of steps. */
export const STEP = 1;
export const FORWARD = 2;
export const STOP = 3;

/** What such a thread is started with. */
export type KernelThreadData = Omit<KernelPassOptions, "barrier"> & {
  /** Those of the barrier. */
  readonly words: Int32Array;
  /** Four words: read after the barrier. */
  readonly command: Int32Array;
  readonly phaseMsMax: number;
};

import type { RgcnParameters } from "../rgcn.ts";

/** What the held-out links said of the parameters after some step. */
export type Measured = {
  readonly step: number;
  readonly loss: number;
  readonly auc: number;
};

/** How far a training has come: all that its next steps and its result depend on. */
export type TrainingState = {
  readonly step: number;
  readonly losses: readonly number[];
  readonly before: Measured;
  readonly best: Measured & {
    readonly parameters: RgcnParameters;
    readonly hidden: Float32Array;
    readonly output: Float32Array;
  };
  /** Name of the back end, and what it keeps. */
  readonly backend: string;
  readonly optimiser: Uint8Array;
};

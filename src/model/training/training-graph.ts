import type { NodeFeature } from "../features/node-features.ts";

/**
 * What a training run sees: the window's links as plain arrays, in a canonical order that does not depend on how or in
 * which order the graph was built. Transferable to a worker thread as it is.
 *
 * Rows are entities of all kinds in one index space; relations are named (link kind, or link kind with the auth and logon
 * type, whichever the configuration asks for).
 */
export type TrainingGraph = {
  /** Number of entities (rows). */
  readonly entityCount: number;
  /** Kind of each row, an index into `kindNames`. */
  readonly entityKind: Uint8Array;
  readonly kindNames: readonly string[];
  /** Distinct relations; `linkRelation` indexes them. */
  readonly relationNames: readonly string[];
  /** Distinct links, sorted by (from, relation, to). */
  readonly linkFrom: Int32Array;
  readonly linkTo: Int32Array;
  readonly linkRelation: Int32Array;
  /** Number of logins each link stands for, at least 1. */
  readonly linkCount: Float64Array;
  /** Of these, those with weak evidence, and those that failed. */
  readonly linkWeak: Float64Array;
  readonly linkFailures: Float64Array;
  /** When each link was first seen, milliseconds since the epoch. */
  readonly linkFirstMs: Float64Array;
  /** When each link was last seen; and the event time up to which the graph goes. */
  readonly linkLastMs: Float64Array;
  readonly watermarkMs: number;
  /** What is told of entities besides their links: messages from the nodes of bins, by a relation that is not trained as a link. */
  readonly features?: {
    readonly bins: readonly NodeFeature[];
    readonly relation: number;
    readonly from: Int32Array;
    readonly to: Int32Array;
  };
};

import type { Config } from "../../config/schema.ts";
import type { Graph } from "../../graph-state/graph.ts";
import type { Epoch } from "../../model/epoch.ts";
import type { TrainingProgress } from "../../model/training/trainer.ts";
import { trainingOptionsSchema } from "../../model/training/training-options.ts";
import { trainingSnapshot } from "../../model/training/training-snapshot.ts";
import { trainInThread } from "./training-thread.ts";

const MS_PER_HOUR = 3_600_000;

export type TrainEpochOptions = {
  /** The epoch in force, from which it goes on with `training.warmStart`, and which it must not be worse than. */
  readonly previous?: Epoch | undefined;
  /** File in which it notes how far it has come, and from which it goes on if it was interrupted. */
  readonly checkpoint?: string | undefined;
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
  readonly onNote?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Trains one epoch on the graph as it stands, and with `training.gate` compares it with the one in force, in a worker thread: never on
 * the event loop. Whether it may be adopted is part of it.
 *
 * @param trainedAtMs event time; part of the epoch, so that a replay gives the same bytes
 */
export async function trainEpoch(
  graph: Graph,
  config: Config,
  number: number,
  trainedAtMs: number,
  { previous, checkpoint, onProgress, onNote, signal }: TrainEpochOptions = {},
): Promise<Epoch> {
  const {
    mode: _mode,
    firstAfterHours: _first,
    everyHours,
    linksMin: _min,
    checkpoint: _checkpoint,
    warmStart,
    gate,
    shadow,
    ...training
  } = config.training;
  const request = {
    number,
    trainedAtMs,
    snapshot: trainingSnapshot(graph),
    options: trainingOptionsSchema.parse({ ...training, seed: config.seed }),
    previous,
    isWarm: warmStart,
    isGated: gate,
    isChallenger: shadow,
    checkpoint:
      checkpoint === undefined ? undefined : { path: checkpoint, ageMsMax: everyHours * MS_PER_HOUR },
  };
  return trainInThread(request, { onProgress, onNote, signal });
}

import type { Config } from "../config/schema.ts";
import type { Graph } from "../graph-state/graph.ts";
import type { Epoch } from "../model/epoch.ts";
import { type TrainingProgress, trainingOptionsSchema } from "../model/training/trainer.ts";
import { trainingSnapshot } from "../model/training/training-snapshot.ts";
import { trainInThread } from "../model/training/training-thread.ts";

/**
 * Trains one epoch on the graph as it stands, and with `training.gate` compares it with the one in force, in a worker thread: never on
 * the event loop. Whether it may be adopted is part of it.
 *
 * @param trainedAtMs event time; part of the epoch, so that a replay gives the same bytes
 * @param previous the epoch in force, from which it goes on with `training.warmStart`, and which it must not be worse than
 */
export async function trainEpoch(
  graph: Graph,
  config: Config,
  number: number,
  trainedAtMs: number,
  onProgress?: (progress: TrainingProgress) => void,
  signal?: AbortSignal,
  previous?: Epoch,
): Promise<Epoch> {
  const {
    mode: _mode,
    firstAfterHours: _first,
    everyHours: _every,
    linksMin: _min,
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
  };
  return trainInThread(request, { onProgress, signal });
}

import type { Config } from "../config/schema.ts";
import type { Graph } from "../graph-state/graph.ts";
import { buildEpoch, type Epoch } from "../model/epoch.ts";
import { type TrainingProgress, trainingOptionsSchema } from "../model/trainer.ts";
import { trainingInput } from "../model/training-input.ts";
import { trainInThread } from "../model/training-thread.ts";
import { startingPoint } from "../model/warm-start.ts";

/**
 * Trains one epoch on the graph as it stands, in a worker thread: never on the event loop.
 *
 * @param trainedAtMs event time; part of the epoch, so that a replay gives the same bytes
 * @param previous the epoch in force, from which it goes on with `training.warmStart`
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
  const input = trainingInput(graph);
  const {
    mode: _mode,
    firstAfterHours: _first,
    everyHours: _every,
    linksMin: _min,
    warmStart,
    ...training
  } = config.training;
  const options = trainingOptionsSchema.parse({ ...training, seed: config.seed });
  const start = warmStart && previous !== undefined ? startingPoint(input, previous) : undefined;
  const model = await trainInThread(input.graph, options, { onProgress, signal, start });
  return buildEpoch({
    number,
    trainedAtMs,
    model,
    graph: input.graph,
    entityNames: input.entityNames,
    options,
    previous,
  });
}

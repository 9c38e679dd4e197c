import type { Config } from "../config/schema.ts";
import type { Graph } from "../graph-state/graph.ts";
import { buildEpoch, type Epoch } from "../model/epoch.ts";
import type { TrainingProgress } from "../model/trainer.ts";
import { trainingInput } from "../model/training-input.ts";
import { trainInThread } from "../model/training-thread.ts";

/**
 * Trains one epoch on the graph as it stands, in a worker thread: never on the event loop.
 *
 * @param trainedAtMs event time; part of the epoch, so that a replay gives the same bytes
 */
export async function trainEpoch(
  graph: Graph,
  config: Config,
  number: number,
  trainedAtMs: number,
  onProgress?: (progress: TrainingProgress) => void,
  signal?: AbortSignal,
): Promise<Epoch> {
  const input = trainingInput(graph);
  const {
    mode: _mode,
    firstAfterHours: _first,
    everyHours: _every,
    linksMin: _min,
    ...training
  } = config.training;
  const options = { ...training, seed: config.seed };
  const model = await trainInThread(input.graph, options, { onProgress, signal });
  return buildEpoch({
    number,
    trainedAtMs,
    model,
    graph: input.graph,
    entityNames: input.entityNames,
    options,
  });
}

import type { Config } from "../config/schema.ts";
import type { Graph } from "../graph-state/graph.ts";
import { buildEpoch, type Epoch } from "../model/epoch.ts";
import { runningModel } from "../model/gate-models.ts";
import { uncompared } from "../model/gate-verdict.ts";
import { type TrainingProgress, trainingOptionsSchema } from "../model/trainer.ts";
import { trainingInput } from "../model/training-input.ts";
import { trainAndJudgeInThread } from "../model/training-thread.ts";
import { startingPoint } from "../model/warm-start.ts";

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
  const input = trainingInput(graph);
  const {
    mode: _mode,
    firstAfterHours: _first,
    everyHours: _every,
    linksMin: _min,
    warmStart,
    gate: isGated,
    shadow,
    ...training
  } = config.training;
  const options = trainingOptionsSchema.parse({ ...training, seed: config.seed });
  const start = warmStart && previous !== undefined ? startingPoint(input, previous) : undefined;
  const running = isGated && previous !== undefined ? runningModel(input, previous) : undefined;
  const { model, verdict } = await trainAndJudgeInThread(input.graph, options, running, {
    onProgress,
    signal,
    start,
  });
  const isFirst = isGated && previous === undefined;
  const gate = isFirst
    ? uncompared("the first epoch: there is nothing to compare it with", null, 0)
    : verdict;
  return buildEpoch({
    number,
    trainedAtMs,
    model,
    graph: input.graph,
    entityNames: input.entityNames,
    options,
    previous,
    gate,
    // The first has nobody to be in the shadow of.
    isChallenger: shadow && previous !== undefined,
  });
}

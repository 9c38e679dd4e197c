import { buildEpoch, type Epoch } from "../epoch.ts";
import { withFeatures } from "../features/training-features.ts";
import { judge } from "../gate/gate.ts";
import { runningModel } from "../gate/gate-models.ts";
import { type GateVerdict, uncompared } from "../gate/gate-verdict.ts";
import { type GroupedInput, groupRelations } from "../topics/relation-topics.ts";
import { type TrainedModel, type TrainingHooks, train, trainedLinks } from "./trainer.ts";
import { inputOf, type TrainingInput } from "./training-input.ts";
import type { TrainingOptions } from "./training-options.ts";
import type { TrainingSnapshot } from "./training-snapshot.ts";
import { startingPoint } from "./warm-start.ts";

/** All that it takes to train an epoch: plain data, for a thread. */
export type EpochRequest = {
  readonly number: number;
  /** Event time; part of the epoch, so that a replay gives the same bytes. */
  readonly trainedAtMs: number;
  readonly snapshot: TrainingSnapshot;
  readonly options: TrainingOptions;
  /** The epoch in force. */
  readonly previous?: Epoch | undefined;
  /** Whether it goes on from the epoch in force. */
  readonly isWarm?: boolean;
  /** Whether it must not be worse than the epoch in force. */
  readonly isGated?: boolean;
  /** Whether it is to score in the shadow of the epoch in force. */
  readonly isChallenger?: boolean;
};

export type EpochTrainingHooks = Pick<TrainingHooks, "onProgress" | "interrupted" | "onMeasured">;

/** Trains an epoch, and compares it with the one in force. Takes as long as a training does, and no event loop may wait for it. */
export async function trainRequested(request: EpochRequest, hooks: EpochTrainingHooks = {}): Promise<Epoch> {
  const { number, trainedAtMs, options, previous, isWarm = false, isChallenger = false } = request;
  const { input, topics } = preparedInput(request);
  const start = isWarm && previous !== undefined ? startingPoint(input, previous) : undefined;
  const model = await train(input.graph, options, { ...hooks, start });
  const gate = request.isGated === true ? verdictOn(model, input, options, previous) : undefined;
  return buildEpoch({
    number,
    trainedAtMs,
    model,
    ...input,
    topics,
    options,
    previous,
    gate,
    // The first has nobody to be in the shadow of.
    isChallenger: isChallenger && previous !== undefined,
  });
}

/** The window as the options want it seen: types of links grouped into topics, entities with features. */
function preparedInput({ snapshot, options, previous }: EpochRequest): GroupedInput {
  const before = previous?.manifest.topics ?? null;
  const grouped = groupRelations(inputOf(snapshot), options.topics, options.seed, before);
  if (!options.features) return grouped;
  const { graph } = grouped.input;
  return { ...grouped, input: withFeatures(grouped.input, trainedLinks(graph, options.heldOutShare)) };
}

function verdictOn(
  model: TrainedModel,
  input: TrainingInput,
  options: TrainingOptions,
  previous: Epoch | undefined,
): GateVerdict {
  return previous === undefined
    ? uncompared("the first epoch: there is nothing to compare it with", null, 0)
    : judge(input.graph, model, runningModel(input, previous), options);
}

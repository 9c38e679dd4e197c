import { buildEpoch, type Epoch } from "../epoch.ts";
import { withFeatures } from "../features/training-features.ts";
import { judge } from "../gate/gate.ts";
import { runningModel } from "../gate/gate-models.ts";
import { type GateVerdict, uncompared } from "../gate/gate-verdict.ts";
import { type GroupedInput, groupRelations } from "../topics/relation-topics.ts";
import { CheckpointFile, type TrainingState } from "./checkpoint.ts";
import {
  type TrainedModel,
  type TrainingOptions,
  type TrainingProgress,
  train,
  trainedLinks,
} from "./trainer.ts";
import { inputOf, type TrainingInput } from "./training-input.ts";
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
  /** Where it notes how far it has come; an interrupted one goes on from there if its graph is no older than `ageMsMax`, by event time. */
  readonly checkpoint?:
    | { readonly path: string; readonly ageMsMax: number; readonly everyMs?: number }
    | undefined;
};

/**
 * Trains an epoch, and compares it with the one in force. Takes as long as a training does, and no event loop may wait for it.
 *
 * @param onNote what is good to know: that it goes on where it was interrupted, or can't note how far it came
 */
export async function trainRequested(
  asked: EpochRequest,
  onProgress?: (progress: TrainingProgress) => void,
  onNote?: (message: string) => void,
): Promise<Epoch> {
  const file = checkpointOf(asked);
  const saved = file?.read(asked.trainedAtMs - (asked.checkpoint?.ageMsMax ?? 0));
  const request = { ...asked, ...saved };
  const { number, trainedAtMs, options, previous, isWarm = false, isChallenger = false } = request;
  if (saved !== undefined) onNote?.(`the training of epoch ${number} goes on after step ${saved.state.step}`);
  const { input, topics } = preparedInput(request);
  const start = isWarm && previous !== undefined ? startingPoint(input, previous) : undefined;
  const { snapshot } = request;
  let isSaving = file !== undefined;
  const onMeasured = (state: () => TrainingState): void => {
    if (!isSaving || !file!.isDue) return;
    try {
      file!.save({ snapshot, trainedAtMs, state: state() });
    } catch (error) {
      // It is for the worst case alone: no reason to end a training that goes well.
      isSaving = false;
      onNote?.(`how far the training has come can't be noted: ${(error as Error).message}`);
    }
  };
  const model = await train(input.graph, options, {
    onProgress,
    start,
    interrupted: saved?.state,
    onMeasured,
  });
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

function checkpointOf(request: EpochRequest): CheckpointFile | undefined {
  const { checkpoint, number, options, previous, isWarm = false, snapshot } = request;
  if (checkpoint === undefined) return undefined;
  const identity = {
    number,
    options,
    previous: previous?.manifest.digest ?? null,
    isWarm,
    linkKinds: snapshot.linkKinds.map(({ name }) => name),
  };
  return new CheckpointFile(checkpoint.path, identity, checkpoint.everyMs);
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

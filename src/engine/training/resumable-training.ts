import type { Epoch } from "../../model/epoch.ts";
import { type EpochRequest, trainRequested } from "../../model/training/epoch-training.ts";
import type { TrainingProgress } from "../../model/training/trainer.ts";
import type { TrainingState } from "../../model/training/training-state.ts";
import { CheckpointFile } from "./checkpoint-file.ts";

/** A training that notes how far it has come, if it is told where. */
export type ResumableRequest = EpochRequest & {
  /** An interrupted one goes on from there if its graph is no older than `ageMsMax`, by event time. */
  readonly checkpoint?:
    | { readonly path: string; readonly ageMsMax: number; readonly everyMs?: number }
    | undefined;
};

export type ResumableHooks = {
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
  /** What is good to know: that it goes on where it was interrupted, or can't note how far it came. */
  readonly onNote?: ((text: string) => void) | undefined;
};

/** Trains an epoch, from where it was interrupted if it was. As long as that takes nothing else has its turn: for a thread. */
export async function trainResumable(
  request: ResumableRequest,
  { onProgress, onNote }: ResumableHooks = {},
): Promise<Epoch> {
  const file = checkpointOf(request);
  if (file === undefined) return trainRequested(request, { onProgress });
  const saved = file.read(request.trainedAtMs - request.checkpoint!.ageMsMax);
  if (saved !== undefined)
    onNote?.(`the training of epoch ${request.number} goes on after step ${saved.state.step}`);
  const { snapshot, trainedAtMs } = saved ?? request;
  let canSave = true;
  const onMeasured = (state: () => TrainingState): void => {
    if (!canSave || !file.isDue) return;
    try {
      file.save({ snapshot, trainedAtMs, state: state() });
    } catch (error) {
      // It is for the worst case alone: no reason to end a training that goes well.
      canSave = false;
      onNote?.(`how far the training has come can't be noted: ${(error as Error).message}`);
    }
  };
  const hooks = { onProgress, interrupted: saved?.state, onMeasured };
  return trainRequested({ ...request, snapshot, trainedAtMs }, hooks);
}

function checkpointOf(request: ResumableRequest): CheckpointFile | undefined {
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

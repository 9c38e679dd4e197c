import { Worker } from "node:worker_threads";
import { OddlinkError } from "../errors.ts";
import type { RunningModel } from "./gate-models.ts";
import type { GateVerdict } from "./gate-verdict.ts";
import type { TrainedModel, TrainingOptions, TrainingProgress } from "./trainer.ts";
import type { TrainingGraph } from "./training-graph.ts";
import type { WorkerMessage } from "./training-worker.ts";
import type { StartingPoint } from "./warm-start.ts";

/** Type stripping runs the sources, the build runs what was compiled beside this file. */
const EXTENSION = import.meta.url.endsWith(".ts") ? "ts" : "js";

type ThreadHooks = {
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** An earlier epoch to go on from. */
  readonly start?: StartingPoint | undefined;
};
/** A trained model, and what the gate says of it; undefined if there was nothing to compare it with. */
export type JudgedModel = { readonly model: TrainedModel; readonly verdict: GateVerdict | undefined };

/**
 * `train` in a worker thread, so that the event loop goes on. The arrays of `graph` are copied.
 *
 * @throws {OddlinkError} TRAINING_FAILED, also when the signal aborts it
 */
export async function trainInThread(
  graph: TrainingGraph,
  options: TrainingOptions,
  hooks: ThreadHooks = {},
): Promise<TrainedModel> {
  return (await trainAndJudgeInThread(graph, options, undefined, hooks)).model;
}

/**
 * The same, and there too the comparison with the running epoch.
 *
 * @throws {OddlinkError} TRAINING_FAILED, also when the signal aborts it
 */
export async function trainAndJudgeInThread(
  graph: TrainingGraph,
  options: TrainingOptions,
  running: RunningModel | undefined,
  hooks: ThreadHooks = {},
): Promise<JudgedModel> {
  const worker = new Worker(new URL(`./training-worker.${EXTENSION}`, import.meta.url), {
    workerData: { graph, options, start: hooks.start, running },
  });
  const { promise, resolve, reject } = Promise.withResolvers<JudgedModel>();
  const fail = (message: string): void => reject(new OddlinkError("TRAINING_FAILED", message));
  const onAbort = (): void => fail("training was stopped");
  worker.on("message", (message: WorkerMessage) => {
    if (message.kind === "progress") hooks.onProgress?.(message.progress);
    else if (message.kind === "model") resolve(message);
    else fail(message.message);
  });
  worker.on("error", (error) => fail(error instanceof Error ? error.message : String(error)));
  worker.on("exit", (code) => fail(`the training thread ended early (code ${code})`));
  hooks.signal?.addEventListener("abort", onAbort, { once: true });
  if (hooks.signal?.aborted) onAbort();
  try {
    return await promise;
  } finally {
    hooks.signal?.removeEventListener("abort", onAbort);
    await worker.terminate();
  }
}

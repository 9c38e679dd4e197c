import { parentPort, workerData } from "node:worker_threads";
import { type Epoch, epochBuffers } from "../../model/epoch.ts";
import type { TrainingProgress } from "../../model/training/trainer.ts";
import { stepBack } from "./background-thread.ts";
import { type ResumableRequest, trainResumable } from "./resumable-training.ts";

/** What the worker thread says to whoever started it. */
export type WorkerMessage =
  | { readonly kind: "progress"; readonly progress: TrainingProgress }
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "epoch"; readonly epoch: Epoch }
  | { readonly kind: "failed"; readonly message: string };

const say = (message: WorkerMessage, handedOver: ArrayBuffer[] = []): void =>
  parentPort!.postMessage(message, handedOver);

stepBack();
try {
  const epoch = await trainResumable(workerData as ResumableRequest, {
    onProgress: (progress) => say({ kind: "progress", progress }),
    onNote: (text) => say({ kind: "note", text }),
  });
  say({ kind: "epoch", epoch }, epochBuffers(epoch));
} catch (error) {
  say({ kind: "failed", message: (error as Error).message });
}

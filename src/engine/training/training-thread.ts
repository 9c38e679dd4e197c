import { Worker } from "node:worker_threads";
import { OddlinkError } from "../../errors.ts";
import type { Epoch } from "../../model/epoch.ts";
import { snapshotBuffers } from "../../model/training/training-snapshot.ts";
import type { ResumableHooks, ResumableRequest } from "./resumable-training.ts";
import type { WorkerMessage } from "./training-worker.ts";

/** Type stripping runs the sources, the build runs what was compiled beside this file. */
const EXTENSION = import.meta.url.endsWith(".ts") ? "ts" : "js";

/**
 * Trains an epoch in a worker thread, so that the event loop goes on. The arrays of the snapshot are handed over: it is of no use
 * afterwards. Those of the epoch before are copied.
 *
 * @throws {OddlinkError} TRAINING_FAILED, also when the signal aborts it
 */
export async function trainInThread(
  request: ResumableRequest,
  hooks: ResumableHooks & { readonly signal?: AbortSignal | undefined } = {},
): Promise<Epoch> {
  const worker = new Worker(new URL(`./training-worker.${EXTENSION}`, import.meta.url), {
    workerData: request,
    transferList: snapshotBuffers(request.snapshot),
  });
  const { promise, resolve, reject } = Promise.withResolvers<Epoch>();
  const fail = (message: string): void => reject(new OddlinkError("TRAINING_FAILED", message));
  const onAbort = (): void => fail("training was stopped");
  worker.on("message", (message: WorkerMessage) => {
    if (message.kind === "progress") hooks.onProgress?.(message.progress);
    else if (message.kind === "note") hooks.onNote?.(message.text);
    else if (message.kind === "epoch") resolve(message.epoch);
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

import { Worker } from "node:worker_threads";
import type { Projection } from "./projection.ts";
import type { ProjectionMessage, ProjectionRequest } from "./projection-worker.ts";

/** Type stripping runs the sources, the build runs what was compiled beside this file. */
const EXTENSION = import.meta.url.endsWith(".ts") ? "ts" : "js";

/**
 * Projects in a worker thread: on the event loop logins would wait for seconds.
 *
 * @param request its numbers are handed over
 * @returns undefined when the signal aborts it
 * @throws {Error} what went wrong there: a bug
 */
export async function projectInThread(
  request: ProjectionRequest,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<Projection | undefined> {
  const worker = new Worker(new URL(`./projection-worker.${EXTENSION}`, import.meta.url), {
    workerData: request,
    transferList: [request.points.values.buffer as ArrayBuffer],
  });
  const { promise, resolve, reject } = Promise.withResolvers<Projection | undefined>();
  const onAbort = (): void => resolve(undefined);
  worker.on("message", (message: ProjectionMessage) => {
    if (message.kind === "progress") onProgress(message.share);
    else resolve(message.projection);
  });
  worker.on("error", reject);
  worker.on("exit", (code) => reject(new Error(`the thread of the map ended early (code ${code})`)));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    await worker.terminate();
  }
}

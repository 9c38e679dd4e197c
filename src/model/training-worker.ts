import { parentPort, workerData } from "node:worker_threads";
import { type TrainedModel, type TrainingOptions, type TrainingProgress, train } from "./trainer.ts";
import type { TrainingGraph } from "./training-graph.ts";
import type { StartingPoint } from "./warm-start.ts";

/** What the worker thread says to whoever started it. */
export type WorkerMessage =
  | { readonly kind: "progress"; readonly progress: TrainingProgress }
  | { readonly kind: "model"; readonly model: TrainedModel }
  | { readonly kind: "failed"; readonly message: string };

const { graph, options, start } = workerData as {
  graph: TrainingGraph;
  options: TrainingOptions;
  start: StartingPoint | undefined;
};
const say = (message: WorkerMessage): void => parentPort!.postMessage(message);

try {
  const model = await train(graph, options, (progress) => say({ kind: "progress", progress }), start);
  say({ kind: "model", model });
} catch (error) {
  say({ kind: "failed", message: (error as Error).message });
}

import { parentPort, workerData } from "node:worker_threads";
import { judge } from "./gate.ts";
import type { RunningModel } from "./gate-models.ts";
import type { GateVerdict } from "./gate-verdict.ts";
import { type TrainedModel, type TrainingOptions, type TrainingProgress, train } from "./trainer.ts";
import type { TrainingGraph } from "./training-graph.ts";
import type { StartingPoint } from "./warm-start.ts";

/** What the worker thread says to whoever started it. */
export type WorkerMessage =
  | { readonly kind: "progress"; readonly progress: TrainingProgress }
  | { readonly kind: "model"; readonly model: TrainedModel; readonly verdict: GateVerdict | undefined }
  | { readonly kind: "failed"; readonly message: string };

const { graph, options, start, running } = workerData as {
  graph: TrainingGraph;
  options: TrainingOptions;
  start: StartingPoint | undefined;
  running: RunningModel | undefined;
};
const say = (message: WorkerMessage): void => parentPort!.postMessage(message);

try {
  const model = await train(graph, options, (progress) => say({ kind: "progress", progress }), start);
  const verdict = running && judge(graph, model, running, options);
  say({ kind: "model", model, verdict });
} catch (error) {
  say({ kind: "failed", message: (error as Error).message });
}

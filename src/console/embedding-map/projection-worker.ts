import { parentPort, workerData } from "node:worker_threads";
import { stepBack } from "../../engine/training/background-thread.ts";
import type { Points } from "./k-means.ts";
import { type Projection, project } from "./projection.ts";

export type ProjectionRequest = { readonly points: Points; readonly seed: number };

/** What the worker thread says to whoever started it. */
export type ProjectionMessage =
  | { readonly kind: "progress"; readonly share: number }
  | { readonly kind: "projection"; readonly projection: Projection };

const say = (message: ProjectionMessage): void => parentPort!.postMessage(message);

stepBack();
const { points, seed } = workerData as ProjectionRequest;
const projection = project(points, seed, (share) => say({ kind: "progress", share }));
say({ kind: "projection", projection });

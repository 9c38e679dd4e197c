import type { Operations } from "../../console/operations.ts";
import type { RestoreProgress } from "../../engine/shared-graph.ts";
import type { StandaloneTrainer } from "../../engine/standalone-trainer.ts";
import { GraphMetrics } from "../../metrics/graph-metrics.ts";
import { Metrics } from "../../metrics/metrics.ts";
import { REAL_TIME } from "../../time.ts";
import { timedTraining } from "./timed-training.ts";

/**
 * Metrics and health of a trainer. It is never stuck in a way that it does not know of: what it follows ends it with an error, and a training
 * has a thread of its own.
 */
export class TrainerWatch implements Operations {
  readonly metrics = new Metrics("trainer");
  readonly timed = timedTraining(this.metrics);
  readonly #startedMs = REAL_TIME.monotonicMs();
  #restoreSeconds: number | undefined;
  #graph: GraphMetrics | undefined;
  #trainer: StandaloneTrainer | undefined;

  constructor() {
    this.metrics.pull("restore_seconds", () => this.#restoreSeconds);
    this.metrics.pull("ready", () => (this.unready() === undefined ? 1 : 0));
  }

  /** To be called once, before it begins. */
  watch(trainer: StandaloneTrainer): void {
    this.#trainer = trainer;
    this.#graph = new GraphMetrics(this.metrics, sourceOf(trainer), REAL_TIME.now);
    this.metrics.pull("epochs_published_total", () => trainer.published);
  }

  restoring(progress: RestoreProgress): void {
    this.#graph?.restoring(progress);
  }

  restored(): void {
    this.#restoreSeconds = (REAL_TIME.monotonicMs() - this.#startedMs) / 1000;
  }

  unready(): string | undefined {
    return this.#trainer?.isRestored === true ? undefined : "the stored graph is being read";
  }

  stuck(): undefined {}
}

function sourceOf(trainer: StandaloneTrainer) {
  return {
    get graph() {
      return trainer.graph;
    },
    get storedSegments() {
      return trainer.storedSegments;
    },
    get epoch() {
      return trainer.epoch;
    },
    get newestEpochWrittenAtMs() {
      return trainer.newest?.writtenAtMs;
    },
  };
}

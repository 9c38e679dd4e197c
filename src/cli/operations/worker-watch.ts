import { Liveness } from "../../console/liveness.ts";
import type { Operations } from "../../console/operations.ts";
import { notReady } from "../../console/routes/api.ts";
import type { Engine } from "../../engine/engine.ts";
import type { EngineMeter } from "../../engine/meter.ts";
import type { RestoreProgress } from "../../engine/shared-graph.ts";
import type { TrainEpoch } from "../../engine/training/training-schedule.ts";
import type { Lag } from "../../log/kafka/lag-monitor.ts";
import { ConsumerMetrics } from "../../metrics/consumer-metrics.ts";
import { pullResolution, pullSinks } from "../../metrics/delivery-metrics.ts";
import { EngineMetrics } from "../../metrics/engine-metrics.ts";
import { Metrics } from "../../metrics/metrics.ts";
import { REAL_TIME } from "../../time.ts";
import type { RunningSinks } from "../deliveries.ts";
import type { Resolution } from "../resolution.ts";
import { timedTraining } from "./timed-training.ts";

/** Metrics and health of a worker. */
export class WorkerWatch implements Operations {
  readonly metrics = new Metrics("worker");
  /** Undefined where nothing is read from Kafka. */
  readonly consumers: ConsumerMetrics | undefined;
  readonly meter: EngineMeter;
  readonly timed: (train: TrainEpoch) => TrainEpoch = timedTraining(this.metrics);
  readonly #engineMetrics: EngineMetrics;
  readonly #liveness: Liveness;
  #engine: Engine | undefined;

  constructor(isShared: boolean) {
    this.#liveness = new Liveness(REAL_TIME.monotonicMs, () => this.consumers?.hasWork() === true);
    const { moved } = this.#liveness;
    this.consumers = isShared ? new ConsumerMetrics(this.metrics, moved) : undefined;
    const engineMetrics = new EngineMetrics(this.metrics, REAL_TIME, isShared);
    this.#engineMetrics = engineMetrics;
    this.meter = {
      batch: (records, seconds) => {
        moved();
        engineMetrics.batch(records, seconds);
      },
      scored: (seconds) => engineMetrics.scored(seconds),
      committed: (committed, seconds) => engineMetrics.committed(committed, seconds),
      restored: (seconds) => engineMetrics.restored(seconds),
      followed: (seconds) => engineMetrics.followed(seconds),
    };
    this.metrics.pull("ready", () => (this.unready() === undefined ? 1 : 0));
  }

  /** To be called once, before the engine runs. */
  watch(engine: Engine, resolution: Resolution, sinks: RunningSinks): void {
    this.#engine = engine;
    this.#engineMetrics.watch(engine);
    pullResolution(this.metrics, () => resolution.counts());
    pullSinks(this.metrics, () => sinks.summaries());
  }

  restoring(progress: RestoreProgress): void {
    this.#liveness.moved();
    this.#engineMetrics.restoring(progress);
  }

  /** Something goes wrong and is tried again. */
  troubled(): void {
    this.#liveness.moved();
  }

  /** An epoch is in force from now on. */
  adopted(): void {
    this.#engineMetrics.adopted();
  }

  /** How far this process is behind its partitions; none where nobody says. */
  readonly lags = (): readonly Lag[] => this.consumers?.lags() ?? [];

  unready(): string | undefined {
    if (this.#engine === undefined) return "it has not begun yet";
    return notReady(this.#engine) ?? this.consumers?.unready();
  }

  stuck(): string | undefined {
    return this.#liveness.stuck();
  }
}

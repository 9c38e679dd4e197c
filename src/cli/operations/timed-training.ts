import type { TrainEpoch } from "../../engine/training/training-schedule.ts";
import type { Metrics } from "../../metrics/metrics.ts";

/** A training that is counted, and how long it took. */
export function timedTraining(metrics: Metrics): (train: TrainEpoch) => TrainEpoch {
  const trainings = metrics.counter("trainings_total");
  const seconds = metrics.histogram("training_seconds");
  return (train) => async (graph, config, number, trainedAtMs, signal, previous) => {
    const end = seconds.startTimer();
    try {
      const epoch = await train(graph, config, number, trainedAtMs, signal, previous);
      trainings.inc({ outcome: "trained" });
      return epoch;
    } catch (error) {
      trainings.inc({ outcome: signal?.aborted ? "stopped" : "failed" });
      throw error;
    } finally {
      end();
    }
  };
}

import type { RestoreProgress } from "../engine/shared-graph.ts";
import type { StoredSegmentSizes } from "../engine/stored-segments.ts";
import type { Graph } from "../graph-state/graph.ts";
import type { Epoch } from "../model/epoch.ts";
import type { LabelledValue, Metrics } from "./metrics.ts";

/** As many characters of a digest as keys of the log have. */
const DIGEST_LENGTH = 12;

/** What a process has that keeps the graph: a worker, a trainer. */
export type GraphSource = {
  readonly graph: Graph;
  readonly storedSegments: StoredSegmentSizes;
  readonly epoch: Epoch | undefined;
  /** When the newest epoch was written to the log, milliseconds since the epoch; undefined where nobody says. */
  readonly newestEpochWrittenAtMs: number | undefined;
};

/** The graph and the epoch in force, as they are when they are asked for, and how far restoring is. */
export class GraphMetrics {
  #remainingBytes: number | undefined;

  constructor(metrics: Metrics, source: GraphSource, now: () => number) {
    metrics.pull("restore_remaining_bytes", () => this.#remainingBytes);
    metrics.pull("graph_entities", () => source.graph.entityCount);
    metrics.pull("graph_links", () => source.graph.linkCount);
    metrics.pull("graph_bytes", () => source.graph.links.byteLength);
    metrics.pull("links_evicted_total", () => source.graph.evictedCount);
    metrics.pull("segments", () => source.storedSegments.count);
    metrics.pullEach("segment_bytes", () => {
      const { bytes, sumBytes } = source.storedSegments;
      return [
        [{ kind: "segment" }, bytes],
        [{ kind: "sum" }, sumBytes],
      ];
    });
    metrics.pull("watermark_timestamp_seconds", () => secondsOf(source.graph.window.watermarkMs));
    metrics.pull("window_start_timestamp_seconds", () => {
      const { window } = source.graph;
      return secondsOf(window.edgeStep * window.stepMs);
    });
    metrics.pullEach("epoch_info", () => epochInfo(source.epoch));
    metrics.pull("epoch_age_seconds", () => {
      const { newestEpochWrittenAtMs } = source;
      return newestEpochWrittenAtMs && Math.max(0, now() - newestEpochWrittenAtMs) / 1000;
    });
  }

  restoring({ bytesTotal, bytesAdded }: RestoreProgress): void {
    this.#remainingBytes = bytesTotal === undefined ? undefined : bytesTotal - bytesAdded;
  }
}

function* epochInfo(epoch: Epoch | undefined): Generator<LabelledValue> {
  if (epoch === undefined) return;
  const { number, digest } = epoch.manifest;
  yield [{ number, digest: digest.slice(0, DIGEST_LENGTH) }, 1];
}

function secondsOf(timeMs: number): number | undefined {
  return Number.isFinite(timeMs) ? timeMs / 1000 : undefined;
}

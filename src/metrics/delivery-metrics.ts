import type { SinkCounts } from "../delivery/sink.ts";
import type { LookAsideCounts } from "../ingest/resolution/look-aside.ts";
import type { LabelledValue, Metrics } from "./metrics.ts";

/** Alerts on their way to webhooks and syslog, by the name that each has in the configuration. */
export function pullSinks(
  metrics: Metrics,
  summaries: () => Readonly<Record<string, SinkCounts & { readonly waiting?: number }>>,
): void {
  metrics.pullEach("sink_deliveries_total", function* (): Generator<LabelledValue> {
    for (const [sink, counts] of Object.entries(summaries())) {
      yield [{ sink, outcome: "delivered" }, counts.delivered];
      yield [{ sink, outcome: "refused" }, counts.refused];
      yield [{ sink, outcome: "passed-over" }, counts.passedOver];
      yield [{ sink, outcome: "failed-attempt" }, counts.failedAttempts];
    }
  });
  metrics.pullEach("sink_waiting", function* (): Generator<LabelledValue> {
    for (const [sink, { waiting }] of Object.entries(summaries()))
      if (waiting !== undefined) yield [{ sink }, waiting];
  });
}

/** Look-ups in the tables of hosts and users. */
export function pullResolution(
  metrics: Metrics,
  counts: () => Readonly<Record<string, LookAsideCounts | undefined>>,
): void {
  metrics.pullEach("resolution_lookups_total", function* (): Generator<LabelledValue> {
    for (const [table, found] of Object.entries(counts())) {
      if (found === undefined) continue;
      yield [{ table, result: "hit" }, found.hits];
      yield [{ table, result: "miss" }, found.lookups - found.hits];
    }
  });
}

import type { Verdicts } from "../alerts/verdicts.ts";
import type { KnownEpoch } from "../engine/epoch-history.ts";
import type { Committed, EngineMeter } from "../engine/meter.ts";
import type { RestoreProgress } from "../engine/shared-graph.ts";
import { sumOf, type Totals } from "../engine/totals.ts";
import type { Time } from "../time.ts";
import { GraphMetrics, type GraphSource } from "./graph-metrics.ts";
import type { LabelledValue, Metrics } from "./metrics.ts";
import type { Labels } from "./pulled-metric.ts";
import { ScoreDrift } from "./score-drift.ts";

/** What there is to be read of an engine. */
export type EngineSource = GraphSource & {
  readonly committedTotals: Totals;
  readonly knownEpochs: readonly KnownEpoch[];
  readonly threshold: number;
  readonly rebuildCount: number;
  readonly mergeCount: number;
  readonly verdicts: Verdicts;
  budgetsSpent(): Readonly<Record<string, number | undefined>>;
};

/**
 * What an engine does, for Prometheus. Nearly all of it is read from its totals when it is asked for; what is timed comes with each batch and
 * each commit.
 */
export class EngineMetrics implements EngineMeter {
  readonly #now: () => number;
  readonly #decisionSeconds;
  readonly #alertSeconds;
  readonly #scoreSeconds;
  readonly #batchSeconds;
  readonly #commitSeconds;
  readonly #tailSeconds;
  readonly #alerts;
  readonly #drift = new ScoreDrift();
  #source: EngineSource | undefined;
  #graph: GraphMetrics | undefined;
  #restoreSeconds: number | undefined;
  readonly #metrics: Metrics;

  constructor(metrics: Metrics, { now }: Pick<Time, "now">, isShared: boolean) {
    this.#metrics = metrics;
    this.#now = now;
    this.#decisionSeconds = isShared ? metrics.foldedHistogram("ingest_to_decision_seconds") : undefined;
    this.#alertSeconds = metrics.histogram("event_to_alert_seconds");
    this.#scoreSeconds = metrics.foldedHistogram("score_seconds");
    this.#batchSeconds = metrics.histogram("batch_seconds");
    this.#commitSeconds = metrics.histogram("commit_seconds");
    this.#tailSeconds = isShared ? metrics.histogram("tail_lag_seconds") : undefined;
    this.#alerts = metrics.counter("alerts_total");
    metrics.pull("restore_seconds", () => this.#restoreSeconds);
  }

  /** To be called once, with the engine that this is the meter of. */
  watch(source: EngineSource): void {
    this.#source = source;
    this.#graph = new GraphMetrics(this.#metrics, source, this.#now);
    pullTotals(this.#metrics, () => source.committedTotals);
    pullModel(this.#metrics, source, () => this.#drift.index(source.committedTotals.decades));
    pullPolicy(this.#metrics, source);
  }

  batch(_records: number, seconds: number): void {
    this.#batchSeconds.observe(seconds);
  }

  scored(seconds: number): void {
    this.#scoreSeconds.observe(seconds);
  }

  committed({ alerts, timestampsMs }: Committed, seconds: number): void {
    this.#commitSeconds.observe(seconds);
    const nowMs = this.#now();
    if (this.#decisionSeconds !== undefined)
      for (const timestampMs of timestampsMs)
        this.#decisionSeconds.observe(Math.max(0, nowMs - timestampMs) / 1000);
    for (const { signal, severity, timeMs, suppressedBy, isClosing } of alerts) {
      if (suppressedBy !== undefined || isClosing || severity === undefined) continue;
      this.#alerts.inc({ signal, severity });
      this.#alertSeconds.observe(Math.max(0, nowMs - timeMs) / 1000);
    }
  }

  restored(seconds: number): void {
    this.#restoreSeconds = seconds;
  }

  restoring(progress: RestoreProgress): void {
    this.#graph?.restoring(progress);
  }

  followed(seconds: number): void {
    this.#tailSeconds?.observe(seconds);
  }

  /** An epoch is in force from now on. */
  adopted(): void {
    if (this.#source !== undefined) this.#drift.adopted(this.#source.committedTotals.decades);
  }
}

function pullTotals(metrics: Metrics, totals: () => Totals): void {
  metrics.pull("logins_consumed_total", () => totals().consumed);
  metrics.pull("logins_scored_total", () => totals().scored);
  metrics.pull("logins_evidence_total", () => totals().evidence);
  metrics.pull("logins_duplicate_total", () => totals().duplicate);
  metrics.pull("logins_unaccounted_total", () => unaccounted(totals()));
  metrics.pull("logins_late_total", () => totals().late);
  metrics.pull("unseen_entity_logins_total", () => totals().unseenByEpoch);
  metrics.pullEach("logins_ignored_total", () => labelled(totals().ignored, "reason"));
  metrics.pullEach("dead_letters_total", () => labelled(totals().rejected, "reason"));
  metrics.pull("alerts_shadow_total", () => totals().alertsShadow);
  metrics.pull("incidents_total", () => totals().incidents);
  metrics.pullEach("alerts_suppressed_total", () => {
    const { suppressed, suppressedByRule } = totals();
    const byVerdict = Object.hasOwn(suppressedByRule, "verdicts") ? suppressedByRule["verdicts"]! : 0;
    // Names of rules are anybody's choice, and there may be many.
    return [
      [{ reason: "rule" }, suppressed - byVerdict],
      [{ reason: "verdict" }, byVerdict],
    ];
  });
  metrics.pull("epoch_adoptions_total", () => totals().epochs);
  metrics.pull("epoch_rejected_total", () => totals().epochsRejected);
  metrics.pull("epoch_rollbacks_total", () => totals().rollBacks);
}

/** Asked of one reading of all of them: rates of several counters, each taken for itself, need not add up. */
function unaccounted({ consumed, scored, evidence, duplicate, ignored, rejected }: Totals): number {
  return Math.max(0, consumed - scored - evidence - duplicate - sumOf(ignored) - sumOf(rejected));
}

function pullModel(metrics: Metrics, source: EngineSource, drift: () => number | undefined): void {
  metrics.pull("score_drift_psi", drift);
  metrics.pullEach("gate_auc", () => gateOf(source.knownEpochs));
  metrics.pull("graph_rebuilds_total", () => source.rebuildCount);
  metrics.pull("segment_merges_total", () => source.mergeCount);
}

function pullPolicy(metrics: Metrics, source: EngineSource): void {
  metrics.pull("alert_threshold", () => source.threshold);
  metrics.pullEach("alert_budget_ratio", () => labelled(definedOf(source.budgetsSpent()), "channel"));
  metrics.pullEach("verdicts", () => labelled(Object.fromEntries(source.verdicts.counts()), "verdict"));
}

/** What the gate found of the newest epoch that it compared. */
function* gateOf(epochs: readonly KnownEpoch[]): Generator<LabelledValue> {
  const gate = epochs.find((epoch) => Object.keys(epoch.gate?.aucByFake ?? {}).length > 0)?.gate;
  for (const [fake, { running, candidate }] of Object.entries(gate?.aucByFake ?? {})) {
    yield [{ fake, epoch: "running" }, running];
    yield [{ fake, epoch: "candidate" }, candidate];
  }
}

function* labelled(values: Readonly<Record<string, number>>, label: string): Generator<LabelledValue> {
  for (const [name, value] of Object.entries(values)) {
    const labels: Labels = { [label]: name };
    yield [labels, value];
  }
}

function definedOf(values: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
}

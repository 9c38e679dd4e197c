import { once } from "node:events";
import type { DetectionFinding } from "../alerts/detection-finding.ts";
import type { Config } from "../config/schema.ts";
import type { IncidentFeed } from "../console/incident-feed.ts";
import { Engine, type EngineOptions } from "../engine/engine.ts";
import { rolledBackText } from "../engine/roll-back.ts";
import type { Merging } from "../engine/segment-merging.ts";
import type { SharedGraph } from "../engine/shared-graph.ts";
import { emptyTotals } from "../engine/totals.ts";
import { trainEpoch } from "../engine/training/train-epoch.ts";
import type { TrainEpoch } from "../engine/training/training-schedule.ts";
import type { Graph } from "../graph-state/graph.ts";
import { SchemaRegistry } from "../ingest/schema-registry.ts";
import type { Log } from "../log/port.ts";
import type { Epoch } from "../model/epoch.ts";
import { decodeInThread } from "../model/epoch-thread.ts";
import { REAL_TIME } from "../time.ts";
import type { RunningSinks } from "./deliveries.ts";
import { manage } from "./operations/management.ts";
import type { WorkerWatch } from "./operations/worker-watch.ts";
import { placeOf } from "./own-files.ts";
import type { RejectedShare } from "./rejected-share.ts";
import type { Resolution } from "./resolution.ts";
import { summaryOf } from "./run-summary.ts";
import { serve } from "./serving.ts";
import type { StandardOutput } from "./standard-output.ts";
import { endedTexts } from "./suppression-words.ts";
import { renderAlert, renderRepeatedAlert } from "./terminal/alert-block.ts";
import { sentenceText } from "./terminal/outside-text.ts";
import type { Progress } from "./terminal/progress.ts";
import { restoringText } from "./terminal/restoring.ts";
import { type RunSummary, renderSummary } from "./terminal/summary.ts";
import { rejectedText, restoredText } from "./worker-words.ts";

/** A training notes how far it has come beside the store, unless the settings name another place. */
function checkpointOf({ training, outputs }: Config): string | undefined {
  return training.checkpoint ?? besideStore(outputs.store, "-training");
}

/** SQLite's own files lie beside the store itself, not beside a link to it; and so does what else belongs to a store. */
export function besideStore(store: string | undefined, suffix: string): string | undefined {
  return store && placeOf(store) + suffix;
}

export type RunContext = {
  readonly output: StandardOutput;
  readonly signal: AbortSignal;
  readonly isJson: boolean;
  /** True for a command that shows alerts elsewhere than on standard output. */
  readonly isQuiet?: boolean;
  /** False where nothing is to be read, and the store alone is looked at. */
  readonly hasInput?: boolean;
  readonly onScored?: EngineOptions["onScored"];
  /** All is read and committed, and the summary not written yet; not called after a failure. */
  readonly onSummary?: (summary: RunSummary, engine: Engine) => void;
  readonly merging: (state: SharedGraph) => Merging;
  readonly progress: Progress;
  readonly resolution: Resolution;
  readonly sinks: RunningSinks;
  /** Metrics and health; needed where anything is served. */
  readonly watch?: WorkerWatch | undefined;
  /** Page, API and events, if they are served. */
  readonly serving?: ServingPlan | undefined;
  /** Of a worker only, which bad records do not end. */
  readonly rejectedShare?: RejectedShare;
};

/** What is served beside a run, and for how long. */
export type ServingPlan = {
  readonly until: "read" | "stopped";
  readonly feed: IncidentFeed;
  /** True if the incidents come from nowhere else: the run adds those that it raises. */
  readonly isFedByRun: boolean;
};

/** @returns records that were read and not committed, or not by this process: none of files */
export async function runOn(log: Log, config: Config, context: RunContext): Promise<number> {
  const { output, signal, isJson, merging, progress, resolution, sinks, rejectedShare, watch } = context;
  const startedMs = performance.now();
  let read = 0;
  const servingFailed = new AbortController();
  for (const text of endedTexts(config.suppressions, Date.now())) progress.note(sentenceText(text));
  const train: TrainEpoch = (graph, trainingConfig, number, trainedAtMs, signal, previous) =>
    trainEpoch(graph, trainingConfig, number, trainedAtMs, {
      previous,
      checkpoint: checkpointOf(config),
      onProgress: ({ step, steps }) => progress.phase(`training epoch ${number}, step ${step} of ${steps}`),
      onNote: (text) => progress.note(text),
      signal,
    }).finally(() => progress.phase(undefined));
  const engine = new Engine({
    config,
    log,
    time: REAL_TIME,
    merging,
    wrapDecoder: resolution.wrap,
    schemas: config.input.registry && new SchemaRegistry(config.input.registry),
    onTrouble: (message) => {
      watch?.troubled();
      progress.note(message);
    },
    meter: watch?.meter,
    signal: AbortSignal.any([signal, output.gone, sinks.failed, servingFailed.signal]),
    train: watch?.timed(train) ?? train,
    decodeLive: decodeInThread,
    ...(context.onScored && { onScored: context.onScored }),
    onAlert: (alert) => {
      const isShown = !isJson && !context.isQuiet;
      const isFed = context.serving?.isFedByRun === true;
      if (!isShown && !isFed) return;
      const finding = JSON.parse(alert.finding) as DetectionFinding;
      if (isFed) context.serving!.feed.add(finding);
      if (!isShown) return;
      progress.clear();
      output.write(
        finding.count === 1 ? `${renderAlert(finding)}\n\n` : `${renderRepeatedAlert(finding)}\n\n`,
      );
    },
    onSuppressed: ({ finding }) => {
      const { serving: plan } = context;
      if (plan?.isFedByRun === true) plan.feed.add(JSON.parse(finding) as DetectionFinding);
    },
    onRestoring: (restoring) => {
      watch?.restoring(restoring);
      progress.phase(restoringText(restoring));
    },
    onEpoch: ({ manifest }) =>
      progress.note(`epoch ${manifest.number} trained on ${manifest.linkCount} links`),
    onChallenger: ({ manifest }) =>
      progress.note(`epoch ${manifest.number} is in the shadow: it scores, and alerts nobody`),
    onRejected: (rejected) => progress.note(rejectedText(rejected)),
    onRolledBack: (epoch) => progress.note(rolledBackText(epoch)),
    onAdopted: ({ manifest }) => {
      watch?.adopted();
      if (log.isShared)
        progress.note(`epoch ${manifest.number} adopted, trained on ${manifest.linkCount} links`);
    },
    ...(log.isShared && {
      onRestored: (graph: Graph, epoch: Epoch | undefined) =>
        progress.note(restoredText(graph.linkCount, epoch?.manifest.number)),
    }),
    onEpochFailed: (error) => progress.note(`going on with the model before: ${error.message}`),
    onProgress: (count) => {
      read += count;
      progress.update({ ...log.progress(), records: read });
      rejectedShare?.look(() => engine.totals);
    },
  });
  watch?.watch(engine, resolution, sinks);
  const { feed } = context.serving ?? {};
  const say = (message: string): void => progress.note(message);
  const serving = feed && watch && serve({ config, engine, feed, operations: watch, say });
  const managed = manage(config, watch, say);
  for (const served of [serving, managed])
    served?.failed.addEventListener("abort", () => servingFailed.abort(served.failed.reason));
  try {
    let failure: unknown;
    try {
      await engine.run();
    } catch (error) {
      failure = error;
    } finally {
      progress.done();
    }
    await (signal.aborted ? sinks.stop() : sinks.end());
    failure ??= sinks.failed.reason ?? servingFailed.signal.reason;
    const committed = log.totals() ?? JSON.stringify(log.isEndless ? engine.totals : emptyTotals());
    const isCommitted = failure === undefined || committed === JSON.stringify(engine.totals);
    // The state before could not be read: there is nothing to sum up.
    if (failure !== undefined && read === 0 && (log.isEndless || !isCommitted)) throw failure;
    const summary = summaryOf(engine, config, log.isEndless, {
      read,
      seconds: (performance.now() - startedMs) / 1000,
      end: failure !== undefined ? "failed" : signal.aborted ? "stopped" : "done",
      isCommitted,
      hasInput: context.hasInput ?? true,
      resolution: resolution.counts(),
      sinks: sinks.summaries(),
    });
    if (failure === undefined) context.onSummary?.(summary, engine);
    output.write(`${isJson ? JSON.stringify(summary) : renderSummary(summary)}\n`);
    if (context.serving?.until === "stopped" && failure === undefined && !signal.aborted) {
      progress.note("all is read; what is known is served until this is stopped (SIGINT, SIGTERM)");
      await once(signal, "abort");
    }
    if (failure !== undefined) throw failure;
    return log.isEndless ? Math.max(0, read - engine.totals.consumed) : 0;
  } finally {
    await Promise.all([serving?.close(), managed?.close()]);
  }
}

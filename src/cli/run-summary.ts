import type { Config } from "../config/schema.ts";
import type { Engine } from "../engine/engine.ts";
import { sumOf } from "../engine/totals.ts";
import { digestOf } from "../graph-state/digest.ts";
import { findLinkKind } from "../graph-state/link-kinds.ts";
import { delegatingSources } from "../model/delegating-sources.ts";
import { type SinkSummaries, sinkLines } from "./deliveries.ts";
import { topicsOf } from "./kafka.ts";
import { type ResolutionCounts, resolutionLines } from "./resolution.ts";
import type { RunSummary } from "./terminal/summary.ts";

/** Weak-only sources that a summary names. */
const NAMED_MAX = 5;

export type RunEnd = {
  readonly read: number;
  readonly seconds: number;
  readonly end: "done" | "stopped" | "failed";
  /** False if a failure left something that is counted out of the last commit. */
  readonly isCommitted: boolean;
  /** False where the store alone is looked at. */
  readonly hasInput: boolean;
  readonly resolution: ResolutionCounts;
  readonly sinks: SinkSummaries;
};

export function summaryOf(
  engine: Engine,
  config: Config,
  isEndless: boolean,
  { read, seconds, end, isCommitted, hasInput, resolution, sinks }: RunEnd,
): RunSummary {
  const { totals, graph } = engine;
  const { store, alerts, alertsShadow, scored } = config.outputs;
  const format = config.outputs.alertFormat === "ecs" ? "ECS" : "OCSF";
  const written: string[] = [];
  const notes: string[] = [];
  if (isCommitted) {
    if (alerts !== undefined) written.push(`${alerts}: alerts (${format}, JSON lines)`);
    if (alertsShadow !== undefined)
      written.push(`${alertsShadow}: what an epoch in the shadow would have raised (${format}, JSON lines)`);
    if (scored !== undefined) written.push(`${scored}: the logins scored by runs that name it (JSON lines)`);
    if (store !== undefined) written.push(`${store}: everything (SQLite: alerts, dead_letters, ...)`);
  } else notes.push("Not all that is counted here could be written.");
  if (isEndless) {
    const topics = topicsOf(config.kafka);
    written.push(`${topics.alerts}: alerts (${format})`, `${topics.deadLetters}: records that can't be read`);
    if (config.training.shadow)
      written.push(`${topics.alertsShadow}: what an epoch in the shadow would have raised (${format})`);
    if (config.outputs.scoredLogins) written.push(`${topics.scoredLogins}: scored logins`);
    if (config.outputs.entityRisk) written.push(`${topics.entityRisk}: risk of accounts and hosts`);
  } else if (store === undefined)
    notes.push("Nothing else was kept; with --store FILE a run can be continued.");
  if (end === "stopped" && !isEndless) notes.push("Stopped before the end of the input.");
  if (hasInput && end === "done" && read === 0 && totals.consumed > 0)
    notes.push("Nothing new to read: the store holds all of this input already.");
  if (end === "done" && totals.consumed === 0)
    notes.push(hasInput ? "The input holds no records." : "The store holds no records.");
  return {
    read,
    consumed: totals.consumed,
    scored: totals.scored,
    evidence: totals.evidence,
    ignored: sumOf(totals.ignored),
    rejected: sumOf(totals.rejected),
    duplicate: totals.duplicate,
    alerts: totals.alerts,
    alertsShadow: totals.alertsShadow,
    suppressed: totals.suppressed,
    suppressedByRule: totals.suppressedByRule,
    incidents: totals.incidents,
    epochs: totals.epochs,
    epochsRejected: totals.epochsRejected,
    rollBacks: totals.rollBacks,
    seconds,
    loginsPerSecond: seconds > 0 ? read / seconds : 0,
    stopped: end === "stopped",
    graph: { entities: graph.entityCount, links: graph.linkCount, digest: digestOf(graph) },
    ignoredReasons: nonZero(totals.ignored),
    rejectedReasons: nonZero(totals.rejected),
    alertsBySignal: totals.alertsBySignal,
    decades: totals.decades,
    threshold: engine.threshold > 0 ? engine.threshold : null,
    resolution,
    sinks,
    written,
    notes: [
      ...notes,
      ...dataNotes(engine),
      ...resolutionLines(resolution),
      ...sinkLines(sinks, store !== undefined),
    ],
  };
}

/** What a person should know of the data, whatever is done with it. */
export function dataNotes(engine: Engine): string[] {
  const { graph } = engine;
  const notes: string[] = [];
  if (findLinkKind(graph.kinds, "user", "sourceHost") === undefined)
    notes.push("Presence raises nothing: it needs links from user to sourceHost, and none are configured.");
  const { weakOnlySources } = engine;
  if (weakOnlySources.length > 0) {
    const named = weakOnlySources.slice(0, NAMED_MAX).map(({ host, logins }) => `${host} (${logins})`);
    notes.push(
      `Presence let ${weakOnlySources.reduce((sum, { logins }) => sum + logins, 0)} logins pass from ${weakOnlySources.length} weak-only source(s), ` +
        `on which no person shows strong evidence: ${named.join(", ")}${weakOnlySources.length > NAMED_MAX ? ", ..." : ""}. Watch for one that should not be among them.`,
    );
  }
  const delegating = delegatingSources(graph);
  if (delegating.length > 0) {
    const named = delegating.slice(0, NAMED_MAX).map(({ host, accounts }) => `${host} (${accounts})`);
    notes.push(
      `Accounts log on from ${delegating.length} delegating source(s) without having asked for a ticket there, which says little then: ` +
        `${named.join(", ")}${delegating.length > NAMED_MAX ? ", ..." : ""}. Watch for one that should not be among them.`,
    );
  }
  for (const topic of engine.leftOver) {
    notes.push(
      `The last line of ${topic} has no line end and can't be read; a run on the same store reads it once it is whole.`,
    );
  }
  if (graph.evictedCount > 0)
    notes.push(`${graph.evictedCount} links were evicted at the cap (window.maxLinks).`);
  return notes;
}

function nonZero(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

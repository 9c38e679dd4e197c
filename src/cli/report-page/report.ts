import type { DetectionFinding } from "../../alerts/detection-finding.ts";
import type { Drawing, EvaluationReport } from "../../evaluation/evaluation.ts";
import type { AlertSlot } from "../../log/embedded/store.ts";
import type { RunSummary } from "../terminal/summary.ts";
import type { BaselineCount } from "./baseline-counts.ts";
import type { Neighbourhood } from "./neighbourhood.ts";

export type ReportedIncident = {
  readonly uid: string;
  readonly alerts: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** The oddest first; not all where they are many, one at least. */
  readonly findings: readonly DetectionFinding[];
  /** Only of the first incidents. */
  readonly graph: Neighbourhood | undefined;
};

/** Alerts by slot of time and by signal. */
export type AlertsOverTime = { readonly slotMs: number; readonly slots: readonly AlertSlot[] };

/** What a report shows. Nothing in it depends on when, where or how fast it was made. */
export type Report = {
  /** Names of what was read by this run; none of what the store had already. */
  readonly sources: readonly string[];
  readonly detector: string;
  /** What alerts below the presence tier are held to. */
  readonly limit: { readonly threshold: number } | { readonly alertsPerDay: number };
  readonly summary: RunSummary;
  /** What a person should know of the data. */
  readonly notes: readonly string[];
  /** Time of the first login ever seen, and of the newest; undefined before any. */
  readonly period: readonly [fromMs: number, toMs: number] | undefined;
  /** Oddest first, not all where they are many. */
  readonly incidents: readonly ReportedIncident[];
  /** All of them. */
  readonly incidentCount: number;
  readonly overTime: AlertsOverTime | undefined;
  readonly graph: Neighbourhood;
  /** Of the logins scored by this run; undefined if it scored none. */
  readonly baselines: readonly BaselineCount[] | undefined;
  /** Where labels were given. */
  readonly evaluation: { readonly report: EvaluationReport; readonly drawing: Drawing } | undefined;
};

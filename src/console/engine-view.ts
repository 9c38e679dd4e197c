import type { IncidentPeaks } from "../alerts/incident-peaks.ts";
import type { Probe } from "../engine/scoring.ts";
import type { Totals } from "../engine/totals.ts";
import type { Graph } from "../graph-state/graph.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import type { Epoch } from "../model/epoch.ts";

/** What the HTTP side needs of an engine: `Engine` has it. Reads only. */
export type EngineView = {
  readonly graph: Graph;
  readonly totals: Totals;
  readonly epoch: Epoch | undefined;
  readonly threshold: number;
  readonly partitions: readonly number[];
  readonly isRestored: boolean;
  readonly isRebuilding: boolean;
  incidentPeaks(): IncidentPeaks;
  probe(login: LoginBytes): Probe;
};

import type { GroupPeaks } from "../alerts/group-peaks.ts";
import type { Verdict } from "../alerts/verdict.ts";
import type { Verdicts } from "../alerts/verdicts.ts";
import type { KnownEpoch } from "../engine/epoch-history.ts";
import type { Probe } from "../engine/scoring.ts";
import type { Totals } from "../engine/totals.ts";
import type { Graph } from "../graph-state/graph.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import type { Epoch } from "../model/epoch.ts";

/** What the HTTP side needs of an engine: `Engine` has it. All but `judge` reads only. */
export type EngineView = {
  readonly graph: Graph;
  readonly totals: Totals;
  readonly epoch: Epoch | undefined;
  /** The newest first. */
  readonly knownEpochs: readonly KnownEpoch[];
  readonly threshold: number;
  readonly partitions: readonly number[];
  readonly isRestored: boolean;
  readonly isRebuilding: boolean;
  readonly verdicts: Verdicts;
  judge(verdict: Verdict): Promise<void>;
  groupPeaks(): GroupPeaks;
  probe(login: LoginBytes): Probe;
};

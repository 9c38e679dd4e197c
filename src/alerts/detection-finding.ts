import type { Signal } from "./odd-login.ts";

/** The part of OCSF 1.8.0 Detection Finding (class 2004) that oddlink writes. Field names are OCSF's. */
export interface DetectionFinding {
  readonly activity_id: 1 | 2;
  readonly activity_name: "Create" | "Update";
  readonly category_uid: 2;
  readonly category_name: "Findings";
  readonly class_uid: 2004;
  readonly class_name: "Detection Finding";
  readonly type_uid: 200401 | 200402;
  readonly type_name: string;
  readonly time: number;
  readonly start_time?: number;
  readonly end_time?: number;
  readonly count: number;
  readonly is_alert: boolean;
  /** Only of what a rule suppresses. */
  readonly status_id?: 3;
  readonly status?: "Suppressed";
  readonly status_detail?: string;
  readonly severity_id: number;
  readonly severity: string;
  readonly confidence_id: number;
  readonly confidence: string;
  readonly risk_score: number;
  readonly message: string;
  readonly metadata: Metadata;
  readonly finding_info: FindingInfo;
  readonly evidences: readonly [Evidence];
  readonly anomaly_analyses: readonly [AnomalyAnalysis];
  readonly remediation: { readonly desc: string };
  readonly observables: readonly Observable[];
}

/** What closes an incident: a finding about all of its alerts, and none of its logins. */
export type ClosingFinding = Omit<
  DetectionFinding,
  "activity_id" | "activity_name" | "type_uid" | "is_alert" | "anomaly_analyses" | "finding_info"
> & {
  readonly activity_id: 3;
  readonly activity_name: "Close";
  readonly type_uid: 200403;
  readonly is_alert: false;
  readonly finding_info: Omit<FindingInfo, "analytic"> & {
    readonly analytic: Omit<Analytic, "name"> & { readonly name: "incident" };
  };
};

export interface Metadata {
  readonly version: "1.8.0";
  readonly product: { readonly name: string; readonly vendor_name: string; readonly version: string };
  /** Always empty: no field of a profile is used. */
  readonly profiles: readonly [];
  /** The alert uid. */
  readonly uid: string;
  readonly original_event_uid: string;
  /** The incident uid. */
  readonly correlation_uid: string;
  readonly processed_time?: number;
  /** What a model in the shadow would have raised; what a canary tests with. */
  readonly labels?: readonly ("shadow" | "test")[];
}

export interface FindingInfo {
  /** The incident uid: later alerts of the incident update the same finding. */
  readonly uid: string;
  readonly title: string;
  readonly desc: string;
  readonly analytic: Analytic;
  readonly attacks: readonly Attack[];
  readonly attack_graph?: AttackGraph;
  readonly created_time?: number;
  readonly modified_time: number;
  readonly first_seen_time?: number;
  readonly last_seen_time?: number;
  readonly related_events_count: number;
  readonly data_sources: readonly string[];
}

export interface Analytic {
  readonly name: Signal;
  readonly uid: string;
  readonly type_id: 1 | 3 | 4;
  readonly type: string;
  readonly desc: string;
  readonly version?: string;
}

/** The login with one hop around it; see `attackGraphOf`. */
export interface AttackGraph {
  readonly name: string;
  readonly is_directed: true;
  readonly nodes: readonly { readonly uid: string; readonly name: string; readonly type: string }[];
  readonly edges: readonly {
    readonly uid: string;
    readonly name: string;
    readonly data: { readonly isOdd: boolean; readonly logins?: number };
    readonly source: string;
    readonly target: string;
    readonly relation: string;
    readonly is_directed: true;
  }[];
}

interface Named {
  readonly uid: string;
  readonly name: string;
}

export interface Attack {
  readonly tactic: Named;
  readonly technique: Named;
  readonly sub_technique?: Named;
}

export interface User {
  readonly name: string;
  readonly domain?: string;
  readonly type?: string;
  readonly type_id?: number;
}

export type Endpoint =
  | { readonly name: string; readonly ip: string }
  | { readonly name: string; readonly hostname: string };

export interface Evidence {
  readonly actor?: { readonly user: User };
  readonly user?: User;
  readonly src_endpoint?: Endpoint;
  readonly dst_endpoint?: Endpoint;
  /** Free JSON; see `evidenceData`. */
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Observation {
  readonly value: string;
  readonly count?: number;
}

/** An anomaly or a baseline: OCSF gives both the same members. */
export interface Observed {
  readonly observation_parameter: string;
  readonly observation_type: string;
  readonly observed_pattern?: string;
  readonly observations: readonly Observation[];
}

export interface AnomalyAnalysis {
  readonly analysis_targets: readonly { readonly name: string; readonly type: string }[];
  readonly anomalies: readonly Observed[];
  readonly baselines?: readonly Observed[];
}

export interface Observable {
  readonly name: string;
  readonly type: string;
  readonly type_id: number;
  readonly value: string;
}

/**
 * The Avro schemas of alerts and scored logins: `schemas/alert.avsc`, `schemas/ecs-signal.avsc` and `schemas/scored-login.avsc`. Names and nesting
 * are those of the JSON, so that who knows one knows the other.
 */

type AvroSchema = string | readonly AvroSchema[] | { readonly [key: string]: unknown };

type AvroField = { readonly name: string; readonly type: AvroSchema; readonly default?: null };

/** Fields by name, in the order in which they are written. */
function record(
  name: string,
  fields: Readonly<Record<string, AvroSchema>>,
  doc?: string,
): { readonly type: "record"; readonly name: string; readonly fields: readonly AvroField[] } {
  return {
    type: "record",
    name,
    ...(doc !== undefined && { doc }),
    fields: Object.entries(fields).map(([field, type]) =>
      Array.isArray(type) ? { name: field, type, default: null } : { name: field, type },
    ),
  };
}

function optional(type: AvroSchema): AvroSchema {
  return ["null", type];
}

function listOf(items: AvroSchema): AvroSchema {
  return { type: "array", items };
}

const TEXT = "string";
const WHOLE = "int";
const TIME = { type: "long", logicalType: "timestamp-millis" };
const OBSERVED = {
  observation_parameter: TEXT,
  observation_type: TEXT,
  observed_pattern: optional(TEXT),
};

/** An OCSF 1.8.0 Detection Finding as oddlink writes it. */
export const ALERT_SCHEMA = {
  ...record(
    "DetectionFinding",
    {
      activity_id: WHOLE,
      activity_name: TEXT,
      category_uid: WHOLE,
      category_name: TEXT,
      class_uid: WHOLE,
      class_name: TEXT,
      type_uid: WHOLE,
      type_name: TEXT,
      time: TIME,
      start_time: optional(TIME),
      end_time: optional(TIME),
      count: "long",
      is_alert: "boolean",
      status_id: optional(WHOLE),
      status: optional(TEXT),
      status_detail: optional(TEXT),
      severity_id: WHOLE,
      severity: TEXT,
      confidence_id: WHOLE,
      confidence: TEXT,
      risk_score: WHOLE,
      message: TEXT,
      metadata: record("Metadata", {
        version: TEXT,
        product: record("Product", { name: TEXT, vendor_name: TEXT, version: TEXT }),
        profiles: listOf(TEXT),
        uid: TEXT,
        original_event_uid: TEXT,
        correlation_uid: TEXT,
        processed_time: optional(TIME),
        labels: optional(listOf(TEXT)),
      }),
      finding_info: record("FindingInfo", {
        uid: TEXT,
        title: TEXT,
        desc: TEXT,
        analytic: record("Analytic", {
          name: TEXT,
          uid: TEXT,
          type_id: WHOLE,
          type: TEXT,
          desc: TEXT,
          version: optional(TEXT),
        }),
        attacks: listOf(
          record("Attack", {
            tactic: record("Named", { uid: TEXT, name: TEXT }),
            technique: "Named",
            sub_technique: optional("Named"),
          }),
        ),
        attack_graph: optional(
          record("AttackGraph", {
            name: TEXT,
            is_directed: "boolean",
            nodes: listOf(record("GraphNode", { uid: TEXT, name: TEXT, type: TEXT })),
            edges: listOf(
              record("GraphEdge", {
                uid: TEXT,
                name: TEXT,
                data: record("GraphEdgeData", { isOdd: "boolean", logins: optional("long") }),
                source: TEXT,
                target: TEXT,
                relation: TEXT,
                is_directed: "boolean",
              }),
            ),
          }),
        ),
        created_time: optional(TIME),
        modified_time: TIME,
        first_seen_time: optional(TIME),
        last_seen_time: optional(TIME),
        related_events_count: "long",
        data_sources: listOf(TEXT),
      }),
      evidences: listOf(
        record("Evidence", {
          actor: optional(
            record("Actor", {
              user: record("User", {
                name: TEXT,
                domain: optional(TEXT),
                type: optional(TEXT),
                type_id: optional(WHOLE),
              }),
            }),
          ),
          user: optional("User"),
          src_endpoint: optional(
            record("Endpoint", { name: TEXT, ip: optional(TEXT), hostname: optional(TEXT) }),
          ),
          dst_endpoint: optional("Endpoint"),
          data: TEXT,
        }),
      ),
      anomaly_analyses: listOf(
        record("AnomalyAnalysis", {
          analysis_targets: listOf(record("AnalysisTarget", { name: TEXT, type: TEXT })),
          anomalies: listOf(
            record("Observed", {
              ...OBSERVED,
              observations: listOf(record("Observation", { value: TEXT, count: optional("long") })),
            }),
          ),
          baselines: optional(listOf("Observed")),
        }),
      ),
      remediation: record("Remediation", { desc: TEXT }),
      observables: listOf(record("Observable", { name: TEXT, type: TEXT, type_id: WHOLE, value: TEXT })),
    },
    "An OCSF 1.8.0 Detection Finding; evidences[].data, which is free there, is JSON text here.",
  ),
  namespace: "oddlink",
};

const ECS_ENDPOINT = record("EcsEndpoint", { address: TEXT, ip: optional(TEXT), domain: optional(TEXT) });
const IDS_AND_NAMES = { id: listOf(TEXT), name: listOf(TEXT) };

/** An alert in fields of the Elastic Common Schema, which has a field `@timestamp`: no name in Avro, so it lies in `timestamp`. */
export const ECS_SIGNAL_SCHEMA = {
  ...record(
    "EcsSignal",
    {
      timestamp: TEXT,
      ecs: record("Ecs", { version: TEXT }),
      message: TEXT,
      tags: listOf(TEXT),
      labels: { type: "map", values: TEXT },
      event: record("Event", {
        kind: TEXT,
        category: listOf(TEXT),
        type: listOf(TEXT),
        action: TEXT,
        id: TEXT,
        module: TEXT,
        dataset: TEXT,
        provider: TEXT,
        outcome: TEXT,
        reason: TEXT,
        severity: WHOLE,
        risk_score: "double",
        risk_score_norm: "double",
        created: optional(TEXT),
        start: optional(TEXT),
        end: optional(TEXT),
      }),
      rule: record("Rule", {
        id: TEXT,
        name: TEXT,
        description: TEXT,
        ruleset: TEXT,
        version: optional(TEXT),
      }),
      user: optional(
        record("EcsUser", {
          name: TEXT,
          domain: optional(TEXT),
          target: optional(record("TargetUser", { name: TEXT, domain: optional(TEXT) })),
        }),
      ),
      source: optional(ECS_ENDPOINT),
      destination: optional("EcsEndpoint"),
      host: optional(record("Host", { name: TEXT })),
      related: record("Related", {
        user: optional(listOf(TEXT)),
        hosts: optional(listOf(TEXT)),
        ip: optional(listOf(TEXT)),
      }),
      threat: record("Threat", {
        framework: TEXT,
        tactic: record("IdsAndNames", IDS_AND_NAMES),
        technique: record("Technique", { ...IDS_AND_NAMES, subtechnique: optional("IdsAndNames") }),
      }),
    },
    "An alert in fields of the Elastic Common Schema 9.4.0; @timestamp is timestamp here, for Avro has no such names.",
  ),
  namespace: "oddlink",
};

/** A scored login, as pipelines read it. */
export const SCORED_LOGIN_SCHEMA = {
  ...record(
    "ScoredLogin",
    {
      uid: TEXT,
      timeMs: "double",
      user: TEXT,
      targetUser: TEXT,
      sourceHost: TEXT,
      targetHost: TEXT,
      score: "double",
      signals: record("Signals", {
        presence: "double",
        surprise: "double",
        link: optional("double"),
        volume: "double",
      }),
      outcome: TEXT,
      authType: TEXT,
      logonType: TEXT,
      epoch: optional("long"),
      incidentUid: optional(TEXT),
    },
    "A login with its score: the share of logins that look as odd. Time in milliseconds since 1970, as the source has it.",
  ),
  namespace: "oddlink",
};

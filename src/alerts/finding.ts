import assert from "node:assert/strict";
import { anomalyAnalysis } from "./anomaly.ts";
import { attackGraphOf } from "./attack-graph.ts";
import { suggestedAttacks } from "./attacks.ts";
import type { Analytic, DetectionFinding, Evidence, FindingInfo, Metadata } from "./detection-finding.ts";
import { endpointObservable, endpointOf, userObservable, userOf } from "./entity.ts";
import { evidenceData } from "./evidence-data.ts";
import type { OddLogin, Signal } from "./odd-login.ts";
import { PRODUCT } from "./product.ts";
import { nextSteps } from "./remediation.ts";
import { confidenceOf, riskScore, severityOf } from "./severity.ts";
import { suppressionText } from "./suppression.ts";
import { description, message, SIGNAL_DESCRIPTIONS, title } from "./wording.ts";

/** Presence is a rule on link statistics, surprise and volume count and compare, link is a trained model. */
const ANALYTIC_TYPES: Readonly<Record<Signal, Pick<Analytic, "type_id" | "type">>> = {
  presence: { type_id: 1, type: "Rule" },
  surprise: { type_id: 3, type: "Statistical" },
  link: { type_id: 4, type: "Learning (ML/DL)" },
  volume: { type_id: 3, type: "Statistical" },
};

/** Enough of an epoch's digest to tell two trainings with the same number apart. */
const DIGEST_PREFIX_CHARS = 12;

/**
 * An odd login as an OCSF 1.8.0 Detection Finding without profiles.
 *
 * The incident is the finding: its first alert creates it, later ones update it under the same `finding_info.uid`, with
 * `count` the alerts so far; only the first is an `is_alert`. Each alert has its own `metadata.uid`. All times are event
 * time, in whole milliseconds, but for `metadata.processed_time`. There is no `status_id`: an update may not undo what
 * an analyst has set. But for what a rule suppresses: its incidents are its own, and none of their alerts is an `is_alert`.
 *
 * A pure function, and the order of keys is that of the code: equal input gives equal JSON, byte for byte.
 */
export function toFinding(odd: OddLogin): DetectionFinding {
  assert(
    Number.isSafeInteger(odd.incidentCount) && odd.incidentCount >= 1,
    "an alert counts in its own incident",
  );
  const isFirst = odd.incidentCount === 1;
  const severity = severityOf(odd);
  const confidence = confidenceOf(odd);
  const evidence = evidenceOf(odd);
  const activity = isFirst
    ? ({ activity_id: 1, activity_name: "Create" } as const)
    : ({ activity_id: 2, activity_name: "Update" } as const);
  const span = spanOf(odd);
  return {
    ...activity,
    category_uid: 2,
    category_name: "Findings",
    class_uid: 2004,
    class_name: "Detection Finding",
    type_uid: isFirst ? 200401 : 200402,
    type_name: `Detection Finding: ${activity.activity_name}`,
    time: wholeMs(odd.login.timeMs),
    ...(span && { start_time: span.firstMs, end_time: span.lastMs }),
    count: odd.incidentCount,
    is_alert: isFirst && odd.suppression === undefined,
    ...(odd.suppression && {
      status_id: 3,
      status: "Suppressed",
      status_detail: suppressionText(odd.suppression),
    }),
    severity_id: severity.id,
    severity: severity.caption,
    confidence_id: confidence.id,
    confidence: confidence.caption,
    risk_score: riskScore(odd.score),
    message: message(odd),
    metadata: metadataOf(odd),
    finding_info: findingInfoOf(odd, span),
    evidences: [evidence],
    anomaly_analyses: [anomalyAnalysis(odd)],
    remediation: { desc: nextSteps(odd) },
    observables: [
      ...userObservable("evidences[0].actor.user", evidence.actor?.user),
      ...userObservable("evidences[0].user", evidence.user),
      ...endpointObservable("evidences[0].src_endpoint", evidence.src_endpoint),
      ...endpointObservable("evidences[0].dst_endpoint", evidence.dst_endpoint),
    ],
  };
}

interface Span {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** From the incident's first alert to this one; unknown if this is a later one and nobody kept the first time. */
function spanOf(odd: OddLogin): Span | undefined {
  const timeMs = wholeMs(odd.login.timeMs);
  if (odd.incidentCount === 1) return { firstMs: timeMs, lastMs: timeMs };
  if (odd.incidentFirstMs === undefined) return undefined;
  const otherMs = wholeMs(odd.incidentFirstMs);
  // A late login can be older than the alert that opened its incident.
  return { firstMs: Math.min(otherMs, timeMs), lastMs: Math.max(otherMs, timeMs) };
}

function metadataOf(odd: OddLogin): Metadata {
  const { topic, partition, offset, originalUid } = odd.origin;
  return {
    version: "1.8.0",
    product: PRODUCT,
    profiles: [],
    uid: odd.uid,
    original_event_uid: originalUid || odd.login.uid || `${topic}/${partition}/${offset}`,
    correlation_uid: odd.incidentUid,
    ...(odd.processedTimeMs !== null && { processed_time: wholeMs(odd.processedTimeMs) }),
  };
}

function findingInfoOf(odd: OddLogin, span: Span | undefined): FindingInfo {
  const attacks = suggestedAttacks(odd);
  const graph = attackGraphOf(odd);
  return {
    uid: odd.incidentUid,
    title: title(odd),
    desc: description(odd, attacks),
    analytic: analyticOf(odd),
    attacks,
    ...(graph && { attack_graph: graph }),
    ...(span && { created_time: span.firstMs }),
    modified_time: span?.lastMs ?? wholeMs(odd.login.timeMs),
    ...(span && { first_seen_time: span.firstMs, last_seen_time: span.lastMs }),
    related_events_count: odd.incidentCount,
    data_sources: [odd.origin.topic],
  };
}

function analyticOf(odd: OddLogin): Analytic {
  const { signal, epoch } = odd;
  return {
    name: signal,
    uid: `${odd.detector}/${signal}`,
    ...ANALYTIC_TYPES[signal],
    desc: SIGNAL_DESCRIPTIONS[signal],
    ...(signal === "link" &&
      epoch !== null && { version: `${epoch.number}:${epoch.digest.slice(0, DIGEST_PREFIX_CHARS)}` }),
  };
}

function evidenceOf(odd: OddLogin): Evidence {
  const { user: account, targetUser, sourceHost, targetHost } = odd.login;
  const actor = userOf(account);
  const user = userOf(targetUser);
  const source = endpointOf(sourceHost);
  const target = endpointOf(targetHost);
  return {
    ...(actor && { actor: { user: actor } }),
    ...(user && { user }),
    ...(source && { src_endpoint: source }),
    ...(target && { dst_endpoint: target }),
    data: evidenceData(odd),
  };
}

/** A login's time may have a fraction, OCSF's may not. Down, so that it never falls into a later slot. */
function wholeMs(timeMs: number): number {
  return Math.floor(timeMs);
}

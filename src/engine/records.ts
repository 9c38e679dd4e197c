import { toFinding } from "../alerts/finding.ts";
import type { Signal } from "../alerts/odd-login.ts";
import { alertUid, incidentUid } from "../alerts/uid.ts";
import type { Config } from "../config/schema.ts";
import { OUTCOMES } from "../ingest/login.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import type { AlertRecord, ScoredRecord } from "../log/port.ts";
import { learningState } from "../model/presence.ts";
import { PRESENCE_SHARE } from "../model/score.ts";
import type { Scored, Scoring } from "./scoring.ts";

/** Where a record came from. */
export type Origin = { readonly topic: string; readonly partition: number; readonly offset: number };

/** The alert of the login scored last, explained from what the graph knew before that login is added. */
export function alertRecord(
  scoring: Scoring,
  config: Config,
  bytes: LoginBytes,
  origin: Origin,
  scored: Scored,
  processedTimeMs: number | null,
): AlertRecord {
  const login = bytes.toLogin();
  const { facts, explainer, epoch } = scoring;
  const { detector, presence } = config;
  const { signal, alertScore: score } = scored;
  const { incident, threshold } = scored.decision!;
  const { tier, user, sourceHost, slotStartMs } = incident!;
  const uid = alertUid({ ...origin, detector });
  const incidentId = incidentUid({ tier: tier as Signal, user, sourceHost, slotStartMs });
  const seen = explainer.seen(facts);
  const finding = toFinding({
    uid,
    incidentUid: incidentId,
    login,
    origin: login.uid === undefined ? origin : { ...origin, originalUid: login.uid },
    signal,
    detector,
    score,
    threshold,
    signals: signalsOf(scored),
    epoch: epoch === undefined ? null : { number: epoch.manifest.number, digest: epoch.manifest.digest },
    reasons: explainer.reasons(signal, login, facts, scored.link),
    usual: explainer.usual(facts, login),
    firstSeenMs: seen.firstMs,
    lastSeenMs: seen.lastMs,
    incidentCount: incident!.alerts,
    learning: learningState(facts, presence) ?? null,
    processedTimeMs,
  });
  return {
    uid,
    incidentUid: incidentId,
    timeMs: login.timeMs,
    signal,
    score,
    partition: origin.partition,
    offset: origin.offset,
    finding: JSON.stringify(finding),
  };
}

/** The login scored last as pipelines read it: one line of JSON. */
export function scoredRecord(
  scoring: Scoring,
  bytes: LoginBytes,
  { topic, partition, offset }: Origin,
  scored: Scored,
): ScoredRecord {
  const login = bytes.toLogin();
  const line = JSON.stringify({
    uid: login.uid ?? `${topic}/${partition}/${offset}`,
    timeMs: login.timeMs,
    user: login.user,
    targetUser: login.targetUser,
    sourceHost: login.sourceHost,
    targetHost: login.targetHost,
    score: scored.score,
    signals: signalsOf(scored),
    outcome: OUTCOMES[bytes.outcome],
    authType: login.authType,
    logonType: login.logonType,
    epoch: scoring.epoch?.manifest.number ?? null,
  });
  return { offset, user: login.user, line };
}

function signalsOf({ isPresence, surprise, link, volume }: Scored) {
  return {
    presence: isPresence ? PRESENCE_SHARE : 1,
    surprise,
    ...(link === undefined ? {} : { link }),
    volume,
  };
}

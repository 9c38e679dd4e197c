import { toFinding } from "../alerts/finding.ts";
import { asShadow } from "../alerts/shadow.ts";
import { alertUid, incidentUid } from "../alerts/uid.ts";
import type { Config } from "../config/schema.ts";
import { type Login, OUTCOMES } from "../ingest/login.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import type { AlertRecord, ScoredRecord } from "../log/port.ts";
import type { Epoch } from "../model/epoch.ts";
import { learningState } from "../model/presence.ts";
import { PRESENCE_SHARE } from "../model/score.ts";
import type { Scored, Scoring } from "./scoring.ts";

/** Where a record came from. */
export type Origin = { readonly topic: string; readonly partition: number; readonly offset: number };

/**
 * The alert of the login scored last, explained from what the graph knew before that login is added.
 *
 * @param challenger the epoch that it was scored with, if that is one in the shadow
 */
export function alertRecord(
  scoring: Scoring,
  config: Config,
  bytes: LoginBytes,
  origin: Origin,
  scored: Scored,
  processedTimeMs: number | null,
  challenger?: Epoch,
): AlertRecord {
  const login = bytes.toLogin();
  const { facts, explainer, comparer } = scoring;
  const epoch = challenger ?? scoring.epoch;
  const { detector, presence } = config;
  const { signal, alertScore: score } = scored;
  const { incident, threshold, suppressedBy } = scored.decision!;
  const uid = alertUid({ ...origin, detector: challenger === undefined ? detector : `shadow/${detector}` });
  const incidentId = incidentUidOf(scored, login)!;
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
    comparison: comparer.compare(bytes, facts, challenger === undefined ? "inForce" : "challenger"),
    firstSeenMs: seen.firstMs,
    lastSeenMs: seen.lastMs,
    incidentCount: incident!.alerts,
    ...(suppressedBy && { suppression: suppressedBy }),
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
    finding: JSON.stringify(challenger === undefined ? finding : asShadow(finding)),
    ...(suppressedBy && { suppressedBy: suppressedBy.id }),
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
  const incident = incidentUidOf(scored, login);
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
    ...(incident === undefined ? {} : { incidentUid: incident }),
  });
  return { offset, user: login.user, line };
}

/** Of the incident that the login scored last belongs to, as an alert or as a repetition of one; undefined if to none. */
function incidentUidOf(
  { signal, decision }: Scored,
  login: Pick<Login, "user" | "sourceHost">,
): string | undefined {
  const { incident, incidentStartMs } = decision!;
  if (incidentStartMs === undefined) return undefined;
  const { tier, user, sourceHost } = incident ?? {
    tier: decision!.tier ?? signal,
    user: login.user,
    sourceHost: login.sourceHost,
  };
  return incidentUid({ tier, user, sourceHost, slotStartMs: incidentStartMs });
}

function signalsOf({ isPresence, surprise, link, volume }: Scored) {
  return {
    presence: isPresence ? PRESENCE_SHARE : 1,
    surprise,
    ...(link === undefined ? {} : { link }),
    volume,
  };
}

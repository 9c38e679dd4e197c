import { Buffer } from "node:buffer";
import { closingOf } from "../alerts/closing.ts";
import { entityRisk, riskyEntities } from "../alerts/entity-risk.ts";
import { toFinding } from "../alerts/finding.ts";
import { asShadow } from "../alerts/shadow.ts";
import type { ToldStory } from "../alerts/story.ts";
import { alertUid } from "../alerts/uid.ts";
import type { Config } from "../config/schema.ts";
import type { Leg, Story } from "../graph-state/stories.ts";
import { OUTCOMES } from "../ingest/login.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import type { AlertRecord, KeyedRecord, ScoredRecord } from "../log/port.ts";
import type { Epoch } from "../model/epoch.ts";
import { learningState } from "../model/presence.ts";
import { PRESENCE_SHARE } from "../model/score.ts";
import type { Scored, Scoring } from "./scoring.ts";

/** Where a record came from. */
export type Origin = { readonly topic: string; readonly partition: number; readonly offset: number };

/** @param isShadow whether an epoch in the shadow would have raised it */
export function uidOf(origin: Origin, { detector }: Config, isShadow = false): string {
  return alertUid({ ...origin, detector: isShadow ? `shadow/${detector}` : detector });
}

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
  { story, related }: ToldStory,
  processedTimeMs: number | null,
  challenger?: Epoch,
): AlertRecord {
  const login = bytes.toLogin();
  const { facts, explainer, comparer } = scoring;
  const epoch = challenger ?? scoring.epoch;
  const { detector, presence } = config;
  const { signal, alertScore: score } = scored;
  const { threshold, suppressedBy } = scored.decision!;
  const uid = uidOf(origin, config, challenger !== undefined);
  const seen = explainer.seen(facts);
  const finding = toFinding({
    uid,
    incidentUid: story.uid,
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
    incidentCount: story.alerts,
    incidentFirstMs: story.firstMs,
    incidentLegs: story.legs,
    relatedIncidents: related,
    ...(suppressedBy && { suppression: suppressedBy }),
    learning: learningState(facts, presence) ?? null,
    processedTimeMs,
  });
  return {
    uid,
    incidentUid: story.uid,
    timeMs: login.timeMs,
    signal,
    severity: finding.severity,
    score,
    partition: origin.partition,
    offset: origin.offset,
    finding: JSON.stringify(challenger === undefined ? finding : asShadow(finding)),
    ...(suppressedBy && { suppressedBy: suppressedBy.id }),
  };
}

/** What closes an incident. @param origin of the record that moved time on */
export function closingRecord(story: Story, { detector }: Config, origin: Origin): AlertRecord {
  const finding = closingOf(story, origin.topic, detector);
  return {
    uid: finding.metadata.uid,
    incidentUid: story.uid,
    timeMs: finding.time,
    signal: "incident",
    score: 1,
    partition: origin.partition,
    offset: origin.offset,
    finding: JSON.stringify(finding),
    isClosing: true,
  };
}

/** Risk of those that take part in what was just told, as it is now. */
export function entityRiskRecords({ graph, verdicts }: Scoring, leg: Leg): KeyedRecord[] {
  return riskyEntities(leg).flatMap(({ kind, name }) => {
    const risk = entityRisk(graph, verdicts, kind, name);
    return risk === undefined ? [] : [{ key: `${kind}/${name}`, value: Buffer.from(JSON.stringify(risk)) }];
  });
}

/** The login scored last as pipelines read it: one line of JSON. */
export function scoredRecord(
  scoring: Scoring,
  bytes: LoginBytes,
  { topic, partition, offset }: Origin,
  scored: Scored,
  told: ToldStory | undefined,
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
    ...(told === undefined ? {} : { incidentUid: told.story.uid }),
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

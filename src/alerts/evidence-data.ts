import type { Comparison } from "./comparison.ts";
import { type OddLogin, SIGNALS } from "./odd-login.ts";

/**
 * What OCSF has no field for: the numbers behind the alert, and where its login came from. Its place is
 * `evidences[0].data`, which takes free JSON.
 *
 *   detector, signal, score, threshold, signals {presence, surprise, link, volume}, reasons [...],
 *   nearestLogin {...} if there is one, expectedPeers [...] with an epoch, lastSeen [...],
 *   authType, logonType, outcome, evidence, userFirstSeenMs, userLastSeenMs, epoch {number, digest},
 *   origin {topic, partition, offset, uid}, learning, relatedIncidents [uid ...], suppression {id, owner, reason, until} if it is suppressed
 *
 * Objects are copied member by member, so that the order of keys never depends on who made them.
 */
export function evidenceData(odd: OddLogin): Readonly<Record<string, unknown>> {
  const { login, origin, epoch, suppression } = odd;
  const originalUid = origin.originalUid || login.uid;
  return {
    detector: odd.detector,
    signal: odd.signal,
    score: odd.score,
    threshold: odd.threshold,
    signals: Object.fromEntries(
      SIGNALS.flatMap((signal) => {
        const tail = odd.signals[signal];
        return tail === undefined ? [] : [[signal, tail]];
      }),
    ),
    reasons: odd.reasons.map(({ signal, feature, text, observed, usual, contribution }) => ({
      signal,
      feature,
      text,
      observed,
      usual,
      contribution,
    })),
    ...(odd.comparison && comparisonData(odd.comparison)),
    authType: login.authType,
    logonType: login.logonType,
    outcome: login.outcome,
    evidence: login.evidence,
    userFirstSeenMs: odd.firstSeenMs,
    userLastSeenMs: odd.lastSeenMs,
    epoch: epoch && { number: epoch.number, digest: epoch.digest },
    origin: {
      topic: origin.topic,
      partition: origin.partition,
      offset: origin.offset,
      ...(originalUid && { uid: originalUid }),
    },
    learning: odd.learning,
    ...(odd.relatedIncidents !== undefined &&
      odd.relatedIncidents.length > 0 && { relatedIncidents: [...odd.relatedIncidents] }),
    ...(suppression && {
      suppression: {
        id: suppression.id,
        owner: suppression.owner,
        reason: suppression.reason,
        until: suppression.until,
      },
    }),
  };
}

function comparisonData({ nearestLogin: nearest, expectedPeers, lastSeen }: Comparison): object {
  return {
    ...(nearest && {
      nearestLogin: {
        text: nearest.text,
        user: nearest.user,
        sourceHost: nearest.sourceHost,
        targetHost: nearest.targetHost,
        authType: nearest.authType,
        logonType: nearest.logonType,
        logins: nearest.logins,
        firstSeenMs: nearest.firstSeenMs,
        lastSeenMs: nearest.lastSeenMs,
        differs: nearest.differs,
      },
    }),
    ...(expectedPeers.length > 0 && {
      expectedPeers: expectedPeers.map(({ link, parameter, entity, entityKind, peers, observed, text }) => ({
        text,
        link,
        parameter,
        entity,
        entityKind,
        peers: peers.map(({ name, likelihood, logins }) => ({ name, likelihood, logins })),
        observed: {
          name: observed.name,
          likelihood: observed.likelihood,
          logins: observed.logins,
          rank: observed.rank,
          candidates: observed.candidates,
        },
      })),
    }),
    lastSeen: lastSeen.map(({ link, logins, firstSeenMs, lastSeenMs, text }) => ({
      text,
      link,
      logins,
      firstSeenMs,
      lastSeenMs,
    })),
  };
}

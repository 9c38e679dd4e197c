import { Buffer } from "node:buffer";
import { z } from "zod";
import { toFinding } from "../alerts/finding.ts";
import type { Suppression } from "../alerts/suppression.ts";
import type { Config } from "../config/schema.ts";
import { type Decoded, ignored, rejected } from "../ingest/decoded.ts";
import { OddlinkDecoder, recordSchema } from "../ingest/formats/oddlink.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import type { AlertRecord } from "../log/port.ts";
import { type Origin, uidOf } from "./records.ts";
import type { Scoring } from "./scoring.ts";

/** A year and a day: accounts are watched for a year at most before they are judged. */
const AGE_MS_MAX = 366 * 86_400_000;

/**
 * What a canary sends: a login in oddlink's own form, whatever the format of the input, that takes place `ageMs` before the newest login by then.
 * A clock of its own would move the time of a stream that is read years after it was recorded.
 */
export const canaryRecordSchema = z.strictObject({
  ageMs: z.number().int().min(0).max(AGE_MS_MAX),
  login: recordSchema.omit({ timeMs: true }),
});
export type CanaryRecord = z.infer<typeof canaryRecordSchema>;

/** A synthetic login that is odd, and tests whether that is found: it is scored, and never added. */
export type CanaryLogin = { readonly kind: "canary"; readonly id: string; readonly login: LoginBytes };

/** Nobody is to be told of it: an alert that is suppressed says so everywhere. */
const TEST: Suppression = {
  id: "canary",
  owner: "oddlink",
  reason: "a synthetic login that tests whether odd logins are found",
  until: "9999-12-31",
};

/** Before the first login there is nothing to be odd against. */
const TOO_EARLY = ignored("canary");
const decoder = new OddlinkDecoder();

/**
 * A record of a canary: what is usual of its account is evidence like any other; what is odd is a login to be scored only.
 *
 * @param watermarkMs time of the newest login
 */
export function readCanary(id: string, text: string, watermarkMs: number): Decoded | CanaryLogin {
  if (watermarkMs === Number.NEGATIVE_INFINITY) return TOO_EARLY;
  let record: CanaryRecord;
  try {
    record = canaryRecordSchema.parse(JSON.parse(text));
  } catch (error) {
    return rejected("invalid-login", `canary: ${(error as Error).message}`.slice(0, 200));
  }
  const timeMs = Math.max(0, Math.floor(watermarkMs - record.ageMs));
  const bytes = Buffer.from(JSON.stringify({ timeMs, ...record.login }));
  const decoded = decoder.decode(bytes, 0, bytes.length);
  return decoded.kind === "login" ? { kind: "canary", id, login: decoded.login } : decoded;
}

/** The alert of a canary's odd login, marked as a test; undefined if it would not alert. Nothing is learnt from it. */
export function canaryAlert(
  scoring: Scoring,
  config: Config,
  { id, login: bytes }: CanaryLogin,
  origin: Origin,
): AlertRecord | undefined {
  const probe = scoring.probe(bytes);
  if (!probe.isBelowThreshold) return undefined;
  const login = bytes.toLogin();
  const uid = uidOf(origin, config);
  const { signal, score, threshold, reasons, usual, nearestLogin, expectedPeers, lastSeen } = probe;
  const { link, ...signals } = probe.signals;
  const { user, sourceHost, targetHost } = login;
  const { epoch } = scoring;
  const finding = toFinding({
    uid,
    incidentUid: uid,
    login,
    origin,
    signal,
    detector: config.detector,
    score,
    threshold,
    signals: link === undefined ? signals : { ...signals, link },
    epoch: epoch === undefined ? null : { number: epoch.manifest.number, digest: epoch.manifest.digest },
    reasons,
    usual,
    comparison: { ...(nearestLogin && { nearestLogin }), expectedPeers, lastSeen },
    firstSeenMs: null,
    lastSeenMs: null,
    incidentCount: 1,
    incidentFirstMs: login.timeMs,
    incidentLegs: [{ user, sourceHost, targetHost }],
    relatedIncidents: [],
    suppression: TEST,
    learning: null,
    processedTimeMs: null,
  });
  const marked = { ...finding, metadata: { ...finding.metadata, labels: ["test"] } };
  return {
    uid,
    incidentUid: uid,
    timeMs: login.timeMs,
    signal,
    severity: finding.severity,
    score,
    partition: origin.partition,
    offset: origin.offset,
    finding: JSON.stringify(marked),
    suppressedBy: TEST.id,
    canary: id,
  };
}

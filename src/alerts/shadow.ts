import type { Graph } from "../graph-state/graph.ts";
import type { Incident } from "../graph-state/incidents.ts";
import { type LoginBytes, SOURCE_HOST, USER } from "../ingest/login-bytes.ts";
import { ODDER_NATS, PER_NAT, SHADOW_PREFIX, SLOT_MS } from "./decision.ts";
import type { DetectionFinding } from "./detection-finding.ts";
import type { Signal } from "./odd-login.ts";
import { type Suppression, tierOf } from "./suppression.ts";

/**
 * The incident of a login that would have alerted under another model, counted in a tier of its own; undefined if it would not: it is not
 * below the threshold, or its incident told as much before.
 *
 * @param threshold the one in force for the model that alerts
 * @param suppression the rule that suppresses an alert of this signal about this login
 */
export function shadowIncident(
  graph: Graph,
  signal: Signal,
  score: number,
  threshold: number,
  login: LoginBytes,
  partition: number,
  suppression: Suppression | undefined,
): Incident | undefined {
  if (score >= threshold) return undefined;
  const tier = SHADOW_PREFIX + tierOf(signal, suppression);
  const [user, sourceHost] = [login.text(USER), login.text(SOURCE_HOST)];
  const slotStartMs = Math.floor(graph.window.watermarkMs / SLOT_MS) * SLOT_MS;
  const peak = Math.round(-Math.log(score) * PER_NAT);
  const open = graph.incidents.find(tier, user, sourceHost, slotStartMs);
  const isAlert = open === undefined || peak >= open.alertedPeak + ODDER_NATS * PER_NAT;
  if (!isAlert) return undefined;
  return graph.incidents.add({
    tier,
    user,
    sourceHost,
    slotStartMs,
    slotEndMs: slotStartMs + SLOT_MS,
    alerts: 1,
    peak,
    alertedPeak: peak,
    partition,
  });
}

/** A finding that nobody is to be alerted by, and that says so. */
export function asShadow(finding: DetectionFinding): DetectionFinding {
  return { ...finding, is_alert: false, metadata: { ...finding.metadata, labels: ["shadow"] } };
}

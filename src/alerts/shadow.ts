import type { AlertGroup } from "../graph-state/alert-groups.ts";
import type { Graph } from "../graph-state/graph.ts";
import { type LoginBytes, SOURCE_HOST, USER } from "../ingest/login-bytes.ts";
import { ODDER_NATS, PER_NAT, SHADOW_PREFIX, SLOT_MS } from "./decision.ts";
import type { DetectionFinding } from "./detection-finding.ts";
import type { Signal } from "./odd-login.ts";
import { type Suppression, tierOf } from "./suppression.ts";

/**
 * The group of a login that would have alerted under another model, counted in a tier of its own; undefined if it would not: it is not
 * below the threshold, or its group told as much before.
 *
 * @param threshold the one in force for the model that alerts
 * @param suppression the rule that suppresses an alert of this signal about this login
 */
export function shadowGroup(
  graph: Graph,
  signal: Signal,
  score: number,
  threshold: number,
  login: LoginBytes,
  partition: number,
  suppression: Suppression | undefined,
): AlertGroup | undefined {
  if (score >= threshold) return undefined;
  const tier = SHADOW_PREFIX + tierOf(signal, suppression);
  const [user, sourceHost] = [login.text(USER), login.text(SOURCE_HOST)];
  const slotStartMs = Math.floor(graph.window.watermarkMs / SLOT_MS) * SLOT_MS;
  const peak = Math.round(-Math.log(score) * PER_NAT);
  const open = graph.alertGroups.find(tier, user, sourceHost, slotStartMs);
  const isAlert = open === undefined || peak >= open.alertedPeak + ODDER_NATS * PER_NAT;
  if (!isAlert) return undefined;
  return graph.alertGroups.add({
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

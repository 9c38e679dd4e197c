import { CLOSE_AFTER_MS, type Story } from "../graph-state/stories.ts";
import { attackGraphOf } from "./attack-graph.ts";
import type { ClosingFinding } from "./detection-finding.ts";
import { endpointObservable, endpointOf, userObservable, userOf } from "./entity.ts";
import { PRODUCT } from "./product.ts";
import { SEVERITY_CAPTIONS } from "./severity.ts";
import { closingUid } from "./uid.ts";
import { shown } from "./wording.ts";

const MS_PER_HOUR = 3_600_000;
const RULE = { type_id: 1, type: "Rule" } as const;

/** Whether what is read as a finding says that an incident is closed, and is about no login. */
export function isClosing(finding: object): boolean {
  return "activity_id" in finding && finding.activity_id === 3;
}

/** When a story is closed, by event time. */
export function closedAtMs({ lastMs }: Story): number {
  return lastMs + CLOSE_AFTER_MS;
}

/**
 * The last record of an incident: a finding with `activity_id` 3 (Close), under the uid that all its alerts have, with how many they were, and the
 * highest severity and risk among them. It says that nothing came for a day, and not that anybody has looked at it: there is no `status_id`.
 *
 * @param topic that the alerts' logins were read from
 */
export function closingOf(story: Story, topic: string, detector: string): ClosingFinding {
  const { uid, firstMs, lastMs, alerts, risk, severity, legs } = story;
  const timeMs = closedAtMs(story);
  const [leg = { user: "", sourceHost: "", targetHost: "" }] = legs;
  const actor = userOf(leg.user);
  const source = endpointOf(leg.sourceHost);
  const target = endpointOf(leg.targetHost);
  const graph = attackGraphOf({ login: leg, incidentLegs: legs, usual: [] });
  const hours = CLOSE_AFTER_MS / MS_PER_HOUR;
  const names = [leg.user, leg.sourceHost].filter((name) => name !== "").map(shown);
  const who = names.length === 0 ? shown(leg.targetHost) : names.join(" from ");
  const message = `Incident of ${who} closed: ${alerts === 1 ? "1 alert" : `${alerts} alerts`}, and neither one nor what repeats one for ${hours} hours.`;
  return {
    activity_id: 3,
    activity_name: "Close",
    category_uid: 2,
    category_name: "Findings",
    class_uid: 2004,
    class_name: "Detection Finding",
    type_uid: 200403,
    type_name: "Detection Finding: Close",
    time: timeMs,
    start_time: firstMs,
    end_time: lastMs,
    count: alerts,
    is_alert: false,
    severity_id: severity,
    severity: SEVERITY_CAPTIONS[severity] ?? "Unknown",
    confidence_id: 0,
    confidence: "Unknown",
    risk_score: risk,
    message,
    metadata: {
      version: "1.8.0",
      product: PRODUCT,
      profiles: [],
      uid: closingUid(uid),
      original_event_uid: uid,
      correlation_uid: uid,
    },
    finding_info: {
      uid,
      title: `Incident of ${who} closed`,
      desc: message,
      analytic: {
        name: "incident",
        uid: `${detector}/incident`,
        ...RULE,
        desc: "alerts of the same people and hosts, until a day passes without one",
      },
      attacks: [],
      ...(graph && { attack_graph: graph }),
      created_time: firstMs,
      modified_time: timeMs,
      first_seen_time: firstMs,
      last_seen_time: lastMs,
      related_events_count: alerts,
      data_sources: [topic],
    },
    evidences: [
      {
        ...(actor && { actor: { user: actor } }),
        ...(source && { src_endpoint: source }),
        ...(target && { dst_endpoint: target }),
        data: { detector, legs },
      },
    ],
    remediation: {
      desc: "If nobody has answered the incident yet, do so: that it is closed says only that nothing more came.",
    },
    observables: [
      ...userObservable("evidences[0].actor.user", actor),
      ...endpointObservable("evidences[0].src_endpoint", source),
      ...endpointObservable("evidences[0].dst_endpoint", target),
    ],
  };
}

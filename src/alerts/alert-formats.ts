import type { DetectionFinding } from "./detection-finding.ts";
import { toEcsSignal } from "./ecs-signal.ts";

/** In whose fields alerts are written. */
export const ALERT_FORMATS = ["ocsf", "ecs"] as const;
export type AlertFormat = (typeof ALERT_FORMATS)[number];

/** A finding, one line of JSON, as a line of JSON in another format. */
export function alertLine(format: AlertFormat, finding: string): string {
  return format === "ocsf" ? finding : JSON.stringify(toEcsSignal(JSON.parse(finding) as DetectionFinding));
}

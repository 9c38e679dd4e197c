import type { DetectionFinding } from "../../src/alerts/detection-finding.ts";
import { toFinding } from "../../src/alerts/finding.ts";
import type { Suppression } from "../../src/alerts/suppression.ts";
import { STOLEN } from "./odd-logins.ts";

export const SCANNER_RULE: Suppression = {
  id: "vulnerability-scanner",
  owner: "soc@corp.example",
  reason: "logs on everywhere by NTLM, change 4711",
  until: "2027-03-31",
};

/** A finding of an incident, told or suppressed by a rule; its account and hosts are those of `test/engine/office.ts`. */
export function findingOf(
  incidentUid: string,
  uid: string,
  { isSuppressed = false, timeMs = STOLEN.login.timeMs, count = 1 } = {},
): DetectionFinding {
  const login = {
    ...STOLEN.login,
    timeMs,
    user: "U3",
    targetUser: "U3",
    sourceHost: "W3",
    targetHost: "S12",
  };
  return toFinding({
    ...STOLEN,
    uid,
    incidentUid,
    login,
    incidentCount: count,
    ...(isSuppressed && { suppression: SCANNER_RULE }),
  });
}

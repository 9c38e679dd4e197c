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

/** A finding of an incident, told or suppressed by a rule. */
export function findingOf(
  incidentUid: string,
  uid: string,
  { isSuppressed = false, timeMs = STOLEN.login.timeMs } = {},
): DetectionFinding {
  const login = { ...STOLEN.login, timeMs };
  return toFinding({
    ...STOLEN,
    uid,
    incidentUid,
    login,
    ...(isSuppressed && { suppression: SCANNER_RULE }),
  });
}

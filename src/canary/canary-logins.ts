import { Buffer } from "node:buffer";
import type { CanaryRecord } from "../engine/canary.ts";
import type { ProducedRecord } from "../log/kafka/client.ts";
import { CANARY } from "../log/kafka/produced-records.ts";
import type { PresenceOptions } from "../model/presence.ts";

const MS_PER_HOUR = 3_600_000;
/** An account that has to be seen more often before it is judged is no use to test with. */
export const LEARN_RECORDS_MAX = 10_000;

const USER = "oddlink-canary";
const HOME = "oddlink-canary-home";
const ELSEWHERE = "oddlink-canary-elsewhere";
const TARGET = "oddlink-canary-target";

/** The account at work at home, which is what is usual of it. */
function atHome(ageMs: number): CanaryRecord {
  const login = {
    user: USER,
    sourceHost: HOME,
    targetHost: HOME,
    authType: "Kerberos",
    activity: "evidence",
    evidence: "strong",
    outcome: "success",
  } as const;
  return { ageMs: Math.round(ageMs), login };
}

/** What nobody who steals its password gets around: a login by a weak protocol from where it never showed that it is itself. */
const ODD: CanaryRecord = {
  ageMs: 0,
  login: {
    user: USER,
    sourceHost: ELSEWHERE,
    targetHost: TARGET,
    authType: "NTLM",
    logonType: "Network",
    outcome: "success",
  },
};

/** As many records as it takes for the account to be judged, over as long a time; the last one is of now. */
export function usualLogins(
  topic: string,
  partition: number,
  { learnRecords, learnHours }: PresenceOptions,
): ProducedRecord[] {
  const count = Math.max(2, learnRecords + 1);
  const spanMs = (learnHours + 1) * MS_PER_HOUR;
  return Array.from({ length: count }, (_, i) =>
    produced(topic, partition, "usual", atHome(spanMs * (1 - i / (count - 1)))),
  );
}

/** One more of them, so that they are not forgotten. */
export function usualLogin(topic: string, partition: number): ProducedRecord {
  return produced(topic, partition, "usual", atHome(0));
}

export function oddLogin(topic: string, partition: number, id: string): ProducedRecord {
  return produced(topic, partition, id, ODD);
}

function produced(topic: string, partition: number, id: string, record: CanaryRecord): ProducedRecord {
  const value = Buffer.from(JSON.stringify(record));
  return { topic, partition, key: USER, value, headers: { [CANARY]: id } };
}

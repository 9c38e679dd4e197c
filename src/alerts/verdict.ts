import { Buffer } from "node:buffer";
import { z } from "zod";
import type { Leg, LegEnd } from "../graph-state/stories.ts";
import { NAME_BYTES_MAX } from "../ingest/login.ts";
import type { DetectionFinding } from "./detection-finding.ts";
import { SIGNALS, type Signal } from "./odd-login.ts";
import { endMsOf, isTooLong, UNTIL_DAYS_MAX, untilSchema } from "./until.ts";

/** What an analyst may answer; `withdrawn` takes back what was answered before. */
export const VERDICT_KINDS = ["true-positive", "false-positive", "benign", "withdrawn"] as const;
export type VerdictKind = (typeof VERDICT_KINDS)[number];

const UID_LENGTH_MAX = 100;
const TARGETS_MAX = 100;
/** An incident may be the story of several accounts and hosts. */
const MATCHES_MAX = 32;
/** Longest record that is read as a verdict, bytes. */
export const VERDICT_BYTES_MAX = 128 * 1024;

const name = z.string().max(NAME_BYTES_MAX);
const uid = z
  .string()
  .regex(/^[\x21-\x7e]+$/, "expected visible ASCII")
  .max(UID_LENGTH_MAX);

/** Which logins an answer is about: names as a login has them, whole and in their letters; what is left out may be anything. */
export const verdictMatchSchema = z
  .strictObject({
    signals: z.array(z.enum(SIGNALS)).min(1).max(SIGNALS.length),
    user: name.optional(),
    sourceHost: name.optional(),
    targetHosts: z.array(name).min(1).max(TARGETS_MAX).optional(),
  })
  .refine((match) => match.user ?? match.sourceHost ?? match.targetHosts, {
    message: "a match without a name would be about every login",
  });

const answerFields = {
  verdict: z.enum(VERDICT_KINDS),
  by: z.string().trim().min(1).max(200).describe("who answers"),
  reason: z.string().trim().max(1000).optional(),
  until: untilSchema
    .optional()
    .describe(
      `last day (a date, in UTC) or end (a time) for which such alerts are suppressed, by the time of logins; at most ${UNTIL_DAYS_MAX} days ahead; of benign and false-positive only`,
    ),
};

/** What is wrong with an end: some answers need one, and others can have none. */
function untilProblem({ verdict, until }: { verdict: VerdictKind; until?: string | undefined }) {
  const isSuppressing = verdict === "benign" || verdict === "false-positive";
  if (isSuppressing && until === undefined)
    return `until is missing: ${verdict} suppresses such alerts, and must say for how long`;
  return !isSuppressing && until !== undefined ? `${verdict} suppresses nothing: leave until out` : undefined;
}

/** What a person says of an incident; all else of a verdict follows from its alerts. */
export const answerSchema = z.strictObject({
  ...answerFields,
  isAnyTarget: z
    .boolean()
    .default(false)
    .describe("about logins to any host, and not only to those that the alerts name"),
});
export type Answer = z.infer<typeof answerSchema>;

/** An analyst's answer to an incident: a record of the topic `verdicts`. The last one of an incident counts. */
export const verdictSchema = z
  .strictObject({
    uid: uid.describe("of this answer; also the key of its record"),
    incidentUid: uid.describe("finding_info.uid of the alerts"),
    ...answerFields,
    madeAtMs: z.number().int().min(0).describe("by the clock on the wall, milliseconds since 1970"),
    matches: z
      .array(verdictMatchSchema)
      .max(MATCHES_MAX)
      .default([])
      .describe("which logins it is about, any of them; without one the answer is kept and changes nothing"),
  })
  .superRefine((verdict, context) => {
    const message = untilProblem(verdict);
    if (message !== undefined) context.addIssue({ code: "custom", path: ["until"], message });
  });

export type Verdict = z.infer<typeof verdictSchema>;
export type VerdictMatch = Verdict["matches"][number];

/** @returns the verdict, or why the bytes are none */
export function decodeVerdict(bytes: Uint8Array): Verdict | string {
  if (bytes.length > VERDICT_BYTES_MAX) return `it has ${bytes.length} bytes`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch {
    return "it is no JSON";
  }
  const { success, data, error } = verdictSchema.safeParse(parsed);
  if (success) return data;
  const [issue] = error.issues;
  return [issue!.path.join("."), issue!.message].filter((part) => part !== "").join(": ");
}

/**
 * The verdict that an answer comes to.
 *
 * @param alerts of the incident, at least one
 * @returns the verdict, or why the answer is none
 */
export function verdictOf(
  { isAnyTarget, ...answer }: Answer,
  {
    uid,
    incidentUid,
    alerts,
    nowMs,
    legs,
  }: {
    readonly uid: string;
    readonly incidentUid: string;
    readonly alerts: readonly DetectionFinding[];
    readonly nowMs: number;
    readonly legs?: readonly Leg[] | undefined;
  },
): Verdict | string {
  const { until } = answer;
  const problem = untilProblem(answer);
  if (problem !== undefined) return problem;
  if (until !== undefined && isTooLong(until, nowMs))
    return `until ${until} is more than ${UNTIL_DAYS_MAX} days ahead`;
  if (until !== undefined && endMsOf(until) <= nowMs) return `until ${until} is over already`;
  const { verdict, by, reason } = answer;
  return {
    uid,
    incidentUid,
    verdict,
    by,
    ...(reason !== undefined && reason !== "" && { reason }),
    ...(until !== undefined && { until }),
    madeAtMs: Math.floor(nowMs),
    matches: matchesOf(alerts, isAnyTarget, legs),
  };
}

/** One login is odd by three signals at once, and the answer to one of them is the answer to all. */
const SIGNALS_OF_A_LOGIN: readonly Signal[] = ["presence", "surprise", "link"];

/**
 * Which logins the answer to an incident is about: those of each of its accounts from the source that it was alerted for, to the hosts that these alerts name.
 * Of bursts: those of their source, or to their targets if they have several sources.
 *
 * @param alerts of the incident that are at hand
 * @param isAnyTarget to whatever host
 * @param legs of its other alerts, as far as they are known
 */
export function matchesOf(
  alerts: readonly DetectionFinding[],
  isAnyTarget = false,
  legs: readonly Leg[] = [],
): VerdictMatch[] {
  const isBurst = ({ finding_info }: DetectionFinding): boolean => finding_info.analytic.name === "volume";
  // Legs of bursts name no account.
  const logins = [
    ...alerts.filter((alert) => !isBurst(alert)).map(legOf),
    ...legs.filter(({ user }) => user !== ""),
  ];
  const bursts = [...alerts.filter(isBurst).map(legOf), ...legs.filter(({ user }) => user === "")];
  const groups = Map.groupBy(logins, ({ user, sourceHost }) => JSON.stringify([user, sourceHost]));
  const matches = [...groups.values()].map(
    (group): VerdictMatch => ({
      signals: [...SIGNALS_OF_A_LOGIN],
      ...(group[0]!.user !== "" && { user: group[0]!.user }),
      sourceHost: group[0]!.sourceHost,
      ...(!isAnyTarget && { targetHosts: namesOf(group, "targetHost") }),
    }),
  );
  return [...matches, ...(bursts.length > 0 ? [burstMatch(bursts)] : [])].slice(0, MATCHES_MAX);
}

function burstMatch(bursts: readonly Leg[]): VerdictMatch {
  const sources = namesOf(bursts, "sourceHost").filter((source) => source !== "");
  return {
    signals: ["volume"],
    ...(sources.length === 1 ? { sourceHost: sources[0] } : { targetHosts: namesOf(bursts, "targetHost") }),
  };
}

function legOf({
  evidences: [{ actor, src_endpoint: source, dst_endpoint: target }],
}: DetectionFinding): Leg {
  return { user: actor?.user.name ?? "", sourceHost: source?.name ?? "", targetHost: target?.name ?? "" };
}

function namesOf(legs: readonly Leg[], end: LegEnd): string[] {
  return [...new Set(legs.map((leg) => leg[end]))].toSorted().slice(0, TARGETS_MAX);
}

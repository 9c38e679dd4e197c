import type { Facts } from "../../graph-state/facts.ts";
import type { LinkOddness } from "../link-signal.ts";

/** In place of the logarithm of the seconds since something that never happened: four months. */
const NEVER = 17;

export type ContrastFeature = {
  readonly name: string;
  /** Larger = odder; NaN if the login does not have it. */
  readonly value: (facts: Facts, link: LinkOddness) => number;
};

const sinceLast = (lastMs: number, facts: Facts): number =>
  Number.isNaN(lastMs) ? NEVER : Math.min(NEVER, Math.log1p(Math.max(0, facts.timeMs - lastMs) / 1000));

const ofRemote = (facts: Facts, value: number): number => (facts.isRemote ? value : Number.NaN);

/**
 * What the contrast is learnt over: surprisals in nats, gaps as logarithms of seconds, counts and degrees as logarithms, and how
 * unlikely the graph model finds each link. The sign of each says which way is odd; where either may be, it is there twice.
 */
export const CONTRAST_FEATURES: readonly ContrastFeature[] = [
  { name: "targetGivenSource", value: (f) => f.targetGivenSource },
  { name: "authGivenTarget", value: (f) => f.authGivenTarget },
  { name: "typeGivenSourceTarget", value: (f) => f.typeGivenSourceTarget },
  { name: "sourceGivenUser", value: (f) => f.sourceGivenUser },
  { name: "targetGivenUser", value: (f) => f.targetGivenUser },
  { name: "authGivenUser", value: (f) => f.authGivenUser },
  { name: "userGivenSource", value: (f) => f.userGivenSource },
  { name: "userGivenTarget", value: (f) => f.userGivenTarget },
  { name: "sinceSourceTargetType", value: (f) => ofRemote(f, sinceLast(f.sourceTargetTypeLastMs, f)) },
  { name: "rareSourceTargetType", value: (f) => ofRemote(f, -Math.log1p(f.sourceTargetTypeCount)) },
  { name: "sinceUserSource", value: (f) => sinceLast(f.userSourceLastMs, f) },
  // Of accounts that show strong evidence, or ask for tickets, elsewhere.
  {
    name: "noStrongEvidence",
    value: (f) => (f.userStrong > 0 ? f.noStrongGivenSource : Number.NaN),
  },
  { name: "noTicket", value: (f) => (f.userTickets > 0 ? f.noTicketGivenSource : Number.NaN) },
  { name: "newTargetsHour", value: (f) => Math.log1p(f.newTargetsHour) },
  { name: "newTargetsDay", value: (f) => Math.log1p(f.newTargetsDay) },
  { name: "userNewTargetsHour", value: (f) => Math.log1p(f.userNewTargetsHour) },
  { name: "userNewTargetsDay", value: (f) => Math.log1p(f.userNewTargetsDay) },
  // Hosts by what they do: many log on to a server, and to a workstation hardly anybody.
  { name: "targetFewSources", value: (f) => ofRemote(f, -Math.log1p(f.targetInDegree)) },
  { name: "targetManyTargets", value: (f) => ofRemote(f, Math.log1p(f.targetOutDegree)) },
  { name: "sourceManySources", value: (f) => ofRemote(f, Math.log1p(f.sourceInDegree)) },
  { name: "sourceFewTargets", value: (f) => ofRemote(f, -Math.log1p(f.sourceOutDegree)) },
  { name: "sourceFailures", value: (f) => f.sourceFailures },
  { name: "userFailures", value: (f) => f.userFailures },
  { name: "userSourceLink", value: (_, link) => link.userSource },
  { name: "userTargetLink", value: (_, link) => link.userTarget },
  { name: "sourceTargetLink", value: (_, link) => link.sourceTarget },
];

/** Those that only a trained graph model gives. */
export const LINK_FEATURES: ReadonlySet<string> = new Set([
  "userSourceLink",
  "userTargetLink",
  "sourceTargetLink",
]);

import type { Facts } from "../graph-state/facts.ts";
import type { Login } from "../ingest/login.ts";
import type { LinkOddness } from "../model/link-signal.ts";
import { ago, decimal, hosts, oneIn, wholeNumber } from "./quantities.ts";

/** What is said of a feature. */
export type Words = { readonly text: string; readonly observed: string; readonly usual: string };

/**
 * What a feature of the contrast says of an odd login, in words and numbers; undefined for one that other words stand for, see
 * `Explainer`.
 */
export function contrastWords(
  feature: string,
  login: Login,
  facts: Facts,
  link: Readonly<LinkOddness>,
): Words | undefined {
  const { user, sourceHost, targetHost, authType } = login;
  const by = authType === "" ? "" : ` by ${authType}`;
  switch (feature) {
    case "typeGivenSourceTarget":
    case "sinceSourceTargetType":
    case "rareSourceTargetType":
      return {
        text:
          facts.sourceTargetCount === 0
            ? `${sourceHost} never logged on to ${targetHost} before`
            : `${sourceHost} logged on to ${targetHost}${by} ${timesBefore(facts.sourceTargetTypeCount)}, of ${wholeNumber.format(facts.sourceTargetCount)} in all`,
        observed: Number.isNaN(facts.sourceTargetTypeLastMs)
          ? "never before"
          : `last ${ago(facts.timeMs - facts.sourceTargetTypeLastMs)}`,
        usual: "the same pair in the same way, again and again",
      };
    case "sinceUserSource":
      return {
        text: Number.isNaN(facts.userSourceLastMs)
          ? `${user} was never seen on ${sourceHost} before`
          : `${user} was last seen on ${sourceHost} ${ago(facts.timeMs - facts.userSourceLastMs)}`,
        observed: `${wholeNumber.format(facts.userSourceCount)} records`,
        usual: "seen there shortly before",
      };
    case "noStrongEvidence":
      return {
        text: `Kerberos tickets and console logins of ${user} come from other hosts, none from ${sourceHost}`,
        observed: `strong evidence on ${sourceHost}: ${wholeNumber.format(facts.userSourceStrong)}`,
        usual: `${wholeNumber.format(facts.userStrong)} elsewhere`,
      };
    case "noTicket":
      return {
        text: `${user} asked for Kerberos tickets ${wholeNumber.format(facts.userTickets)} times, never from ${sourceHost}`,
        observed: `ticket requests from ${sourceHost}: 0`,
        usual: `${wholeNumber.format(facts.userTickets)} from other hosts`,
      };
    case "userNewTargetsHour":
      return newTargets(user, facts.userNewTargetsHour, "the hour before");
    case "userNewTargetsDay":
      return newTargets(user, facts.userNewTargetsDay, "24 hours before");
    case "targetFewSources":
      return {
        text: `${targetHost} is logged on to from ${hosts(facts.targetInDegree)} only, as a workstation is`,
        observed: hosts(facts.targetInDegree),
        usual: "a server, with many",
      };
    case "targetManyTargets":
      return {
        text: `${targetHost} itself logs on to ${hosts(facts.targetOutDegree)}, as a workstation or a jump host does`,
        observed: hosts(facts.targetOutDegree),
        usual: "few",
      };
    case "sourceManySources":
      return {
        text: `${sourceHost} is logged on to from ${hosts(facts.sourceInDegree)}, as a server is: logins seldom come from one`,
        observed: hosts(facts.sourceInDegree),
        usual: "a workstation, with few",
      };
    case "sourceFewTargets":
      return {
        text: `${sourceHost} has logged on to ${hosts(facts.sourceOutDegree)} only`,
        observed: hosts(facts.sourceOutDegree),
        usual: "more",
      };
    case "sourceFailures":
      return failures(`from ${sourceHost}`, facts.sourceFailures);
    case "userFailures":
      return failures(`of ${user}`, facts.userFailures);
    case "userSourceLink":
      return unlikely(`${user} on ${sourceHost}`, link.userSource);
    case "userTargetLink":
      return unlikely(`${user} on ${targetHost}`, link.userTarget);
    case "sourceTargetLink":
      return unlikely(`${targetHost} from ${sourceHost}`, link.sourceTarget);
    default:
      return undefined;
  }
}

/** @param count odd links of the user in the weeks before, each faded by its age */
export function oddPast(user: string, count: number): Words {
  const text = count < 1.5 ? "another odd login" : `about ${wholeNumber.format(count)} other odd logins`;
  return {
    text: `${user} made ${text} to or from somewhere new in the weeks before`,
    observed: `${decimal.format(count)}, each halved for each week that has passed`,
    usual: "none",
  };
}

function timesBefore(count: number): string {
  return count === 0 ? "never before" : `${wholeNumber.format(count)} times`;
}

function newTargets(user: string, count: number, span: string): Words {
  return {
    text: `${user} reached ${hosts(Math.round(count))} for the first time within ${span}`,
    observed: `${wholeNumber.format(count)} new targets`,
    usual: "few or none",
  };
}

function failures(whose: string, share: number): Words | undefined {
  if (!(share > 0)) return undefined;
  const percent = `${decimal.format(100 * share)} %`;
  return {
    text: `About ${percent} of the records ${whose} are failed logins`,
    observed: percent,
    usual: "few",
  };
}

function unlikely(what: string, nats: number): Words | undefined {
  if (!(nats > 0)) return undefined;
  const probability = Math.exp(-nats);
  return {
    text: `The graph model would not have predicted ${what}: ${oneIn(probability)} looks this unlikely`,
    observed: `likelihood ${probability.toExponential(1)}`,
    // Calibrated on logins: so it is by what a likelihood means.
    usual: "above 0.1 for nine logins in ten",
  };
}

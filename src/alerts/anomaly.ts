import type { AnomalyAnalysis, Observed } from "./detection-finding.ts";
import type { OddLogin } from "./odd-login.ts";
import { minuteOf } from "./quantities.ts";

/** Types of the baselines that are sentences of their own: of how they compare with the login, see `Comparison`. */
const NEAREST = "nearest normal login";
const EXPECTED = "expected by the graph model";
const LAST_SEEN = "last seen";
export const COMPARED: ReadonlySet<string> = new Set([NEAREST, EXPECTED, LAST_SEEN]);

/**
 * What was observed against what is usual, in OCSF's words.
 *
 * Anomalies are the reasons, strongest first. Baselines say what each reason held the login against, then what is
 * normal for the entities, the nearest normal login, what the graph model would have expected, and when the login's links were last seen. A baseline names
 * its entity, or says its sentence, in `observed_pattern`, for OCSF gives it no other place.
 */
export function anomalyAnalysis(odd: OddLogin): AnomalyAnalysis {
  const baselines = [...reasonBaselines(odd), ...entityBaselines(odd), ...comparedBaselines(odd)];
  return {
    analysis_targets: targets(odd),
    anomalies: odd.reasons.length > 0 ? odd.reasons.map(anomaly) : [scoreAnomaly(odd)],
    ...(baselines.length > 0 && { baselines }),
  };
}

function targets({ login }: OddLogin): AnomalyAnalysis["analysis_targets"] {
  const named = [
    { name: login.user, type: "User Account" },
    { name: login.sourceHost, type: "Source Host" },
    { name: login.targetHost, type: "Target Host" },
  ];
  return named.filter((target) => target.name !== "");
}

function anomaly(reason: OddLogin["reasons"][number]): Observed {
  return {
    observation_parameter: reason.feature,
    observation_type: reason.signal,
    observed_pattern: reason.text,
    observations: [{ value: reason.observed }],
  };
}

/** An analysis needs an anomaly; where nothing explains the score, the score itself is it. */
function scoreAnomaly(odd: OddLogin): Observed {
  return {
    observation_parameter: "score",
    observation_type: odd.signal,
    observations: [{ value: String(odd.score) }],
  };
}

function reasonBaselines(odd: OddLogin): Observed[] {
  return odd.reasons
    .filter((reason) => reason.usual !== "")
    .map((reason) => ({
      observation_parameter: reason.feature,
      observation_type: reason.signal,
      observations: [{ value: reason.usual }],
    }));
}

function entityBaselines(odd: OddLogin): Observed[] {
  return odd.usual
    .filter((usual) => usual.values.length > 0)
    .map((usual) => ({
      observation_parameter: usual.parameter,
      observation_type: "frequency",
      observed_pattern: `usual for ${usual.entityKind} ${usual.entity}`,
      observations: usual.values.map(({ value, count }) => ({ value, count: Math.round(count) })),
    }));
}

function comparedBaselines({ comparison }: OddLogin): Observed[] {
  if (comparison === undefined) return [];
  const { nearestLogin: nearest, expectedPeers, lastSeen } = comparison;
  const route =
    nearest && [nearest.user, nearest.sourceHost, nearest.targetHost].filter((name) => name !== "");
  return [
    ...(nearest && route
      ? [
          {
            observation_parameter: "login",
            observation_type: NEAREST,
            observed_pattern: nearest.text,
            observations: [{ value: route.join(" -> "), count: nearest.logins }],
          },
        ]
      : []),
    ...expectedPeers.map(({ parameter, text, peers }) => ({
      observation_parameter: parameter,
      observation_type: EXPECTED,
      observed_pattern: text,
      observations: peers.map(({ name, logins }) => ({ value: name, count: logins })),
    })),
    ...lastSeen.map(({ link, text, logins, lastSeenMs }) => ({
      observation_parameter: link,
      observation_type: LAST_SEEN,
      observed_pattern: text,
      observations: [{ value: lastSeenMs === null ? "never" : minuteOf(lastSeenMs), count: logins }],
    })),
  ];
}

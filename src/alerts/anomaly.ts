import type { AnomalyAnalysis, Observed } from "./detection-finding.ts";
import type { OddLogin } from "./odd-login.ts";

/**
 * What was observed against what is usual, in OCSF's words.
 *
 * Anomalies are the reasons, strongest first. Baselines say what each reason held the login against, then what is
 * normal for the entities; a baseline names its entity in `observed_pattern`, for OCSF gives it no other place.
 */
export function anomalyAnalysis(odd: OddLogin): AnomalyAnalysis {
  const baselines = [...reasonBaselines(odd), ...entityBaselines(odd)];
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

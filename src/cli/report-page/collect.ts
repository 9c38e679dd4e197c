import type { DetectionFinding } from "../../alerts/detection-finding.ts";
import type { Config } from "../../config/schema.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Store } from "../../log/embedded/store.ts";
import { dataNotes } from "../run-summary.ts";
import type { RunSummary } from "../terminal/summary.ts";
import { type NeighbourhoodBounds, neighbourhood, type Route } from "./neighbourhood.ts";
import type { AlertsOverTime, Report, ReportedIncident } from "./report.ts";

/** Incidents that are shown, those of them with a drawing, and alerts of each. */
const INCIDENTS_MAX = 50;
const DRAWN_INCIDENTS_MAX = 10;
const ALERTS_MAX = 20;
/** What can be read in a drawing of everything, and in one of an incident. */
const WHOLE: NeighbourhoodBounds = { namedMax: 32, entitiesMax: 60, tiesMax: 90 };
const ONE_INCIDENT: NeighbourhoodBounds = { namedMax: 16, entitiesMax: 26, tiesMax: 60 };

const HOUR_MS = 3_600_000;
/** Bars that alerts over time may have, and what each may stand for: an hour, days, or weeks. */
const SLOTS_MAX = 100;
const SLOTS_MS = [1, 6, 24, 7 * 24, 28 * 24].map((hours) => hours * HOUR_MS);

/** Everything that a report shows of what a store holds and an engine has come to. */
export function collectReport(
  engine: Engine,
  store: Store,
  config: Config,
  summary: RunSummary,
  beside: Pick<Report, "sources" | "baselines" | "evaluation">,
): Report {
  const { graph } = engine;
  const stored = store.incidents(INCIDENTS_MAX).map((incident) => ({
    incident,
    findings: store
      .findingsOf(incident.uid, ALERTS_MAX)
      .map((finding) => JSON.parse(finding) as DetectionFinding),
  }));
  const incidents = stored.map(
    ({ incident, findings }, i): ReportedIncident => ({
      ...incident,
      findings,
      graph: i < DRAWN_INCIDENTS_MAX ? neighbourhood(graph, findings.map(routeOf), ONE_INCIDENT) : undefined,
    }),
  );
  const { watermarkMs } = graph.window;
  return {
    ...beside,
    detector: config.detector,
    limit:
      config.threshold === undefined
        ? { alertsPerDay: config.alertsPerDay }
        : { threshold: config.threshold },
    summary,
    notes: [
      ...(summary.stopped ? ["Stopped before the end of the input: this is a report of a part of it."] : []),
      ...dataNotes(engine),
    ],
    period: Number.isFinite(watermarkMs) ? [graph.originMs, watermarkMs] : undefined,
    incidents,
    incidentCount: store.countIncidents(),
    overTime: alertsOverTime(store),
    graph: neighbourhood(
      graph,
      stored.flatMap(({ findings }) => findings.map(routeOf)),
      WHOLE,
    ),
  };
}

/** Who, from where and to where, of an alert's login. */
export function routeOf({ evidences: [evidence] }: DetectionFinding): Route {
  return {
    user: evidence.actor?.user.name ?? "",
    sourceHost: evidence.src_endpoint?.name ?? "",
    targetHost: evidence.dst_endpoint?.name ?? "",
  };
}

function alertsOverTime(store: Store): AlertsOverTime | undefined {
  const span = store.alertSpan();
  if (span === undefined) return undefined;
  const wanted = (span[1] - span[0]) / SLOTS_MAX;
  const last = SLOTS_MS.at(-1)!;
  const slotMs = SLOTS_MS.find((candidate) => candidate >= wanted) ?? Math.ceil(wanted / last) * last;
  return { slotMs, slots: store.alertSlots(slotMs) };
}

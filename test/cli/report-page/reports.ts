import { toFinding } from "../../../src/alerts/finding.ts";
import type { OddLogin } from "../../../src/alerts/odd-login.ts";
import { neighbourhood } from "../../../src/cli/report-page/neighbourhood.ts";
import type { Report } from "../../../src/cli/report-page/report.ts";
import { Graph } from "../../../src/graph-state/graph.ts";
import { STOLEN, withLogin } from "../../alerts/odd-logins.ts";
import { addLogin } from "../../graph-state/logins.ts";

const BOUNDS = { namedMax: 16, entitiesMax: 30, tiesMax: 60 };

/** A report with an incident for each name, all of which come from outside. */
export function reportOf(names: readonly string[]): Report {
  const graph = new Graph({ window: { days: 30, maxLinks: 1000 } });
  const odds = names.map((name, i): OddLogin => {
    const other = names[(i + 1) % names.length]!;
    const odd = withLogin(STOLEN, { user: name, targetUser: other, sourceHost: other, targetHost: name });
    return {
      ...odd,
      login: { ...odd.login, authType: name },
      reasons: [{ ...odd.reasons[0]!, text: `${name} was never there`, observed: name, usual: other }],
      usual: [{ ...odd.usual[0]!, entity: name, values: [{ value: other, count: 3 }] }],
    };
  });
  for (const { login } of odds) if (Buffer.byteLength(login.user) <= 256) addLogin(graph, login);
  const routes = odds.map(({ login }) => login);
  return {
    sources: [...names],
    detector: "default",
    limit: { alertsPerDay: 5 },
    summary: {
      read: 100,
      consumed: 100,
      scored: 90,
      evidence: 4,
      ignored: 3,
      rejected: 2,
      duplicate: 1,
      alerts: names.length,
      alertsShadow: 0,
      suppressed: 0,
      suppressedByRule: {},
      incidents: names.length,
      epochs: 1,
      epochsRejected: 0,
      rollBacks: 0,
      seconds: 12.5,
      loginsPerSecond: 8,
      stopped: false,
      graph: { entities: 10, links: 20, digest: "0123" },
      ignoredReasons: { "log-off": 3 },
      rejectedReasons: { "invalid-json": 2 },
      alertsBySignal: names.length > 0 ? { presence: names.length } : {},
      decades: [...new Array<number>(10).fill(0), 3, 0, 0, 0, 0, 0, 1, 4, 12, 70],
      threshold: 0.0014,
      resolution: {},
      sinks: {},
      written: ["/somewhere/report.html"],
      notes: [],
    },
    notes: names.map((name) => `Watch ${name}.`),
    period: [0, 200_000_000],
    incidents: odds.map((odd, i) => ({
      uid: odd.incidentUid,
      alerts: i + 1,
      firstMs: 151_000_000,
      lastMs: 151_036_000,
      findings: [toFinding(odd)],
      graph: i < 2 ? neighbourhood(graph, [odd.login], BOUNDS) : undefined,
    })),
    incidentCount: names.length,
    overTime: {
      slotMs: 3_600_000,
      slots: names.length === 0 ? [] : [{ startMs: 151_200_000, signal: "presence", alerts: names.length }],
    },
    graph: neighbourhood(graph, routes, BOUNDS),
    baselines: [{ name: "never-seen-link", words: "never before", raised: 30, alerted: 2 }],
    evaluation: undefined,
  };
}

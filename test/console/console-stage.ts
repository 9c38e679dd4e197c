import type { TestContext } from "node:test";
import { Verdicts } from "../../src/alerts/verdicts.ts";
import { loadConfig } from "../../src/config/load.ts";
import { type ConsoleOptions, openConsole } from "../../src/console/console.ts";
import type { EngineView } from "../../src/console/engine-view.ts";
import type { Served } from "../../src/console/http-server.ts";
import { IncidentFeed } from "../../src/console/incident-feed.ts";
import type { Operations } from "../../src/console/operations.ts";
import { notReady } from "../../src/console/routes/api.ts";
import { Scoring } from "../../src/engine/scoring.ts";
import { emptyTotals } from "../../src/engine/totals.ts";
import { DAY_MS, ordinary, START_MS } from "../engine/office.ts";
import { loginBytes } from "../graph-state/logins.ts";

const DAYS = 2;

/** What a console shows of an engine that has scored some days of an office. */
export function engineOf(changes: Partial<EngineView> = {}): EngineView {
  const config = loadConfig({ environment: {}, flags: { "training.mode": "off" } });
  const verdicts = new Verdicts();
  const scoring = new Scoring(config, () => true, verdicts);
  const totals = emptyTotals();
  let offset = 0;
  for (const login of ordinary(START_MS + DAYS * DAY_MS)) {
    const bytes = loginBytes(login);
    scoring.advance(login.timeMs);
    scoring.score(bytes, 0);
    scoring.add(bytes, 0, offset++);
    totals.consumed++;
    totals.scored++;
  }
  return {
    graph: scoring.graph,
    totals,
    epoch: undefined,
    knownEpochs: [],
    threshold: 0.001,
    partitions: [0],
    isRestored: true,
    isRebuilding: false,
    verdicts,
    judge: async (verdict) => verdicts.add(verdict),
    groupPeaks: () => scoring.groupPeaks(),
    probe: (login) => scoring.probe(login),
    ...changes,
  };
}

export type Stage = { readonly console: Served; readonly feed: IncidentFeed; readonly bugs: Error[] };

/** Of a process that is well, and has nothing to tell. */
export const WELL: Operations = {
  unready: () => undefined,
  stuck: () => undefined,
  metrics: { contentType: "text/plain", text: async () => "" },
};

/** A console on a free port of the loopback interface, gone after the test. */
export async function stage(
  t: Pick<TestContext, "after">,
  options: Partial<ConsoleOptions> = {},
): Promise<Stage> {
  const feed = new IncidentFeed();
  const bugs: Error[] = [];
  const engine = options.engine ?? engineOf();
  const console = await openConsole({
    host: "127.0.0.1",
    port: 0,
    engine,
    feed,
    operations: { ...WELL, unready: () => notReady(engine) },
    onBug: (error) => bugs.push(error),
    ...options,
  });
  t.after(() => console.close());
  return { console, feed, bugs };
}

export async function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

export async function get(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Record<string, unknown>; readonly headers: Headers }> {
  const response = await fetch(url, { headers });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    headers: response.headers,
  };
}

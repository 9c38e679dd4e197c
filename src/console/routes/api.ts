import { Buffer } from "node:buffer";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { entityRisk } from "../../alerts/entity-risk.ts";
import { SCORE_BINS_PER_NAT } from "../../alerts/group-peaks.ts";
import { SEVERITY_CAPTIONS } from "../../alerts/severity.ts";
import { matchesOf } from "../../alerts/verdict.ts";
import { sumOf } from "../../engine/totals.ts";
import { OddlinkDecoder } from "../../ingest/formats/oddlink.ts";
import { VERSION } from "../../version.ts";
import type { EngineView } from "../engine-view.ts";
import { entityView } from "../entity-view.ts";
import type { EventStream } from "../event-stream.ts";
import { FEED_STATES, type FeedIncident, type IncidentFeed } from "../incident-feed.ts";
import {
  entityRequestSchema,
  entitySchema,
  errorSchema,
  incidentDetailSchema,
  incidentListSchema,
  scoreRequestSchema,
  scoreSchema,
  statusSchema,
} from "./schemas.ts";

export type ApiOptions = {
  readonly engine: EngineView;
  readonly feed: IncidentFeed;
  readonly events: EventStream;
  readonly lags: (() => readonly PartitionLag[]) | undefined;
};

/** Records of a partition that are not committed, and the age of the oldest. */
export type PartitionLag = { readonly records: number; readonly seconds: number };

const state = z
  .enum(FEED_STATES)
  .default("told")
  .describe("incidents that were told, those that a rule suppressed, or both");

/** Why the engine can't be asked now; undefined if it can. */
export function notReady({ isRestored, isRebuilding }: EngineView): string | undefined {
  if (!isRestored) return "the stored graph is being read";
  return isRebuilding ? "the graph is being built anew" : undefined;
}

/** The API, below `/api/v1`. Names of users and hosts are in bodies only: addresses get into logs. */
export function addApi(app: FastifyInstance, { engine, feed, events, lags }: ApiOptions): void {
  const api = app.withTypeProvider<ZodTypeProvider>();
  const unready = (): string | undefined => notReady(engine);
  const withVerdict = (incident: FeedIncident) => {
    const story = engine.graph.stories.find(incident.uid);
    return {
      ...incidentOf(incident),
      // The highest of all its alerts, whoever raised them.
      ...(story && { severity: SEVERITY_CAPTIONS[story.severity] ?? "Unknown" }),
      verdict: engine.verdicts.of(incident.uid).at(-1)?.verdict ?? null,
      // Of what the graph has forgotten the last alert is long ago.
      isClosed: (story?.closed ?? 1) > 0,
    };
  };

  api.get(
    "/status",
    { schema: { summary: "What this process does, and how far it is", response: { 200: statusSchema } } },
    async () => statusOf(engine, lags?.() ?? []),
  );

  api.get(
    "/incidents",
    {
      schema: {
        summary: "The newest incidents",
        querystring: z.strictObject({
          limit: z.coerce.number().int().min(1).max(1000).default(100),
          offset: z.coerce.number().int().min(0).default(0).describe("how many of the newest to leave out"),
          state,
        }),
        response: { 200: incidentListSchema },
      },
    },
    async ({ query: { limit, offset, state: asked } }) => ({
      total: feed.size(asked),
      counts: { told: feed.size("told"), suppressed: feed.size("suppressed") },
      incidents: feed.list(limit, asked, offset).map(withVerdict),
    }),
  );

  api.get(
    "/incidents/:uid",
    {
      schema: {
        summary: "An incident with its alerts",
        params: z.strictObject({ uid: z.string().max(100) }),
        response: { 200: incidentDetailSchema, 404: errorSchema },
      },
    },
    async ({ params }, reply) => {
      const incident = feed.find(params.uid);
      if (incident === undefined)
        return reply.code(404).send({ error: "this process knows no such incident, or no more" });
      return {
        ...withVerdict(incident),
        alerts: incident.alerts.map((finding) => ({ ...finding })),
        verdicts: [...engine.verdicts.of(incident.uid)],
        answerIsAbout: matchesOf(incident.alerts, false, engine.graph.stories.find(incident.uid)?.legs),
      };
    },
  );

  api.get(
    "/events",
    {
      schema: {
        summary: "New alerts as they are raised, as server-sent events",
        description:
          "Events are called alert; data is the OCSF finding, id the alert's uid. Last-Event-ID tells what was missed, of the newest thousand. With state=all, or suppressed, there are events called suppressed: findings that a rule keeps from everybody. They have no id; after a pause those since the last alert come again.",
        querystring: z.strictObject({ state }),
        response: { 200: z.any().describe("text/event-stream"), 503: errorSchema },
      },
    },
    async (request, reply) => {
      if (events.isFull) return reply.code(503).send({ error: "too many listen already: try again later" });
      const lastId = request.headers["last-event-id"];
      reply.hijack();
      events.add(reply.raw, typeof lastId === "string" ? lastId : undefined, request.query.state);
      return reply;
    },
  );

  api.post(
    "/entities",
    {
      schema: {
        summary: "What the graph knows of a user or a host: its links, the most frequent first",
        body: entityRequestSchema,
        response: { 200: entitySchema, 404: errorSchema, 503: errorSchema },
      },
    },
    async ({ body }, reply) => {
      const why = unready();
      if (why !== undefined) return reply.code(503).send({ error: why });
      const view = entityView(engine.graph, body.kind, body.name, body.peersMax);
      if (view === undefined)
        return reply.code(404).send({ error: `the graph knows no ${body.kind} of that name now` });
      const risk = riskView(engine, body.kind, body.name);
      return { ...(structuredClone(view) as Omit<z.infer<typeof entitySchema>, "risk">), risk };
    },
  );

  api.post(
    "/score",
    {
      schema: {
        summary: "What a login would be scored as, and why, if it came now",
        description: "Nothing is learnt from it, and no alert is raised.",
        body: scoreRequestSchema,
        response: { 200: scoreSchema, 400: errorSchema, 503: errorSchema },
      },
    },
    async ({ body }, reply) => {
      const why = unready();
      if (why !== undefined) return reply.code(503).send({ error: why });
      const { watermarkMs } = engine.graph.window;
      const login = { ...body, timeMs: body.timeMs ?? Math.max(0, watermarkMs) };
      const bytes = Buffer.from(JSON.stringify(login));
      const decoded = new OddlinkDecoder().decode(bytes, 0, bytes.length);
      if (decoded.kind !== "login") {
        const detail = decoded.kind === "rejected" ? decoded.detail : "it is no login";
        return reply.code(400).send({ error: detail });
      }
      return structuredClone(engine.probe(decoded.login)) as z.infer<typeof scoreSchema>;
    },
  );
}

function riskView(
  { graph, verdicts }: EngineView,
  kind: "user" | "host",
  name: string,
): z.infer<typeof entitySchema>["risk"] {
  const risk = entityRisk(graph, verdicts, kind, name);
  if (risk === undefined) return null;
  const { riskScore, riskLevelId, riskLevel, incidentAlerts, incidentCount, lastAlertMs } = risk;
  const incidents = risk.incidents.flatMap((uid) => {
    const story = graph.stories.find(uid);
    if (story === undefined) return [];
    const verdict = verdicts.of(uid).at(-1)?.verdict ?? null;
    const { alerts: count, firstMs, lastMs, closed } = story;
    return [{ uid, alerts: count, firstMs, lastMs, isClosed: closed > 0, verdict }];
  });
  return { riskScore, riskLevelId, riskLevel, incidentAlerts, incidentCount, lastAlertMs, incidents };
}

function incidentOf({ uid, alertCount, firstMs, lastMs, suppression, alerts }: FeedIncident) {
  const { finding_info: info, severity } = alerts.at(-1)!;
  const signal = info.analytic.name;
  return {
    uid,
    title: info.title,
    signal,
    severity,
    alertCount,
    firstMs,
    lastMs,
    suppression: suppression ?? null,
  };
}

function scoresOf(engine: EngineView): z.infer<typeof statusSchema>["scores"] {
  const { counts, days, scoreMax, alertsPerDay } = engine.groupPeaks();
  return {
    binsPerNat: SCORE_BINS_PER_NAT,
    logins: [...engine.totals.scoreBins],
    groups: [...counts],
    days,
    groupsBelow: scoreMax,
    alertsPerDay,
  };
}

function statusOf(engine: EngineView, lags: readonly PartitionLag[]): z.infer<typeof statusSchema> {
  const { totals, graph, epoch, threshold } = engine;
  const { consumed, scored, evidence, duplicate, alerts, suppressed, incidents } = totals;
  const timeOrNull = (timeMs: number): number | null => (Number.isFinite(timeMs) ? timeMs : null);
  return {
    version: VERSION,
    isReady: notReady(engine) === undefined,
    partitions: [...engine.partitions],
    lag:
      lags.length === 0
        ? null
        : {
            records: lags.reduce((sum, { records }) => sum + records, 0),
            seconds: Math.max(...lags.map(({ seconds }) => seconds)),
          },
    counts: {
      consumed,
      scored,
      evidence,
      ignored: sumOf(totals.ignored),
      rejected: sumOf(totals.rejected),
      duplicate,
      alerts,
      suppressed,
      incidents,
    },
    decades: [...totals.decades],
    scores: scoresOf(engine),
    threshold: threshold > 0 ? threshold : null,
    epoch: epoch === undefined ? null : { number: epoch.manifest.number, digest: epoch.manifest.digest },
    graph: {
      entities: graph.entityCount,
      links: graph.linkCount,
      fromMs: timeOrNull(graph.originMs),
      watermarkMs: timeOrNull(graph.window.watermarkMs),
    },
  };
}

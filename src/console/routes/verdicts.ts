import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { answerSchema, verdictOf, verdictSchema } from "../../alerts/verdict.ts";
import { OddlinkError } from "../../errors.ts";
import { nameOf } from "../access.ts";
import type { EngineView } from "../engine-view.ts";
import type { IncidentFeed } from "../incident-feed.ts";
import { errorSchema } from "./schemas.ts";

const UNKNOWN_INCIDENT = "this process knows no such incident, or no more";

export type VerdictRouteOptions = {
  readonly engine: EngineView;
  readonly feed: IncidentFeed;
  readonly trustedHeader: string | undefined;
};

/** What analysts answer to incidents, and have answered. */
export function addVerdicts(
  app: FastifyInstance,
  { engine, feed, trustedHeader }: VerdictRouteOptions,
): void {
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get(
    "/verdicts",
    {
      schema: {
        summary: "The last answer to each of the incidents that were answered last, the newest first",
        querystring: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(100) }),
        response: { 200: z.object({ total: z.number(), verdicts: z.array(verdictSchema) }) },
      },
    },
    async ({ query }) => ({
      total: engine.verdicts.size,
      verdicts: engine.verdicts.newest(query.limit),
    }),
  );

  api.post(
    "/incidents/:uid/verdict",
    {
      schema: {
        summary: "Answer an incident",
        description:
          "It is kept with all answers before it, and in force in every process a moment later. Behind a proxy that names whom it let in, that name is `by`.",
        params: z.strictObject({ uid: z.string().max(100) }),
        body: answerSchema.partial({ by: true }),
        response: { 200: verdictSchema, 400: errorSchema, 404: errorSchema, 503: errorSchema },
      },
    },
    async (request, reply) => {
      const { uid: incidentUid } = request.params;
      const incident = feed.find(incidentUid);
      if (incident === undefined) return reply.code(404).send({ error: UNKNOWN_INCIDENT });
      const by = (trustedHeader && nameOf(request, trustedHeader)) || request.body.by;
      if (by === undefined) return reply.code(400).send({ error: "by is missing: say who answers" });
      const { alerts } = incident;
      const legs = engine.graph.stories.find(incidentUid)?.legs;
      const made = { uid: randomUUID(), incidentUid, alerts, legs, nowMs: Date.now() };
      const verdict = verdictOf({ ...request.body, by }, made);
      if (typeof verdict === "string") return reply.code(400).send({ error: verdict });
      try {
        await engine.judge(verdict);
      } catch (error) {
        if (!(error instanceof OddlinkError)) throw error;
        return reply.code(503).send({ error: error.message });
      }
      return verdict;
    },
  );
}

import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { z } from "zod";
import type { EpochSummary, KnownEpoch } from "../../engine/epoch-history.ts";
import { parameterSizes } from "../../model/rgcn.ts";
import { type EmbeddingMap, type EmbeddingMaps, MAP_ENTITIES_MAX } from "../embedding-map/embedding-maps.ts";
import { entityCounts } from "../embedding-map/entity-counts.ts";
import type { EngineView } from "../engine-view.ts";
import { notReady } from "./api.ts";
import { type epochSchema, mapProgressSchema, mapSchema, modelSchema } from "./model-schemas.ts";
import { errorSchema } from "./schemas.ts";

/** As many as keys of the log have. */
const DIGEST_LENGTH = 12;

/** The part of the API on the model: its epochs, and a map of its embeddings. */
export function addModelApi(
  app: FastifyInstance,
  { engine, maps }: { readonly engine: EngineView; readonly maps: EmbeddingMaps },
): void {
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get(
    "/model",
    {
      schema: {
        summary: "The epochs of the model: how they were trained, what the gate found, what became of them",
        response: { 200: modelSchema },
      },
    },
    async () => ({
      inForce: engine.epoch?.manifest.number ?? null,
      epochs: engine.knownEpochs.map(epochOf),
    }),
  );

  api.get(
    "/model/map",
    {
      schema: {
        summary: "A map of the embeddings of the epoch in force, in two dimensions, by UMAP",
        description:
          `Of up to ${MAP_ENTITIES_MAX} users and hosts: those with alerts when it was computed, then the most frequent. Computed when it is first ` +
          "asked for, beside the scoring; 202 until it is there.",
        response: { 200: mapSchema, 202: mapProgressSchema, 404: errorSchema, 503: errorSchema },
      },
    },
    async (_, reply) => {
      const why = notReady(engine);
      if (why !== undefined) return reply.code(503).send({ error: why });
      const answer = maps.ask(engine);
      if (answer.kind === "none")
        return reply.code(404).send({ error: "no epoch is in force yet: there is nothing to draw" });
      if (answer.kind === "computing") return reply.code(202).send({ progress: answer.progress });
      if (answer.kind === "failed") throw answer.error;
      return mapOf(engine, answer.map);
    },
  );
}

function epochOf({
  number,
  digest,
  state,
  adoptedAtMs,
  gate,
  summary,
}: KnownEpoch): z.infer<typeof epochSchema> {
  return {
    number,
    digest: digest.slice(0, DIGEST_LENGTH),
    state,
    adoptedAtMs,
    rolledBack: summary?.rolledBack ?? null,
    training: summary === null ? null : trainingOf(summary),
    gate: gate === null ? null : { ...gate, drift: [...gate.drift] },
  };
}

function trainingOf(summary: EpochSummary) {
  const { trainedAtMs, startedFrom, backend, shape, options, entityCount, linkCount } = summary;
  const { decoder, dimensions, weights, bases, relations } = shape;
  const { seed, learningRate, l2, dropout, halfLifeDays } = options;
  const sizes = Object.values(parameterSizes(shape));
  return {
    ...{ trainedAtMs, backend, decoder, dimensions, weights, bases, relations },
    ...{ seed, learningRate, l2, dropout, halfLifeDays },
    startedFrom: startedFrom?.slice(0, DIGEST_LENGTH) ?? null,
    parameters: sizes.reduce((sum, size) => sum + size, 0),
    entities: entityCount,
    links: linkCount,
    steps: summary.steps,
    losses: [...summary.losses],
    heldOut: summary.heldOut,
  };
}

/** Places are those of when it was computed; alerts and logins those of now. */
function mapOf({ graph }: EngineView, { number, digest, entities, clusters, points }: EmbeddingMap) {
  return {
    epoch: { number, digest: digest.slice(0, DIGEST_LENGTH) },
    entities,
    clusters,
    points: points.map((point) => ({ ...point, ...entityCounts(graph, point.kind, point.name) })),
  };
}

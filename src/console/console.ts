import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { HTTP_PORT } from "../config/http.ts";
import { VERSION } from "../version.ts";
import { guard } from "./access.ts";
import { EmbeddingMaps } from "./embedding-map/embedding-maps.ts";
import type { EngineView } from "./engine-view.ts";
import { EventStream } from "./event-stream.ts";
import { httpServer, listen, type Served } from "./http-server.ts";
import type { IncidentFeed } from "./incident-feed.ts";
import { addOperations, type Operations } from "./operations.ts";
import { addApi, type PartitionLag } from "./routes/api.ts";
import { addModelApi } from "./routes/model.ts";
import { addPage } from "./routes/page.ts";
import { addVerdicts } from "./routes/verdicts.ts";

export type ConsoleOptions = {
  readonly host: string;
  /** Undefined: the usual one, or a free one if that is taken. */
  readonly port?: number | undefined;
  readonly token?: string | undefined;
  readonly trustedHeader?: string | undefined;
  readonly engine: EngineView;
  readonly feed: IncidentFeed;
  readonly operations: Operations;
  /** How far this process is behind its partitions; none where nobody says, or if left out. */
  readonly lags?: (() => readonly PartitionLag[]) | undefined;
  /** A request brought out a bug. */
  readonly onBug: (error: Error) => void;
};

/**
 * Serves health checks, metrics, the page, the API and the stream of events.
 *
 * @throws {OddlinkError} HTTP_UNAVAILABLE for a port that is taken, or an address that is none of this machine's
 */
export async function openConsole(options: ConsoleOptions): Promise<Served> {
  const events = new EventStream(options.feed);
  const maps = new EmbeddingMaps();
  const app = await appOf(options, events, maps);
  const close = async (): Promise<void> => {
    events.close();
    await maps.close();
    app.server.closeAllConnections();
    await app.close();
  };
  const { host, port } = options;
  try {
    const ports = port === undefined ? [HTTP_PORT, 0] : [port];
    return { url: await listen(app, { host, ports, section: "http" }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function appOf(
  options: ConsoleOptions,
  events: EventStream,
  maps: EmbeddingMaps,
): Promise<FastifyInstance> {
  const { engine, feed, onBug } = options;
  const app = httpServer(onBug, "/api/v1/openapi.json lists them");
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  guard(app, options);
  addPage(app);
  addOperations(app, options.operations);
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "oddlink",
        version: VERSION,
        description:
          "Incidents, entities and scores of one oddlink process. Names of users and hosts are in bodies only.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
    },
    transform: jsonSchemaTransform,
  });
  await app.register(
    async (api) => {
      addApi(api, { engine, feed, events, lags: options.lags });
      addVerdicts(api, { engine, feed, trustedHeader: options.trustedHeader });
      addModelApi(api, { engine, maps });
      api.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
    },
    { prefix: "/api/v1" },
  );
  return app;
}

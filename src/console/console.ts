import type { AddressInfo } from "node:net";
import swagger from "@fastify/swagger";
import Fastify, { type FastifyInstance } from "fastify";
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { HTTP_PORT } from "../config/http.ts";
import { OddlinkError } from "../errors.ts";
import { VERSION } from "../version.ts";
import { guard } from "./access.ts";
import { EmbeddingMaps } from "./embedding-map/embedding-maps.ts";
import type { EngineView } from "./engine-view.ts";
import { EventStream } from "./event-stream.ts";
import type { IncidentFeed } from "./incident-feed.ts";
import { addApi, notReady } from "./routes/api.ts";
import { addModelApi } from "./routes/model.ts";
import { addPage } from "./routes/page.ts";
import { addVerdicts } from "./routes/verdicts.ts";

const BODY_BYTES_MAX = 64 * 1024;
const REQUEST_MS_MAX = 10_000;

export type ConsoleOptions = {
  readonly host: string;
  /** Undefined: the usual one, or a free one if that is taken. */
  readonly port?: number | undefined;
  readonly token?: string | undefined;
  readonly trustedHeader?: string | undefined;
  readonly engine: EngineView;
  readonly feed: IncidentFeed;
  /** A request brought out a bug. */
  readonly onBug: (error: Error) => void;
};

/** The HTTP side of a process. */
export type Console = {
  /** Such as `http://127.0.0.1:9464`. */
  readonly url: string;
  close(): Promise<void>;
};

/**
 * Serves health checks, the page, the API and the stream of events.
 *
 * @throws {OddlinkError} HTTP_UNAVAILABLE for a port that is taken, or an address that is none of this machine's
 */
export async function openConsole(options: ConsoleOptions): Promise<Console> {
  const events = new EventStream(options.feed);
  const maps = new EmbeddingMaps();
  const app = await appOf(options, events, maps);
  const close = async (): Promise<void> => {
    events.close();
    await maps.close();
    app.server.closeAllConnections();
    await app.close();
  };
  try {
    await listen(app, options);
  } catch (error) {
    await close();
    throw error;
  }
  const { address, port, family } = app.server.address() as AddressInfo;
  return { url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}`, close };
}

async function appOf(
  options: ConsoleOptions,
  events: EventStream,
  maps: EmbeddingMaps,
): Promise<FastifyInstance> {
  const { engine, feed, onBug } = options;
  const app = Fastify({ bodyLimit: BODY_BYTES_MAX, requestTimeout: REQUEST_MS_MAX, logger: false });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.addHook("onSend", async (_, reply) => {
    // Nothing that is read here belongs into a cache, or into a page of somebody else's.
    reply.header("cache-control", "no-store");
    reply.header("x-content-type-options", "nosniff");
    if (!reply.hasHeader("content-security-policy"))
      reply.header("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
    reply.header("referrer-policy", "no-referrer");
  });
  app.setErrorHandler<Error & { readonly statusCode?: number }>((error, _, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) onBug(error);
    // What a bug says is for the log.
    return reply
      .code(status)
      .send({ error: status >= 500 ? "a bug of oddlink: see its log" : error.message });
  });
  app.setNotFoundHandler((_, reply) =>
    reply.code(404).send({ error: "there is no such address: /api/v1/openapi.json lists them" }),
  );
  guard(app, options);
  addPage(app);
  app.get("/healthz", { schema: { hide: true } }, async () => ({ status: "ok" }));
  app.get("/readyz", { schema: { hide: true } }, async (_, reply) => {
    const why = notReady(engine);
    return why === undefined ? { status: "ready" } : reply.code(503).send({ status: "not ready", why });
  });
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
      addApi(api, { engine, feed, events });
      addVerdicts(api, { engine, feed, trustedHeader: options.trustedHeader });
      addModelApi(api, { engine, maps });
      api.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
    },
    { prefix: "/api/v1" },
  );
  return app;
}

async function listen(app: FastifyInstance, { host, port }: ConsoleOptions): Promise<void> {
  const ports = port === undefined ? [HTTP_PORT, 0] : [port];
  for (const [i, one] of ports.entries()) {
    try {
      await app.listen({ host, port: one });
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EADDRINUSE" && i + 1 < ports.length) continue;
      if (code === "EADDRINUSE")
        throw new OddlinkError(
          "HTTP_UNAVAILABLE",
          `http.port ${one} is taken by another process: set another one, or 0 for a free one`,
          { cause: error },
        );
      throw new OddlinkError("HTTP_UNAVAILABLE", `can't listen on ${host}:${one} (${code}): see http.host`, {
        cause: error,
      });
    }
  }
}

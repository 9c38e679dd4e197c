import type { AddressInfo } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { OddlinkError } from "../errors.ts";

const BODY_BYTES_MAX = 64 * 1024;
const REQUEST_MS_MAX = 10_000;
/** How often connections are looked at whose requests take longer. */
const REQUEST_CHECK_MS = 2000;
const HEADER_BYTES_MAX = 16 * 1024;
const HEADERS_MAX = 100;
/** Connections at once, listeners to events included; of more each is closed. A flood must not take the files and memory that the logins need. */
const CONNECTIONS_MAX = 1000;

export const HTTP_LIMITS = {
  bodyBytesMax: BODY_BYTES_MAX,
  requestMsMax: REQUEST_MS_MAX,
  headerBytesMax: HEADER_BYTES_MAX,
  headersMax: HEADERS_MAX,
  connectionsMax: CONNECTIONS_MAX,
} as const;

/** Something that is served over HTTP. */
export type Served = {
  /** Such as `http://127.0.0.1:9464`. */
  readonly url: string;
  close(): Promise<void>;
};

/** A server that answers, whatever is asked, with nothing that belongs into a cache or another page. `onBug`: a request brought one out. */
export function httpServer(onBug: (error: Error) => void, hint: string): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_MS_MAX,
    http: { connectionsCheckingInterval: REQUEST_CHECK_MS, maxHeaderSize: HEADER_BYTES_MAX },
    logger: false,
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  app.server.headersTimeout = REQUEST_MS_MAX;
  app.server.maxHeadersCount = HEADERS_MAX;
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
  app.setNotFoundHandler((_, reply) => reply.code(404).send({ error: `there is no such address: ${hint}` }));
  return app;
}

export type Listening = {
  readonly host: string;
  /** The first that is free of these. */
  readonly ports: readonly number[];
  /** Section of the configuration that both come from. */
  readonly section: "http" | "management";
};

/**
 * Begins to listen.
 *
 * @returns where, such as `http://127.0.0.1:9464`
 * @throws {OddlinkError} HTTP_UNAVAILABLE for a port that is taken, or an address that is none of this machine's
 */
export async function listen(app: FastifyInstance, { host, ports, section }: Listening): Promise<string> {
  for (const [i, port] of ports.entries()) {
    try {
      await app.listen({ host, port });
      break;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EADDRINUSE" && i + 1 < ports.length) continue;
      if (code === "EADDRINUSE")
        throw new OddlinkError(
          "HTTP_UNAVAILABLE",
          `${section}.port ${port} is taken by another process: set another one, or 0 for a free one`,
          { cause: error },
        );
      throw new OddlinkError(
        "HTTP_UNAVAILABLE",
        `can't listen on ${host}:${port} (${code}): see ${section}.host`,
        { cause: error },
      );
    }
  }
  const { address, port, family } = app.server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

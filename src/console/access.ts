import { timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { isLoopback } from "../config/http.ts";

export type AccessOptions = {
  readonly host: string;
  readonly token?: string | undefined;
  readonly trustedHeader?: string | undefined;
};

/** Health checks of a supervisor know no token, and the page asks for one: neither says anything that is anybody's. */
const OPEN_PATHS: ReadonlySet<string> = new Set(["/", "/healthz", "/readyz"]);
const OPEN_PREFIX = "/page/";

/**
 * Lets in who may: on loopback everybody on this machine, unless a token is set; else who has the token, or was let in by the proxy before.
 *
 * On loopback the name that a request was sent to must be one of loopback: or a page from elsewhere, whose name somebody lets point here, could
 * read alerts in the browser of whoever visits it.
 */
export function guard(app: FastifyInstance, { host, token, trustedHeader }: AccessOptions): void {
  app.addHook("onRequest", async (request, reply) => {
    if (isLoopback(host) && trustedHeader === undefined && !isLoopbackName(request.hostname))
      return refuse(reply, 421, "this listens on loopback only: ask for it by localhost or 127.0.0.1");
    if (OPEN_PATHS.has(request.url) || request.url.startsWith(OPEN_PREFIX)) return undefined;
    if (token === undefined && trustedHeader === undefined) return undefined;
    if (trustedHeader !== undefined && nameOf(request, trustedHeader) !== "") return undefined;
    if (token !== undefined && hasToken(request, token)) return undefined;
    reply.header("www-authenticate", "Bearer");
    return refuse(reply, 401, "a bearer token is needed: see http.token in the configuration");
  });
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send({ error: message });
}

/** Whom a proxy before this has let in; empty if it does not say. */
export function nameOf(request: FastifyRequest, header: string): string {
  const value = request.headers[header.toLowerCase()];
  return typeof value === "string" ? value.trim() : "";
}

function hasToken({ headers }: FastifyRequest, token: string): boolean {
  const [, given] = /^bearer +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
  const [a, b] = [Buffer.from(given ?? ""), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function isLoopbackName(hostname: string): boolean {
  const name = hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return isIP(name) === 0 ? name === "localhost" || name.endsWith(".localhost") : isLoopback(name);
}

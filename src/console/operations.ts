import type { FastifyInstance } from "fastify";

/** What those who run a process ask of it. */
export type Operations = {
  /** Why it can't do its work now, in words; undefined if it can. */
  unready(): string | undefined;
  /** Why it should be started anew; undefined if it need not. */
  stuck(): string | undefined;
  /** Its metrics in the text format of Prometheus. */
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
};

/** Health and metrics: nothing of them names an account or a host. */
export function addOperations(app: FastifyInstance, operations: Operations): void {
  app.get("/healthz", { schema: { hide: true } }, async (_, reply) => {
    const why = operations.stuck();
    return why === undefined ? { status: "ok" } : reply.code(503).send({ status: "stuck", why });
  });
  app.get("/readyz", { schema: { hide: true } }, async (_, reply) => {
    const why = operations.unready();
    return why === undefined ? { status: "ready" } : reply.code(503).send({ status: "not ready", why });
  });
  app.get("/metrics", { schema: { hide: true } }, async (_, reply) => {
    const { metrics } = operations;
    return reply.type(metrics.contentType).send(await metrics.text());
  });
}

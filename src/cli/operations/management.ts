import type { Config } from "../../config/schema.ts";
import type { Operations } from "../../console/operations.ts";

/** Health and metrics that are served on an address of their own. */
export type Managed = {
  /** Fires, with the error as its reason, if they can't be served. */
  readonly failed: AbortSignal;
  close(): Promise<void>;
};

/**
 * Fails where what is to be served could not be, before anything else is touched: another process may still take a port meanwhile.
 *
 * @param isServed whether the page and the API are served too
 * @throws {OddlinkError} HTTP_UNAVAILABLE
 */
export async function expectFreePorts({ http, management }: Config, isServed: boolean): Promise<void> {
  const wanted = [
    { section: "http", host: http.host, port: isServed ? http.port : undefined },
    { section: "management", ...management },
  ] as const;
  for (const { section, host, port } of wanted) {
    if (port === undefined) continue;
    const { httpServer, listen } = await import("../../console/http-server.ts");
    const app = httpServer(() => {}, "");
    try {
      await listen(app, { host, ports: [port], section });
    } finally {
      await app.close();
    }
  }
}

/** Begins to serve them where the configuration says so. `say`: what is good to know. */
export function manage(
  { management: { host, port } }: Config,
  operations: Operations | undefined,
  say: (message: string) => void,
): Managed | undefined {
  if (port === undefined || operations === undefined) return undefined;
  const failing = new AbortController();
  const opening = import("../../console/management.ts").then(({ openManagement }) =>
    openManagement({
      host,
      port,
      operations,
      onBug: (error) => say(`a bug of oddlink, in an answer over HTTP: ${error.stack ?? error.message}`),
    }),
  );
  opening.then(
    ({ url }) => say(`management: ${url}/metrics`),
    (error: unknown) => failing.abort(error),
  );
  return {
    failed: failing.signal,
    close: async () => (await opening.catch(() => undefined))?.close(),
  };
}

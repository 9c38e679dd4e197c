import type { Config } from "../../config/schema.ts";
import type { Operations } from "../../console/operations.ts";

/** Health and metrics that are served on an address of their own. */
export type Managed = {
  /** Fires, with the error as its reason, if they can't be served. */
  readonly failed: AbortSignal;
  close(): Promise<void>;
};

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

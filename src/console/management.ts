import { httpServer, listen, type Served } from "./http-server.ts";
import { addOperations, type Operations } from "./operations.ts";

export type ManagementOptions = {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly operations: Operations;
  /** A request brought out a bug. */
  readonly onBug: (error: Error) => void;
};

/**
 * Serves health and metrics alone: for who supervises a process and may not read its alerts.
 *
 * @throws {OddlinkError} HTTP_UNAVAILABLE
 */
export async function openManagement({ host, port, operations, onBug }: ManagementOptions): Promise<Served> {
  const app = httpServer(onBug, "/healthz, /readyz and /metrics are served here");
  addOperations(app, operations);
  const close = async (): Promise<void> => {
    app.server.closeAllConnections();
    await app.close();
  };
  try {
    return { url: await listen(app, { host, ports: [port], section: "management" }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

import { type BrokerReach, SILENCE_MS } from "./broker-reach.ts";
import type { InternalConnection, InternalConnectionPool } from "./internals.ts";
import { causesOf } from "./kafka-errors.ts";

/** Time for answers to be read by a process that was busy, or asleep, itself, milliseconds. */
const READ_MS = 250;
/** Requests that a broker answers when the other members of a group have come: JoinGroup, SyncGroup. */
const PATIENT_KEYS: ReadonlySet<number> = new Set([11, 14]);

const CLOSED = "it closes connections";

/** Has the connections to a broker connect in turn, and tell what became of it. */
export function watchConnections({ pool, host, port }: InternalConnectionPool, reach: BrokerReach): void {
  for (const connection of pool) {
    watchConnecting(connection, `${host}:${port}`, reach);
    watchAnswers(connection, `${host}:${port}`, reach);
  }
}

function watchConnecting(connection: InternalConnection, broker: string, reach: BrokerReach): void {
  const { connect } = connection;
  const watched = (): Promise<unknown> => {
    if (connection.isConnected()) return Promise.resolve(true);
    return reach.connect(broker, () =>
      // It may have been closed for good while it waited.
      connection.connect === watched ? connect.call(connection) : connection.connect(),
    );
  };
  connection.connect = watched;
}

function watchAnswers(connection: InternalConnection, broker: string, reach: BrokerReach): void {
  const { send } = connection;
  connection.send = async (...args) => {
    const { request } = args[0] as { readonly request: { readonly apiKey: number } };
    const sentMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const after = (ms: number, next: () => void): void => {
      timer = setTimeout(next, ms).unref();
    };
    if (!PATIENT_KEYS.has(request.apiKey))
      after(SILENCE_MS, () => after(READ_MS, () => reach.unanswered(broker, sentMs)));
    try {
      const answer = await send.apply(connection, args);
      reach.answered(broker);
      return answer;
    } catch (error) {
      // An error code of the protocol is an answer too.
      if (causesOf(error).some(({ type }) => type !== undefined)) reach.answered(broker);
      else if ((error as Error).name === "KafkaJSConnectionClosedError") reach.failed(broker, CLOSED);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
}

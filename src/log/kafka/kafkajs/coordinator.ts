import { setTimeout as sleep } from "node:timers/promises";
import type { InternalBroker, InternalCluster } from "./internals.ts";
import { brokerErrorType, causesOf, mayHeal } from "./kafka-errors.ts";

/** While the markers of the last transaction are written the broker asks for patience, for a few milliseconds mostly. */
const BUSY_MS_MIN = 2;
const BUSY_MS_MAX = 50;
const BACKOFF_MS_MIN = 10;
const BACKOFF_MS_MAX = 500;

const KINDS = { group: 0, transaction: 1 } as const;

/** The broker that coordinates a group or the transactions of an id. Found once, and again when it has moved. */
export class Coordinator {
  readonly #cluster: InternalCluster;
  readonly #kind: keyof typeof KINDS;
  readonly #id: string;
  #broker: InternalBroker | undefined;

  constructor(cluster: InternalCluster, kind: keyof typeof KINDS, id: string) {
    this.#cluster = cluster;
    this.#kind = kind;
    this.#id = id;
  }

  /**
   * Asks until there is an answer that trying again won't change, for as long as it takes: the caller sets the limit.
   *
   * @param onUnanswered called when a request was sent and nobody knows whether it was done
   * @throws what the coordinator answered
   */
  async ask<Answer>(
    request: (broker: InternalBroker) => Promise<Answer>,
    onUnanswered: () => void = () => {},
  ): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      let isSent = false;
      try {
        this.#broker ??= await this.#find();
        isSent = true;
        return await request(this.#broker);
      } catch (error) {
        const type = brokerErrorType(error);
        if (isSent && type === undefined) onUnanswered();
        if (!mayHeal(error)) throw error;
        if (type === "CONCURRENT_TRANSACTIONS") {
          await sleep(backoffMs(attempt, BUSY_MS_MIN, BUSY_MS_MAX));
        } else {
          this.#broker = undefined;
          forgetBroker(this.#cluster, error);
          await sleep(backoffMs(attempt, BACKOFF_MS_MIN, BACKOFF_MS_MAX));
        }
      }
    }
  }

  async #find(): Promise<InternalBroker> {
    await this.#cluster.connect();
    return this.#cluster.findGroupCoordinator({ groupId: this.#id, coordinatorType: KINDS[this.#kind] });
  }
}

/** Doubles with each attempt, up to a maximum. */
export function backoffMs(attempt: number, minMs: number, maxMs: number): number {
  return Math.min(maxMs, minMs * 2 ** Math.min(attempt, 20));
}

/** kafkajs keeps what it knows of a broker whose connection has broken, dead addresses included. */
export function forgetBroker(cluster: InternalCluster, error: unknown): void {
  const { host, port } = causesOf(error).find((cause) => cause.host !== undefined) ?? {};
  if (host !== undefined && port !== undefined) cluster.removeBroker({ host, port });
}

/** Attempts to connect that may fail in a row before they are spaced out. */
const FREE_ATTEMPTS = 3;
/** From one attempt that failed to the next, milliseconds: whoever else wants to connect meanwhile waits for its outcome. */
const ATTEMPT_SPACING_MS = 250;
/** A broker that answers nothing for so long while something is asked is not there, milliseconds. */
export const SILENCE_MS = 3000;
/** A broker that is away for less is not worth a word, milliseconds. */
const LOST_MS_MIN = 1000;
/** Brokers remembered; an address is forgotten when so many others were used after it. */
const BROKERS_MAX = 1000;
/** Brokers named in one message. */
const NAMED_MAX = 3;

export type BrokerReachOptions = {
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Said once for each outage. `hasAnswered`: it was there before. */
  readonly onLost: (broker: string, reason: string, hasAnswered: boolean) => void;
  readonly onReached: (broker: string, lostMs: number) => void;
};

/** What is known of the way to one broker. */
type Link = {
  /** Attempts to connect that failed in a row. */
  failedAttempts: number;
  /** The attempt that all others wait for. */
  probe: Promise<void> | undefined;
  error: Error | undefined;
  answeredMs: number;
  /** Of the first failure since the last answer. */
  failingSinceMs: number | undefined;
  /** Of the last failure. */
  failedMs: number;
  reason: string;
  isSaid: boolean;
};

/**
 * Which brokers can be reached, over all connections of a client: says once when one can't and once when it can again, and
 * keeps dozens of connections from trying at once, again and again, where one try tells.
 *
 * Only an answer shows that a broker is there: one that hangs still takes connections.
 */
export class BrokerReach {
  readonly #options: BrokerReachOptions;
  readonly #links = new Map<string, Link>();

  constructor(options: BrokerReachOptions) {
    this.#options = options;
  }

  /**
   * Connects, at once unless the last attempts have failed.
   *
   * @param broker its address, host:port
   * @throws what the attempt, or the one that was waited for, ended with
   */
  async connect<Connected>(broker: string, attempt: () => Promise<Connected>): Promise<Connected> {
    const link = this.#linkOf(broker);
    if (link.failedAttempts >= FREE_ATTEMPTS) {
      if (link.probe !== undefined) {
        await link.probe;
        if (link.failedAttempts > 0 && link.error !== undefined) throw link.error;
      } else return this.#probe(broker, link, attempt);
    }
    return this.#attempt(broker, link, attempt);
  }

  answered(broker: string): void {
    const link = this.#linkOf(broker);
    const nowMs = this.#options.monotonicMs();
    const { failingSinceMs, isSaid } = link;
    Object.assign(link, { answeredMs: nowMs, failingSinceMs: undefined, isSaid: false });
    if (isSaid) this.#options.onReached(broker, nowMs - failingSinceMs!);
  }

  /** A request is without an answer. @param sinceMs when it was sent */
  unanswered(broker: string, sinceMs: number): void {
    const { answeredMs } = this.#linkOf(broker);
    const silentSinceMs = Math.max(sinceMs, answeredMs);
    if (this.#options.monotonicMs() - silentSinceMs < SILENCE_MS) return;
    this.failed(broker, "it does not answer", silentSinceMs);
  }

  /** @param sinceMs since when it has */
  failed(broker: string, reason: string, sinceMs?: number): void {
    const link = this.#linkOf(broker);
    const nowMs = this.#options.monotonicMs();
    link.failingSinceMs ??= sinceMs ?? nowMs;
    link.failedMs = nowMs;
    link.reason = reason;
    if (link.isSaid || nowMs - link.failingSinceMs < LOST_MS_MIN) return;
    link.isSaid = true;
    this.#options.onLost(broker, reason, link.answeredMs > Number.NEGATIVE_INFINITY);
  }

  /** The brokers that can't be reached now, and why; undefined if there are none. */
  get trouble(): string | undefined {
    const failing = [...this.#links].filter(([, link]) => link.failingSinceMs !== undefined);
    if (failing.length === 0) return undefined;
    const named = failing.slice(0, NAMED_MAX).map(([broker, { reason }]) => `${broker}: ${reason}`);
    return named.join("; ") + (failing.length > NAMED_MAX ? `; and ${failing.length - NAMED_MAX} more` : "");
  }

  #probe<Connected>(broker: string, link: Link, attempt: () => Promise<Connected>): Promise<Connected> {
    const { monotonicMs, sleep } = this.#options;
    const waitMs = Math.max(0, link.failedMs + ATTEMPT_SPACING_MS - monotonicMs());
    const connected = sleep(waitMs).then(() => this.#attempt(broker, link, attempt));
    const done = (): void => {
      link.probe = undefined;
    };
    link.probe = connected.then(done, done);
    return connected;
  }

  async #attempt<Connected>(
    broker: string,
    link: Link,
    attempt: () => Promise<Connected>,
  ): Promise<Connected> {
    try {
      const connected = await attempt();
      link.failedAttempts = 0;
      return connected;
    } catch (error) {
      // Whoever is closed while it waits for its turn has not found out anything about the broker.
      if ((error as Error).name !== "KafkaJSConnectionError") throw error;
      link.failedAttempts++;
      link.error = error as Error;
      this.failed(broker, reasonOf(error as Error));
      throw error;
    }
  }

  #linkOf(broker: string): Link {
    const known = this.#links.get(broker);
    if (known !== undefined) return known;
    const link: Link = {
      failedAttempts: 0,
      probe: undefined,
      error: undefined,
      answeredMs: Number.NEGATIVE_INFINITY,
      failingSinceMs: undefined,
      failedMs: Number.NEGATIVE_INFINITY,
      reason: "",
      isSaid: false,
    };
    this.#links.set(broker, link);
    if (this.#links.size > BROKERS_MAX) this.#links.delete(this.#links.keys().next().value!);
    return link;
  }
}

/** What Node said, without what kafkajs put before it, and the address, which is said anyway. */
function reasonOf({ message }: Error): string {
  return message.replace(/^(Connection error|Failed to connect): /, "").replace(/ \S+:\d+$/, "");
}

import { OddlinkError } from "../../errors.ts";
import type { Time } from "../../time.ts";
import type { Follower, KeyedRecord } from "../port.ts";
import type { KafkaClient } from "./client.ts";
import { KeyedFollower } from "./keyed-follower.ts";

/** How often it is looked whether the topic is there by now, milliseconds. */
const LOOK_MS = 10_000;

export type OptionalFollowerOptions = {
  readonly client: KafkaClient;
  readonly time: Time;
  readonly topic: string;
  readonly onRecord: (record: KeyedRecord) => void;
  /** The topic can't be followed now; said once until it can. */
  readonly onTrouble: (message: string) => void;
};

/**
 * Follows a topic that a process can do without: while it is missing, or may not be read, it is looked for again and again. What was handed
 * over before an interruption is handed over again after it.
 */
export class OptionalFollower implements Follower {
  readonly #options: OptionalFollowerOptions;
  readonly #closing = new AbortController();
  readonly #loop: Promise<void>;
  /** Resolves with what follows it, or undefined if that can't be done now. */
  #current = Promise.withResolvers<KeyedFollower | undefined>();

  constructor(options: OptionalFollowerOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  async caughtUp(): Promise<void> {
    // What ends meanwhile is said elsewhere, and is no reason to wait.
    await (await this.#current.promise)?.caughtUp().catch(() => {});
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#current.resolve(undefined);
    const follower = await this.#current.promise;
    await follower?.close();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { client, time, topic, onRecord, onTrouble } = this.#options;
    const { signal } = this.#closing;
    let isTold = false;
    while (!signal.aborted) {
      try {
        await client.topicOffsets(topic);
        if (signal.aborted) return;
        const ended = Promise.withResolvers<Error>();
        const follower = new KeyedFollower(client, topic, undefined, onRecord, ended.resolve);
        this.#current.resolve(follower);
        isTold = false;
        const onClose = (): void => ended.resolve(new Error("closed"));
        signal.addEventListener("abort", onClose);
        const error = await ended.promise;
        signal.removeEventListener("abort", onClose);
        if (signal.aborted) return;
        await follower.close();
        this.#current = Promise.withResolvers();
        throw error;
      } catch (error) {
        if (signal.aborted) return;
        this.#current.resolve(undefined);
        if (!isTold) onTrouble(messageOf(topic, error));
        isTold = true;
      }
      await time.sleep(LOOK_MS, signal);
      this.#current = Promise.withResolvers();
    }
  }
}

function messageOf(topic: string, error: unknown): string {
  if (error instanceof OddlinkError && error.code === "KAFKA_TOPIC_MISSING")
    return `${topic} does not exist, so nobody's verdicts are known; oddlink topics --create makes it`;
  return `${topic} can't be read now, which is tried again: ${(error as Error).message}`;
}

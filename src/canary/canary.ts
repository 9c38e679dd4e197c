import { unlessAborted } from "../aborting.ts";
import { OddlinkError } from "../errors.ts";
import { appendRecords } from "../log/kafka/append-records.ts";
import type { KafkaClient, ProducedRecord } from "../log/kafka/client.ts";
import { CANARY } from "../log/kafka/produced-records.ts";
import type { PresenceOptions } from "../model/presence.ts";
import type { Time } from "../time.ts";
import { oddLogin, usualLogin, usualLogins } from "./canary-logins.ts";

/** What is not answered by then is not waited for any more. */
export const MISSED_AFTER_MS = 60_000;
/**
 * For so long after the start, and until the first is detected, what is missed is not counted: perhaps there is no login yet to be odd
 * against, and no worker.
 */
const WARM_UP_MS = 600_000;
/** The links of the account must not fall out of the window, nor what it is known by be forgotten. */
const USUAL_EVERY_MS = 3_600_000;

export const OUTCOMES = ["detected", "late", "missed", "unsent"] as const;
/** What came of an odd login: its alert was read in time, or too late, or not within a minute; or it could not be written. */
export type Outcome = (typeof OUTCOMES)[number];

export type CanaryOptions = {
  readonly client: KafkaClient;
  readonly time: Time;
  readonly group: string;
  readonly topics: { readonly logins: string; readonly alerts: string };
  readonly presence: PresenceOptions;
  readonly everyMs: number;
  readonly deadlineMs: number;
  /** A text that no other canary gives. */
  readonly newId: () => string;
  /** @param seconds from when it was sent until its alert was read; undefined if none was */
  readonly onOutcome: (outcome: Outcome, seconds: number | undefined) => void;
  readonly onTrouble: (message: string) => void;
  readonly signal: AbortSignal;
};

/**
 * Tests from outside, all the way, whether odd logins are found: it writes one that is odd to the topic of logins every minute, to one
 * partition after the other, and waits for its alert as any reader of alerts does.
 *
 * What is odd is scored by whoever has the partition, as any login is, and never added to the graph; so it is as odd the next time, and nothing is learnt from it.
 */
export class Canary {
  readonly #options: CanaryOptions;
  /** When each was sent, milliseconds of the monotonic clock, by its id. At most as many as are sent in `MISSED_AFTER_MS`. */
  readonly #pending = new Map<string, number>();
  /** True once one was detected. */
  #isReady = false;
  #startedAtMs = 0;
  #hasMissed = false;
  #failure: unknown;

  constructor(options: CanaryOptions) {
    this.#options = options;
  }

  /** Odd logins whose alert is waited for. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** True once an odd login was detected. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Sends and waits until the signal fires.
   *
   * @throws {OddlinkError} KAFKA_TOPIC_MISSING, KAFKA_DENIED, KAFKA_FAILED
   */
  async run(): Promise<void> {
    const { client, topics, time, everyMs, signal } = this.#options;
    const partitions = (await client.topicOffsets(topics.logins)).map(({ partition }) => partition);
    const alerts = await client.topicOffsets(topics.alerts);
    const failing = new AbortController();
    const stop = AbortSignal.any([signal, failing.signal]);
    const tail = client.tail({
      topic: topics.alerts,
      // What was raised before is none of its own.
      startAt: (partition) => alerts.find((found) => found.partition === partition)?.stable ?? 0,
      onRecords: (_, records) => {
        for (const { headers } of records) this.#found(headers[CANARY]?.toString());
      },
      onCrash: (error) => {
        this.#failure = new OddlinkError("KAFKA_FAILED", `alerts can't be read: ${error.message}`, {
          cause: error,
        });
        failing.abort();
      },
    });
    try {
      this.#startedAtMs = time.monotonicMs();
      await this.#write(usualLogins(topics.logins, partitions[0]!, this.#options.presence));
      let usualAtMs = time.monotonicMs();
      for (let turn = 0; !stop.aborted; turn++) {
        await time.sleep(everyMs, stop);
        if (stop.aborted) break;
        this.#giveUpOld();
        const partition = partitions[turn % partitions.length]!;
        const sinceMs = time.monotonicMs() - usualAtMs;
        if (this.#hasMissed && sinceMs >= MISSED_AFTER_MS) {
          // Perhaps what was usual was written before there was anything, or the workers began anew.
          await this.#tryWrite(usualLogins(topics.logins, partition, this.#options.presence));
          usualAtMs = time.monotonicMs();
          this.#hasMissed = false;
        } else if (sinceMs >= USUAL_EVERY_MS) {
          await this.#tryWrite([usualLogin(topics.logins, partition)]);
          usualAtMs = time.monotonicMs();
        }
        await this.#send(partition);
      }
    } finally {
      await tail.close();
    }
    if (this.#failure !== undefined && !signal.aborted) throw this.#failure;
  }

  async #send(partition: number): Promise<void> {
    const { topics, time, newId, onOutcome } = this.#options;
    const id = newId();
    // Before it is written: its alert may be read before it is known that it was.
    this.#pending.set(id, time.monotonicMs());
    if (await this.#tryWrite([oddLogin(topics.logins, partition, id)])) return;
    if (this.#pending.delete(id)) onOutcome("unsent", undefined);
  }

  #found(id: string | undefined): void {
    const sentAtMs = id === undefined ? undefined : this.#pending.get(id);
    if (sentAtMs === undefined) return;
    this.#pending.delete(id!);
    const { time, deadlineMs, onOutcome } = this.#options;
    const tookMs = time.monotonicMs() - sentAtMs;
    this.#isReady = true;
    onOutcome(tookMs <= deadlineMs ? "detected" : "late", tookMs / 1000);
  }

  #giveUpOld(): void {
    const { time, onOutcome } = this.#options;
    for (const [id, sentAtMs] of this.#pending) {
      if (time.monotonicMs() - sentAtMs < MISSED_AFTER_MS) continue;
      this.#pending.delete(id);
      this.#hasMissed = true;
      if (this.#isReady || time.monotonicMs() - this.#startedAtMs >= WARM_UP_MS)
        onOutcome("missed", undefined);
    }
  }

  /** False if it can't be written now; throws if it never can. */
  async #tryWrite(records: readonly ProducedRecord[]): Promise<boolean> {
    try {
      await this.#write(records);
      return true;
    } catch (error) {
      if (error instanceof OddlinkError && !error.retriable) throw error;
      this.#options.onTrouble(`a synthetic login could not be written: ${(error as Error).message}`);
      return false;
    }
  }

  async #write(records: readonly ProducedRecord[]): Promise<void> {
    const { client, time, group, signal } = this.#options;
    await unlessAborted(appendRecords(client, time, `${group}-canary`, records), signal);
  }
}

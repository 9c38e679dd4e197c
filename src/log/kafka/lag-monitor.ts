import type { Time } from "../../time.ts";
import type { KafkaClient } from "./client.ts";
import type { ConsumerStanding } from "./consumer-meter.ts";

/** How often the brokers are asked where partitions end. */
const POLL_MS = 5000;
/** What the brokers said is no news any more after so long without an answer. */
const STALE_MS = 60_000;

export type Lag = {
  readonly partition: number;
  /** Records that are in the log and not committed; what is no record is among them where others are. */
  readonly records: number;
  /** How long the oldest of them has been in the log, or was known to be there. */
  readonly seconds: number;
};

export type LagMonitorOptions = {
  readonly client: Pick<KafkaClient, "topicOffsets">;
  readonly time: Time;
  readonly topic: string;
  readonly standing: () => ConsumerStanding;
  readonly signal: AbortSignal;
};

/**
 * How far this process is behind the log, by partition.
 *
 * Where partitions end the brokers are asked every five seconds, beside what each fetch says: who fetches nothing any more is
 * behind too. How old the oldest record is says the record itself once it is fetched; before that, when it was first seen that there is
 * one.
 */
export class LagMonitor {
  readonly #options: LagMonitorOptions;
  /** High watermark of each partition of the topic, by the last answer. */
  #ends: readonly number[] = [];
  #askedAtMs = Number.NEGATIVE_INFINITY;
  /** Since when there is something after `done` that was not fetched, milliseconds of the wall clock. */
  readonly #behind = new Map<number, { readonly done: number; readonly sinceMs: number }>();

  constructor(options: LagMonitorOptions) {
    this.#options = options;
  }

  /** Partitions of the topic, whoever has them; undefined while no broker has answered for a minute. */
  get partitionCount(): number | undefined {
    return this.#isStale ? undefined : this.#ends.length;
  }

  /** Asks until the signal fires. */
  async run(): Promise<void> {
    const { client, time, topic, signal } = this.#options;
    while (!signal.aborted) {
      try {
        const offsets = await client.topicOffsets(topic);
        const ends: number[] = [];
        for (const { partition, high } of offsets) ends[partition] = high;
        this.#ends = ends;
        this.#askedAtMs = time.monotonicMs();
      } catch {
        // Whoever reads the topic tells of it: here it is that nothing is known.
      }
      this.list();
      await time.sleep(POLL_MS, signal);
    }
  }

  /** Of the partitions of this process that are read, and where brokers have answered. */
  list(): readonly Lag[] {
    const { standing, time } = this.#options;
    const nowMs = time.now();
    const lags: Lag[] = [];
    const { partitions } = standing();
    for (const { partition, done, oldestMs, highWatermark } of partitions) {
      const end = Math.max(this.#isStale ? 0 : (this.#ends[partition] ?? 0), highWatermark ?? 0);
      if (done === undefined || end === 0) continue;
      const records = Math.max(0, end - done);
      const sinceMs = records === 0 ? nowMs : (oldestMs ?? this.#seenSinceMs(partition, done, nowMs));
      lags.push({ partition, records, seconds: Math.max(0, nowMs - sinceMs) / 1000 });
    }
    return lags;
  }

  /** Since when it is known that there is something after `done`. */
  #seenSinceMs(partition: number, done: number, nowMs: number): number {
    const before = this.#behind.get(partition);
    if (before?.done === done) return before.sinceMs;
    this.#behind.set(partition, { done, sinceMs: nowMs });
    return nowMs;
  }

  get #isStale(): boolean {
    return this.#options.time.monotonicMs() - this.#askedAtMs > STALE_MS;
  }
}

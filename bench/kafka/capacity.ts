import { setTimeout as sleep } from "node:timers/promises";
import type { KafkajsClient } from "../../src/log/kafka/kafkajs/client.ts";
import { cpuSeconds } from "./cpu.ts";
import type { RunningEngine } from "./engines.ts";
import type { AlertReader } from "./latency.ts";

const POLL_MS = 50;
/** An engine that commits nothing for so long has failed. */
const STUCK_MS_MAX = 60_000;

export type Capacity = {
  readonly loginsPerSecond: number;
  /** Processor time a login, microseconds. */
  readonly engineUs: number;
  readonly brokerUs: number;
  /** Alerts seen, as a share of the logins. */
  readonly alertShare: number;
};

/** Resolves once an engine has committed all that is in the topic now. */
export async function drained(
  client: KafkajsClient,
  logins: string,
  { group }: RunningEngine,
): Promise<void> {
  const ends = await client.topicOffsets(logins);
  const partitions = ends.map(({ partition }) => partition);
  for (const deadlineMs = performance.now() + STUCK_MS_MAX; ; await sleep(POLL_MS)) {
    const committed = await client.committedOffsets(group, logins, partitions);
    if (ends.every(({ high }, i) => (committed[i] ?? 0) >= high)) return;
    if (performance.now() > deadlineMs) throw new Error(`${group} does not keep up with its load`);
  }
}

/**
 * How fast an engine gets through a topic that is full already, by what its group has committed: from the first commit after
 * `warmUpMs` of work, for `measuredMs` or to the end of the topic.
 */
export async function measureCapacity(
  client: KafkajsClient,
  logins: string,
  { group, pid }: RunningEngine,
  reader: AlertReader,
  brokerPid: number,
  { warmUpMs, measuredMs }: { readonly warmUpMs: number; readonly measuredMs: number },
): Promise<Capacity> {
  const ends = await client.topicOffsets(logins);
  const end = ends.reduce((sum, { high }) => sum + high, 0);
  const partitions = ends.map(({ partition }) => partition);
  const mark = async () => {
    const committed = await client.committedOffsets(group, logins, partitions);
    return {
      logins: committed.reduce<number>((sum, offset) => sum + (offset ?? 0), 0),
      timeMs: performance.now(),
      engine: cpuSeconds(pid),
      broker: cpuSeconds(brokerPid),
    };
  };
  let last = await mark();
  let began: typeof last | undefined;
  let warm: typeof last | undefined;
  const isMeasured = (): boolean => warm !== undefined && last.timeMs - warm.timeMs >= measuredMs;
  for (let now = last; now.logins < end && !isMeasured(); ) {
    await sleep(POLL_MS);
    now = await mark();
    if (now.logins > last.logins) {
      last = now;
      began ??= now;
      if (warm === undefined && now.timeMs - began.timeMs >= warmUpMs) {
        warm = now;
        reader.take();
      }
    } else if (now.timeMs - last.timeMs > STUCK_MS_MAX) {
      throw new Error(`${group} stands still at ${now.logins} of ${end} logins`);
    }
  }
  if (warm === undefined || warm.logins === end)
    throw new Error(`${group} was done before it was warm: give it more than ${end} logins`);
  const count = last.logins - warm.logins;
  return {
    loginsPerSecond: (count / (last.timeMs - warm.timeMs)) * 1000,
    engineUs: ((last.engine - warm.engine) * 1e6) / count,
    brokerUs: ((last.broker - warm.broker) * 1e6) / count,
    alertShare: reader.take().length / count,
  };
}

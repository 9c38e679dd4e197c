import { setTimeout as sleep } from "node:timers/promises";
import type { KafkajsClient } from "../../src/log/kafka/kafkajs/client.ts";
import { cpuSeconds } from "./cpu.ts";
import type { RunningEngine } from "./engines.ts";

/** After the last commit: its alerts are on their way to the reader. */
const SETTLE_MS = 500;

export type Latency = {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Alerts seen, as a share of the logins. */
  readonly alertShare: number;
  /** Of a core. */
  readonly engineShare: number;
  readonly brokerShare: number;
};

/** Reads the alerts of an engine as others do, read-committed, and notes how long each took since its login was sent. */
export class AlertReader {
  #latenciesMs: number[] = [];
  readonly #tail;

  constructor(client: KafkajsClient, { alerts, sentMs }: RunningEngine) {
    this.#tail = client.tail({
      topic: alerts,
      onRecords: (_partition, records) => {
        const nowMs = Date.now();
        for (const record of records) this.#latenciesMs.push(nowMs - sentMs(record));
      },
      onCrash: (error) => {
        throw error;
      },
    });
  }

  /** Those of alerts since this was called before. */
  take(): number[] {
    const taken = this.#latenciesMs;
    this.#latenciesMs = [];
    return taken;
  }

  close(): Promise<void> {
    return this.#tail.close();
  }
}

/** Latency of the alerts of `count` logins; `load` sends them and returns once all are committed. */
export async function measureLatency(
  reader: AlertReader,
  { pid }: RunningEngine,
  brokerPid: number,
  count: number,
  load: () => Promise<void>,
): Promise<Latency> {
  // Those of what came before.
  await sleep(SETTLE_MS);
  reader.take();
  const startMs = performance.now();
  const engine = cpuSeconds(pid);
  const broker = cpuSeconds(brokerPid);
  await load();
  const seconds = (performance.now() - startMs) / 1000;
  const engineShare = (cpuSeconds(pid) - engine) / seconds;
  const brokerShare = (cpuSeconds(brokerPid) - broker) / seconds;
  await sleep(SETTLE_MS);
  const sorted = reader.take().sort((a, b) => a - b);
  if (sorted.length === 0) throw new Error("there was no alert");
  return {
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    alertShare: sorted.length / count,
    engineShare,
    brokerShare,
  };
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

/**
 * Claim: metrics cost the engine at most a hundredth of its time, and a full worker is scraped within 20 ms.
 *
 *   npx node bench/metrics.ts [ROWS] [ROUNDS]    default 300,000 and 7
 *
 * Opponent: the same engine without a meter, on the same generated records, in turn in one process; each record has a time at which the log
 * got it, as on Kafka. Measured is the processor time of the loop, commits included, which here write to memory. Scraped is a worker with a
 * graph of a million links and 64 partitions, its totals, histograms and labels as they are after such a run.
 */
import { Buffer } from "node:buffer";
import { loadConfig } from "../src/config/load.ts";
import { Engine } from "../src/engine/engine.ts";
import { WholeMerging } from "../src/engine/segment-merging.ts";
import { KafkaBatch } from "../src/log/kafka/kafka-batch.ts";
import type { Assignment, Log } from "../src/log/port.ts";
import { ConsumerMetrics } from "../src/metrics/consumer-metrics.ts";
import { EngineMetrics } from "../src/metrics/engine-metrics.ts";
import { Metrics } from "../src/metrics/metrics.ts";
import { Random } from "../src/model/random.ts";
import { REAL_TIME } from "../src/time.ts";
import { printTable } from "./table.ts";

const ROWS = Number(process.argv[2] ?? 300_000);
const ROUNDS = Number(process.argv[3] ?? 7);
const GOAL_RATIO = 1.01;
const GOAL_SCRAPE_MS = 20;
const PARTITIONS = 64;
const BATCH_RECORDS = 1000;
const USERS = 2000;
const DAY_MS = 86_400_000;
const START_MS = 20_000 * DAY_MS;

const config = loadConfig({ environment: {}, flags: { "training.mode": "off" } });

/** Records as Kafka hands them over. */
function recordsOf(count: number, links: number) {
  const random = new Random(1, "bench/metrics");
  return Array.from({ length: count }, (_, offset) => {
    const user = random.nextInt(USERS);
    const target = random.nextInt(Math.max(2, Math.ceil(links / USERS)));
    const login = {
      timeMs: START_MS + Math.floor((offset * DAY_MS) / count),
      user: `U${user}`,
      sourceHost: `W${user}`,
      targetHost: `S${target}`,
      authType: target % 3 === 0 ? "NTLM" : "Kerberos",
      logonType: "Network",
      outcome: "success",
    };
    const value = Buffer.from(JSON.stringify(login));
    return { offset, timestampMs: Date.now(), key: null, value, headers: {} };
  });
}

/** A log that has these records in one partition, and forgets what is written to it. */
function logOf(records: ReturnType<typeof recordsOf>): Log {
  const nothing = { caughtUp: async () => {}, close: async () => {} };
  return {
    isEndless: false,
    isShared: true,
    commitIntervalMs: 50,
    follow: () => nothing,
    append: async () => {},
    readBack: async () => new Map(),
    async *assignments(): AsyncGenerator<Assignment> {
      yield {
        partition: 0,
        topic: "logins",
        position: { offset: 0, bytes: 0 },
        isNew: true,
        batches: (async function* () {
          for (let i = 0; i < records.length; i += BATCH_RECORDS)
            yield new KafkaBatch(records.slice(i, i + BATCH_RECORDS), 1 << 20);
        })(),
        release: () => {},
      };
    },
    commit: async ({ graphState }) => {
      for (const _ of graphState);
      return "committed";
    },
    totals: () => undefined,
    progress: () => ({ bytesRead: 0, bytesTotal: undefined }),
    close: async () => {},
  };
}

async function run(records: ReturnType<typeof recordsOf>, isMetered: boolean) {
  const metrics = new Metrics("worker");
  const meter = isMetered ? new EngineMetrics(metrics, REAL_TIME, true) : undefined;
  const engine = new Engine({
    config,
    log: logOf(records),
    time: REAL_TIME,
    train: () => Promise.reject(new Error("nothing is trained here")),
    merging: (state) => new WholeMerging(state),
    meter,
  });
  meter?.watch(engine);
  const before = process.cpuUsage();
  await engine.run();
  const { user, system } = process.cpuUsage(before);
  if (engine.totals.consumed !== records.length) throw new Error("not all was read");
  return { cpuMs: (user + system) / 1000, metrics, engine };
}

const records = recordsOf(ROWS, ROWS / 10);
const [plain, metered]: number[][] = [[], []];
for (let round = 0; round <= ROUNDS; round++) {
  // In turn, and the first of each round in turn too; round 0 warms up.
  const order = round % 2 === 0 ? [false, true] : [true, false];
  for (const isMetered of order) {
    const { cpuMs } = await run(records, isMetered);
    if (round > 0) (isMetered ? metered : plain).push(cpuMs);
  }
}
const ratios = metered.map((cpuMs, round) => cpuMs / plain[round]!);
printTable(`CPU, ms for ${ROWS} records`, [
  { name: "without metrics", values: plain },
  { name: "with metrics", values: metered },
  { name: "ratio, by rounds", values: ratios, goal: { value: GOAL_RATIO } },
]);

const full = await run(recordsOf(1_000_000, 1_000_000), true);
const consumers = new ConsumerMetrics(full.metrics);
const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
consumers.watch("logins", {
  partitionCount: () => PARTITIONS,
  lags: () => partitions.map((partition) => ({ partition, records: partition, seconds: 0.01 })),
  standing: () => ({
    isMember: true,
    isRebalancing: false,
    partitions: partitions.map((partition) => ({
      partition,
      isReady: true,
      isPaused: false,
      committed: 1,
      done: 1,
      oldestMs: undefined,
      highWatermark: 1,
    })),
  }),
});
const scrapes: number[] = [];
let bytes = 0;
for (let i = 0; i < 50; i++) {
  const beganMs = performance.now();
  bytes = (await full.metrics.text()).length;
  scrapes.push(performance.now() - beganMs);
}
console.log(`\n${full.engine.graph.linkCount} links, ${PARTITIONS} partitions, ${bytes} bytes\n`);
printTable("ms for one scrape", [{ name: "scrape", values: scrapes, goal: { value: GOAL_SCRAPE_MS } }]);

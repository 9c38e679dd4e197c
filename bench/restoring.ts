/**
 * One process of `bench/recovery.ts`: restores the graph from the topic that its settings name, builds it anew as after a
 * commit that was lost, and prints what both took as JSON.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Verdicts } from "../src/alerts/verdicts.ts";
import { openKafkaLog } from "../src/cli/kafka.ts";
import { loadConfig } from "../src/config/load.ts";
import { piecesOf } from "../src/engine/segment-merging.ts";
import { SharedGraph } from "../src/engine/shared-graph.ts";
import { digestOf } from "../src/graph-state/digest.ts";
import { encodeSegment } from "../src/graph-state/segment.ts";
import { REAL_TIME } from "../src/time.ts";

export type Restored = {
  readonly seconds: number;
  /** CPU of all threads, seconds. */
  readonly cpuSeconds: number;
  /** Distinct pairs of entities; and rows of the table, which has typed links and profiles too. */
  readonly links: number;
  readonly rows: number;
  readonly digest: string;
  /** Values of segments that were read, superseded ones included, and what the graph takes as one sum. Not compressed. */
  readonly bytesRead: number;
  readonly graphBytes: number;
  readonly rssMiB: number;
  /** Building it anew in a process that has it. */
  readonly rebuildSeconds: number;
  /** Longest time for which nothing else had its turn meanwhile. */
  readonly rebuildStallMs: number;
};

async function restore(): Promise<Restored> {
  const config = loadConfig({ environment: process.env, flags: {} });
  const log = openKafkaLog(config, { onTrouble: (message) => void process.stderr.write(`${message}\n`) });
  let bytesRead = 0;
  const follow = log.follow.bind(log);
  log.follow = (topic, onRecord) =>
    follow(topic, (record) => {
      bytesRead += record.value?.length ?? 0;
      onRecord(record);
    });
  const state = new SharedGraph({
    verdicts: new Verdicts(),
    config,
    log,
    breathe: () => REAL_TIME.sleep(0),
    onBroken: (error) => {
      throw error;
    },
  });
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  await state.restore();
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const rssMiB = process.memoryUsage.rss() / 2 ** 20;
  const { graph } = state.scoring;
  let graphBytes = 0;
  for (const piece of piecesOf(graph, "", state.coverage.ranges(), state.segmentBytesMax))
    graphBytes += encodeSegment(piece).length;
  const restored = {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    links: graph.linkCount,
    rows: graph.links.size,
    digest: digestOf(graph),
    bytesRead,
    graphBytes,
    rssMiB,
  };
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const rebuiltFromMs = performance.now();
  await state.rebuild();
  const rebuildSeconds = (performance.now() - rebuiltFromMs) / 1000;
  delay.disable();
  await state.close();
  await log.close();
  return { ...restored, rebuildSeconds, rebuildStallMs: delay.max / 1e6 };
}

process.stdout.write(`${JSON.stringify(await restore())}\n`);

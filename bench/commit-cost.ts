/**
 * Claim: commits cost a worker at most a fifth of a core, however many partitions it has: the interval between them adapts.
 *
 *   npx node bench/commit-cost.ts [SECONDS]    default 15; six times as long with what comes before
 *
 * A trickle of logins to every partition of a real broker, so that each has something to commit whenever one is due, into a
 * worker with its defaults. Opponent: the same worker and trickle with hardly any commits. What differs is what commits cost;
 * of the worker, not of the broker.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KafkajsClient } from "../src/log/kafka/kafkajs/client.ts";
import { startBroker } from "../test/broker/kafka-broker.ts";
import { mavenJars } from "../test/broker/kafka-jars.ts";
import { cpuSeconds } from "./kafka/cpu.ts";
import { ENGINES } from "./kafka/engines.ts";
import { generate, loginLines } from "./kafka/logins.ts";

const SECONDS = Number(process.argv[2] ?? 15);
const PARTITIONS = [1, 12, 48];
const LOGINS_PER_SECOND = 2000;
/** After every partition was taken on and has logins, until the code is compiled. */
const WARM_UP_SECONDS = 10;
const START_MS_MAX = 120_000;
const POLL_MS = 200;
/** Ten times what it is by default with the most partitions; logins are scored as late as this too, so it is no longer. */
const HARDLY_EVER_MS = "5000";

type Measured = {
  readonly commitsPerSecond: number;
  readonly loginsPerSecond: number;
  /** Of a core, all of the worker. */
  readonly cpuShare: number;
};

const teardowns: (() => Promise<void>)[] = [];
const folder = mkdtempSync(join(tmpdir(), "oddlink-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

try {
  const jars = await mavenJars(join(import.meta.dirname, "kafka", "pom.xml"), "kafka-streams-4.3.1");
  const broker = await startBroker({ after: (teardown) => teardowns.push(teardown) });
  const client = new KafkajsClient({ brokers: [broker.brokers], clientId: "bench" });
  teardowns.push(() => client.close());
  const file = join(folder, "logins.jsonl");
  writeFileSync(file, `${loginLines().join("\n")}\n`);

  const measure = async (
    partitions: number,
    name: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<Measured> => {
    const logins = `${name}.logins`;
    await broker.createTopics({ [logins]: { partitions } });
    mkdirSync(join(folder, name));
    const engine = await ENGINES.oddlink({
      broker,
      jars,
      folder: join(folder, name),
      threshold: 1e-8,
      logins,
      name,
      environment,
    });
    const ended = new AbortController();
    const generated = generate({
      jars,
      brokers: broker.brokers,
      topic: logins,
      file,
      first: 0,
      count: Number.MAX_SAFE_INTEGER,
      rate: LOGINS_PER_SECOND,
      signal: ended.signal,
    });
    const isUnderWay = async () => {
      const owned = [...(await client.groupAssignment(name, logins)).values()].flat().length;
      return owned === partitions && (await client.topicOffsets(logins)).every(({ high }) => high > 0);
    };
    for (const deadlineMs = performance.now() + START_MS_MAX; !(await isUnderWay()); await sleep(POLL_MS)) {
      if (performance.now() > deadlineMs) throw new Error("the worker, or its load, has not begun");
    }
    const graphState = `${name}.graph-state`;
    let segments = 0;
    const tail = client.tail({
      topic: graphState,
      onRecords: (_partition, records) => {
        segments += records.length;
      },
      onCrash: (error) => {
        throw error;
      },
    });
    const mark = async () => ({
      // Each commit leaves segments there, and one marker of its transaction.
      commits: (await client.topicOffsets(graphState)).reduce((sum, { high }) => sum + high, 0) - segments,
      logins: (await client.topicOffsets(logins)).reduce((sum, { high }) => sum + high, 0),
      cpu: cpuSeconds(engine.pid),
      timeMs: performance.now(),
    });
    await sleep(WARM_UP_SECONDS * 1000);
    const start = await mark();
    await sleep(SECONDS * 1000);
    const end = await mark();
    ended.abort();
    await tail.close();
    await generated;
    await engine.stop();
    const seconds = (end.timeMs - start.timeMs) / 1000;
    return {
      commitsPerSecond: (end.commits - start.commits) / seconds,
      loginsPerSecond: (end.logins - start.logins) / seconds,
      cpuShare: (end.cpu - start.cpu) / seconds,
    };
  };

  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  console.log(`${LOGINS_PER_SECOND} logins a second, ${SECONDS} s each`);
  for (const partitions of PARTITIONS) {
    const usual = await measure(partitions, `usual-${partitions}`, {});
    const rare = await measure(partitions, `rare-${partitions}`, {
      ODDLINK_KAFKA_COMMITINTERVALMS: HARDLY_EVER_MS,
    });
    // A login costs the same in both; on a crowded machine they may not be as many.
    const loginsShare = (rare.cpuShare / rare.loginsPerSecond) * usual.loginsPerSecond;
    const share = usual.cpuShare - loginsShare;
    const commits =
      usual.commitsPerSecond - (rare.commitsPerSecond / rare.loginsPerSecond) * usual.loginsPerSecond;
    console.log(
      `${String(partitions).padStart(2)} partitions: ${usual.commitsPerSecond.toFixed(1)} commits/s, ` +
        `each partition every ${((1000 * partitions) / usual.commitsPerSecond).toFixed(0)} ms; ` +
        `worker ${percent(usual.cpuShare)} of a core, ${percent(loginsShare)} without commits: ` +
        `they take ${percent(share)}, ${((1000 * share) / commits).toFixed(2)} ms each`,
    );
  }
} finally {
  for (const teardown of teardowns.reverse()) await teardown();
}

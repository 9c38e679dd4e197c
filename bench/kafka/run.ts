/**
 * How a worker, which scores every login and writes what it learns, compares with a Kafka Streams program that only keeps a
 * count by user. Goal: no fewer logins a second, and its alerts in half the time at 20,000 a second.
 *
 *   npx node bench/kafka/run.ts                     all of it, ten minutes
 *   npx node bench/kafka/run.ts --smoke             a minute: shows that it works, its figures mean nothing
 *   npx node bench/kafka/run.ts --only capacity --engine oddlink --profile DIR
 *
 * Both run on the same real broker in the same run, four partitions, one process, each after the other first. Capacity:
 * through a topic that is full. Latency: from the timestamp of a login to a read-committed reader that has its alert, at
 * a steady rate. The first seconds of each are dropped: Java needs 20 on two cores.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { KafkajsClient } from "../../src/log/kafka/kafkajs/client.ts";
import { startBroker } from "../../test/broker/kafka-broker.ts";
import { mavenJars } from "../../test/broker/kafka-jars.ts";
import { type Capacity, drained, measureCapacity } from "./capacity.ts";
import { ENGINES, type EngineName, PARTITIONS, type RunningEngine } from "./engines.ts";
import { AlertReader, type Latency, measureLatency } from "./latency.ts";
import { generate, loginLines } from "./logins.ts";

const MS_PER_DAY = 86_400_000;
/** By the times of the logins: what a worker that starts anew finds, and what it has learnt from before it is measured. */
const FULL_DAYS = 21;
const WARM_UP_DAYS = 7;
/** Half a percent of the logins of a full topic lie below this. */
const FULL_THRESHOLD = 0.004;
/** Of paced logins those that the generator makes odd are to alert, and hardly any other. */
const PACED_THRESHOLD = 1e-5;

const { values: flags } = parseArgs({
  options: {
    smoke: { type: "boolean", default: false },
    only: { type: "string" },
    engine: { type: "string" },
    profile: { type: "string" },
    logins: { type: "string" },
    rounds: { type: "string" },
    warmup: { type: "string" },
    seconds: { type: "string" },
    rates: { type: "string", default: "5000,10000,20000" },
  },
});
const LOGINS = Number(flags.logins ?? (flags.smoke ? 1_000_000 : 8_000_000));
const ROUNDS = Number(flags.rounds ?? (flags.smoke ? 1 : 2));
const WARM_UP_SECONDS = Number(flags.warmup ?? (flags.smoke ? 3 : 20));
const SECONDS = Number(flags.seconds ?? (flags.smoke ? 4 : 12));
const RATES = flags.rates.split(",").map(Number);
const NAMES = (["oddlink", "Kafka Streams"] as const).filter((name) => (flags.engine ?? name) === name);

const teardowns: (() => Promise<void>)[] = [];
const folder = mkdtempSync(join(tmpdir(), "oddlink-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const capacities = new Map<EngineName, Capacity[]>(NAMES.map((name) => [name, []]));
const latencies = new Map<EngineName, Map<number, Latency[]>>(
  NAMES.map((name) => [name, new Map(RATES.map((rate) => [rate, []]))]),
);
const number = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

try {
  const jars = await mavenJars(join(import.meta.dirname, "pom.xml"), "kafka-streams-4.3.1");
  const broker = await startBroker({ after: (teardown) => teardowns.push(teardown) });
  const client = new KafkajsClient({ brokers: [broker.brokers], clientId: "bench" });
  teardowns.push(() => client.close());
  const file = join(folder, "logins.jsonl");
  const lines = loginLines();
  writeFileSync(file, `${lines.join("\n")}\n`);
  const bytes = lines.reduce((sum, line) => sum + line.length, 0) / lines.length;
  const common = { jars, brokers: broker.brokers, file };
  console.log(`logins of ${bytes.toFixed(0)} bytes, ${PARTITIONS} partitions, ${ROUNDS} rounds`);

  const withEngine = async (
    name: EngineName,
    logins: string,
    threshold: number,
    round: number,
    work: (engine: RunningEngine, reader: AlertReader) => Promise<void>,
  ): Promise<void> => {
    const engineName = `${name.replace(" ", "-")}-${logins}-${round}`;
    const engineFolder = join(folder, engineName);
    mkdirSync(engineFolder);
    const setting = { broker, jars, folder: engineFolder, threshold, logins, name: engineName };
    const engine = await ENGINES[name]({ ...setting, profileFolder: flags.profile });
    const reader = new AlertReader(client, engine);
    try {
      await work(engine, reader);
    } finally {
      await reader.close();
      await engine.stop();
    }
  };

  if (flags.only !== "latency") {
    await broker.createTopics({ full: { partitions: PARTITIONS } });
    await generate({ ...common, topic: "full", first: 0, count: LOGINS, spanMs: FULL_DAYS * MS_PER_DAY });
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of inOrder(round)) {
        await withEngine(name, "full", FULL_THRESHOLD, round, async (engine, reader) => {
          const capacity = await measureCapacity(client, "full", engine, reader, broker.pid!, {
            warmUpMs: WARM_UP_SECONDS * 1000,
            measuredMs: SECONDS * 1000,
          });
          capacities.get(name)!.push(capacity);
          console.log(`${name}, full topic: ${capacityText(capacity)}`);
        });
      }
    }
  }

  if (flags.only !== "capacity") {
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of inOrder(round)) {
        const logins = `paced-${round}-${name.replace(" ", "-")}`;
        await broker.createTopics({ [logins]: { partitions: PARTITIONS } });
        await withEngine(name, logins, PACED_THRESHOLD, round, async (engine, reader) => {
          let first = 0;
          const load = async (rate: number, count: number, spanMs?: number): Promise<void> => {
            await generate({ ...common, topic: logins, first, count, rate, spanMs });
            first += count;
            await drained(client, logins, engine);
          };
          const warmUpRate = Math.max(...RATES);
          await load(warmUpRate, WARM_UP_SECONDS * warmUpRate, WARM_UP_DAYS * MS_PER_DAY);
          for (const rate of RATES) {
            const count = rate * SECONDS;
            const latency = await measureLatency(reader, engine, broker.pid!, count, () => load(rate, count));
            latencies.get(name)!.get(rate)!.push(latency);
            console.log(`${name}, ${number.format(rate)}/s: ${latencyText(latency)}`);
          }
        });
      }
    }
  }
  printRatios();
} finally {
  for (const teardown of teardowns.reverse()) await teardown();
}

/** Who comes first takes turns. */
function inOrder(round: number): readonly EngineName[] {
  return round % 2 === 0 ? NAMES : NAMES.toReversed();
}

function capacityText({ loginsPerSecond, engineUs, brokerUs, alertShare }: Capacity): string {
  return (
    `${number.format(loginsPerSecond)} logins/s; alerts ${percent(alertShare, 2)}; ` +
    `CPU a login ${engineUs.toFixed(1)} us, of the broker ${brokerUs.toFixed(1)} us`
  );
}

function latencyText({ p50Ms, p99Ms, alertShare, engineShare, brokerShare }: Latency): string {
  return (
    `alert after p50 ${p50Ms} ms, p99 ${p99Ms} ms; alerts ${percent(alertShare, 2)}; ` +
    `engine ${percent(engineShare)} of a core, broker ${percent(brokerShare)}`
  );
}

function percent(share: number, digits = 0): string {
  return `${(share * 100).toFixed(digits)} %`;
}

function printRatios(): void {
  if (NAMES.length < 2) return;
  const [own, opponent] = NAMES as [EngineName, EngineName];
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  console.log(`\n${own} / ${opponent}, means of ${ROUNDS}`);
  const capacity = (pick: (capacity: Capacity) => number) => (name: EngineName) =>
    mean(capacities.get(name)!.map(pick));
  const ratio = (what: string, of: (name: EngineName) => number): void =>
    console.log(
      `${what.padEnd(28)} ${number.format(of(own))} / ${number.format(of(opponent))} = ${(of(own) / of(opponent)).toFixed(2)}`,
    );
  if (flags.only !== "latency") {
    ratio(
      "logins a second, capacity",
      capacity(({ loginsPerSecond }) => loginsPerSecond),
    );
    ratio(
      "CPU a login, us",
      capacity(({ engineUs }) => engineUs),
    );
    ratio(
      "CPU a login of the broker",
      capacity(({ brokerUs }) => brokerUs),
    );
  }
  if (flags.only === "capacity") return;
  for (const rate of RATES) {
    const latency = (pick: (latency: Latency) => number) => (name: EngineName) =>
      mean(latencies.get(name)!.get(rate)!.map(pick));
    ratio(
      `p50 ms at ${number.format(rate)}/s`,
      latency(({ p50Ms }) => p50Ms),
    );
    ratio(
      `p99 ms at ${number.format(rate)}/s`,
      latency(({ p99Ms }) => p99Ms),
    );
  }
}

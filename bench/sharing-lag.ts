/**
 * Claim: every login sees a graph that holds what other workers saw at least two seconds earlier.
 *
 *   npx node bench/sharing-lag.ts [--rate 10000] [--workers 2] [--probes 40]
 *
 * Under so many logins a second, an account shows itself on a host by Kerberos, in a partition of one worker, and some time
 * later logs in from there by NTLM, in a partition of another. That is a presence alert exactly if the second worker does not
 * know of the first login. Time is what lies between writing the two to the input, queues of the workers included. As a
 * check, some accounts log in without having shown themselves: each must raise an alert.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import kafkajs from "kafkajs";
import { KafkajsClient } from "../src/log/kafka/kafkajs/client.ts";
import { startBroker } from "../test/broker/kafka-broker.ts";
import { WorkerCluster } from "../test/broker/worker-cluster.ts";
import { MadeLogins, type Message, row } from "./logins.ts";
import { text } from "./table.ts";
import { withTeardowns } from "./teardowns.ts";

const { values: options } = parseArgs({
  options: {
    rate: { type: "string", default: "10000" },
    workers: { type: "string", default: "2" },
    probes: { type: "string", default: "40" },
  },
});
const LOGINS_PER_SECOND = Number(options.rate);
const WORKERS = Number(options.workers);
/** For each delay. */
const PROBES = Number(options.probes);

const GOAL_MS = 2000;
const DELAY_STEP_MS = 100;
const DELAY_MS_MAX = 2500;
const DELAYS = DELAY_MS_MAX / DELAY_STEP_MS;
const COUNT = DELAYS * PROBES;
/** Accounts that never show themselves on the host. */
const CONTROLS = 100;
const PARTITIONS = 4;
const DISTINCT_LOGINS = 50_000;
const ENTITIES = 20_000;
const FEED_MS = 20;
const WARM_MS = 10_000;
const PROBES_PER_SECOND = 50;
const DRAIN_MS_MAX = 120_000;
const WORKER_MS_MAX = 600_000;

const SETTINGS = {
  ODDLINK_INPUT_FORMAT: "lanl",
  ODDLINK_TRAINING_MODE: "off",
  ODDLINK_THRESHOLD: "0.001",
  ODDLINK_PRESENCE_LEARNHOURS: "0",
  ODDLINK_PRESENCE_LEARNRECORDS: "1",
};

/** One account: at home long before, on the host, and `delayMs` later from the host by a weak protocol. */
type Probe = { readonly delayMs: number | undefined; readonly first: number; readonly second: number };

await withTeardowns(async (teardowns) => {
  const broker = await startBroker(teardowns);
  const cluster = new WorkerCluster(teardowns, broker, PARTITIONS, SETTINGS);
  await cluster.createTopics();
  for (let i = 0; i < WORKERS; i++) cluster.startWorker({}, WORKER_MS_MAX);
  await cluster.assigned(WORKERS, DRAIN_MS_MAX);
  const client = new KafkajsClient({ brokers: [broker.brokers], clientId: "reader" });
  teardowns.after(() => client.close());
  const { logins: topic, alerts } = cluster.topics;
  const members = [...(await client.groupAssignment(cluster.config.kafka.group, topic)).values()];

  const probes: Probe[] = Array.from({ length: COUNT + CONTROLS }, (_, i) => ({
    // Delays take turns, so that each is tried all along.
    delayMs: i < COUNT ? DELAY_STEP_MS * (1 + (i % DELAYS)) : undefined,
    first: members[i % WORKERS]![Math.floor(i / WORKERS) % members[i % WORKERS]!.length]!,
    second: members[(i + 1) % WORKERS]![0]!,
  }));
  const due: { readonly atMs: number; readonly message: (second: number) => Message }[] = [];
  for (const [i, { delayMs, first, second }] of probes.entries()) {
    const user = `P${i}@DOM1`;
    const beginMs = WARM_MS + (i / PROBES_PER_SECOND) * 1000;
    const send = (atMs: number, partition: number, host: string, auth: string): void => {
      due.push({ atMs, message: (time) => ({ partition, value: row(time, user, host, "SRV", auth) }) });
    };
    send(0, second, `HOME${i}`, "Kerberos");
    if (delayMs !== undefined) send(beginMs, first, `HOST${i}`, "Kerberos");
    send(beginMs + (delayMs ?? 0), second, `HOST${i}`, "NTLM");
  }
  due.sort((a, b) => a.atMs - b.atMs);

  const kafka = new kafkajs.Kafka({ brokers: [broker.brokers], logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  teardowns.after(() => producer.disconnect());
  const made = new MadeLogins(ENTITIES, PARTITIONS);
  const startedMs = performance.now();
  const sends: Promise<unknown>[] = [];
  let sent = 0;
  for (let next = 0; next < due.length; ) {
    const nowMs = performance.now() - startedMs;
    const second = 1 + Math.floor(nowMs / 1000);
    const messages: Message[] = [];
    for (; sent < (nowMs / 1000) * LOGINS_PER_SECOND; sent++)
      messages.push(made.usual(sent % DISTINCT_LOGINS, second));
    for (; next < due.length && due[next]!.atMs <= nowMs; next++) messages.push(due[next]!.message(second));
    if (messages.length > 0) sends.push(producer.send({ topic, messages }));
    await sleep(FEED_MS);
  }
  await Promise.all(sends);
  const fedSeconds = (performance.now() - startedMs) / 1000;
  await cluster.drained(DRAIN_MS_MAX);
  const drainedSeconds = (performance.now() - startedMs) / 1000 - fedSeconds;

  const alerted = new Set<number>();
  for (const { value } of (await cluster.read(alerts)).flat()) {
    const probe = /"P(\d+)@DOM1"/.exec(value!.toString())?.[1];
    if (probe !== undefined) alerted.add(Number(probe));
  }
  const controls = probes.filter(({ delayMs }, i) => delayMs === undefined && alerted.has(i)).length;
  if (controls !== CONTROLS) throw new Error(`${controls} of ${CONTROLS} unknown accounts raised an alert`);
  console.log(
    `${WORKERS} workers, ${text(sent / fedSeconds)} logins/s for ${text(fedSeconds)} s, drained ${text(drainedSeconds)} s later; ${COUNT} probes`,
  );
  console.log(`${controls} of ${CONTROLS} accounts that never showed themselves raised an alert\n`);
  let wholeFromMs = Number.POSITIVE_INFINITY;
  for (let delayMs = DELAY_MS_MAX; delayMs > 0; delayMs -= DELAY_STEP_MS) {
    const missed = probes.filter((probe, i) => probe.delayMs === delayMs && alerted.has(i)).length;
    if (missed > 0) break;
    wholeFromMs = delayMs;
  }
  for (let delayMs = DELAY_STEP_MS; delayMs <= DELAY_MS_MAX; delayMs += DELAY_STEP_MS) {
    const missed = probes.filter((probe, i) => probe.delayMs === delayMs && alerted.has(i)).length;
    console.log(
      `${String(delayMs).padStart(6)} ms later  ${text((100 * (PROBES - missed)) / PROBES).padStart(5)} % seen`,
    );
  }
  console.log(
    `\nall seen from ${wholeFromMs} ms on: ${text(wholeFromMs / GOAL_MS)} of the goal, at most ${GOAL_MS} ms`,
  );
});

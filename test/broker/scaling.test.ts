import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import kafkajs from "kafkajs";
import { decodeSegmentHeader } from "../../src/graph-state/segment.ts";
import type { ConsumedRecord } from "../../src/log/kafka/client.ts";
import { EXAMPLE_FILE, run, temporaryFolder } from "../processes/oddlink.ts";
import { verify } from "../verification/verifier.ts";
import { type KafkaBroker, startBroker } from "./kafka-broker.ts";
import { type Knew, presenceBounds, type Sighting, sightings } from "./presence-bounds.ts";
import { WorkerCluster } from "./worker-cluster.ts";

/** What other workers saw longer ago than this, each worker knows. */
const LAG_MS = 2000;
const WORKERS = [1, 2, 4] as const;
const PARTITIONS = 4;
const TOPIC = "oddlink.logins";
const ROWS_PER_SECOND = 1200;
const FEED_MS = 50;
const WORKER_MS_MAX = 540_000;
/** Half a minute is enough on a quiet machine. */
const LIMIT_MS = 240_000;
const SETTINGS = {
  ODDLINK_INPUT_FORMAT: "lanl",
  ODDLINK_TRAINING_MODE: "off",
  ODDLINK_THRESHOLD: "0.01",
  ODDLINK_OUTPUTS_SCOREDLOGINS: "true",
  // Accounts are judged soon: more alerts that may differ.
  ODDLINK_PRESENCE_LEARNRECORDS: "5",
  ODDLINK_PRESENCE_LEARNHOURS: "0",
  ODDLINK_KAFKA_TOPICS_LOGINS: TOPIC,
};

/** Accounts whose strong evidence on a host comes this long before a weak login from it, in another partition. */
const PROBES = 40;
const PROBE_DELAY_MS_MAX = 2500;
const PROBE_WARM_ROWS = 6;
/** Of the last ones, some hold the probes. */
const PROBE_ROWS = 5000;

type Row = { readonly partition: number; readonly value: string };

/** The example in all partitions, whatever the account; and probes with evidence close before the login. */
function makeInput(): Row[] {
  const example = gunzipSync(readFileSync(EXAMPLE_FILE)).toString().trimEnd().split("\n");
  const rows = example.map((value, i) => ({ partition: Math.imul(i, 0x9e3779b1) >>> 30, value }));
  const inserted = new Map<number, Row[]>();
  const insert = (at: number, partition: number, probe: number, host: string, auth: string): void => {
    const [time] = example[at]!.split(",");
    const user = `P${probe}@DOM1`;
    const row = {
      partition,
      value: `${time},${user},${user},${host},SRV${probe},${auth},Network,LogOn,Success`,
    };
    inserted.set(at, [...(inserted.get(at) ?? []), row]);
  };
  for (let probe = 0; probe < PROBES; probe++) {
    // Distinct rows: who finds a row again must know which one it is.
    for (let i = 0; i < PROBE_WARM_ROWS; i++)
      insert(10 * probe + i, i % PARTITIONS, probe, `HOME${i}`, "Kerberos");
    const at = example.length - PROBE_ROWS + Math.floor((probe / PROBES) * (PROBE_ROWS / 3));
    const delay = Math.floor((probe / PROBES) * (PROBE_DELAY_MS_MAX / 1000) * ROWS_PER_SECOND);
    insert(at, probe % PARTITIONS, probe, `NEW${probe}`, "Kerberos");
    insert(at + delay, (probe + 1) % PARTITIONS, probe, `NEW${probe}`, "NTLM");
  }
  return rows.flatMap((row, i) => [row, ...(inserted.get(i) ?? [])]);
}

async function feed(broker: KafkaBroker, rows: readonly Row[]): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: [broker.brokers], logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  try {
    const startedMs = performance.now();
    for (let fed = 0; fed < rows.length; ) {
      await sleep(FEED_MS);
      const due = Math.floor(((performance.now() - startedMs) / 1000) * ROWS_PER_SECOND);
      if (due > fed) await producer.send({ topic: TOPIC, messages: rows.slice(fed, due) });
      fed = Math.max(fed, due);
    }
  } finally {
    await producer.disconnect();
  }
}

/** What became of a login, whoever scored it. */
type Judged = { readonly isPresence: boolean; readonly surprise: number; readonly score: number };

function judged(line: string): Judged {
  const { score, signals } = JSON.parse(line);
  return { isPresence: signals.presence < 1, surprise: signals.surprise, score };
}

const keyOf = ({ partition, offset }: { readonly partition: number; readonly offset: number }) =>
  `${partition}/${offset}`;

/** When each record was processed, as its commit tells: at some time between these two. */
class Timeline {
  readonly #times = new Map<string, { readonly fromMs: number; readonly toMs: number }>();

  constructor(logins: readonly (readonly ConsumedRecord[])[], graphState: readonly ConsumedRecord[]) {
    const segments = graphState
      .filter(({ key, value }) => value !== null && !key!.includes("/sum"))
      .map(({ value, timestampMs }) => ({ ...decodeSegmentHeader(value!).ranges[0]!, timestampMs }))
      .sort((a, b) => a.first - b.first);
    for (const [partition, records] of logins.entries()) {
      let committedMs = 0;
      const own = segments.filter((segment) => segment.partition === partition);
      for (const { first, next, timestampMs } of own) {
        for (const record of records.filter(({ offset }) => offset >= first && offset < next)) {
          // A batch is processed after the commit before it.
          const fromMs = Math.max(committedMs, record.timestampMs);
          this.#times.set(keyOf({ partition, offset: record.offset }), { fromMs, toMs: timestampMs });
        }
        committedMs = timestampMs;
      }
    }
  }

  knew(login: Sighting, other: Sighting): Knew {
    if (other.partition === login.partition) return other.offset < login.offset ? "yes" : "no";
    const own = this.#times.get(keyOf(login))!;
    const others = this.#times.get(keyOf(other))!;
    if (others.toMs + LAG_MS <= own.fromMs) return "yes";
    return others.fromMs > own.toMs ? "no" : "perhaps";
  }

  /** How long before the login the other was committed, about, milliseconds. */
  distance(login: Sighting, other: Sighting): number {
    return this.#times.get(keyOf(login))!.toMs - this.#times.get(keyOf(other))!.toMs;
  }
}

test("1, 2 and 4 workers and the embedded store come to one graph, and to the same presence alerts but for what lay within the lag", {
  timeout: 600_000,
}, async (t) => {
  const broker = await startBroker(t);
  const clusters = WORKERS.map((count) => {
    const name = `workers${count}`;
    const settings = { ...SETTINGS, ODDLINK_KAFKA_GROUP: name, ODDLINK_KAFKA_TOPICPREFIX: `${name}.` };
    return { count, cluster: new WorkerCluster(t, broker, PARTITIONS, settings) };
  });
  // All read the same topic at the same time: what went in is the same beyond doubt.
  for (const { cluster } of clusters) await cluster.createTopics();
  const workers = clusters.flatMap(({ count, cluster }) =>
    Array.from({ length: count }, () => ({ count, cluster, worker: cluster.startWorker({}, WORKER_MS_MAX) })),
  );
  for (const { count, cluster } of clusters) await cluster.assigned(count, LIMIT_MS);
  const rows = makeInput();
  await feed(broker, rows);
  for (const { cluster } of clusters) await cluster.drained(LIMIT_MS);
  await sleep(LAG_MS);
  const summaries = [];
  for (const { count, cluster, worker } of workers)
    summaries.push({ count, ...(await cluster.stop(worker)) });

  const logins = await clusters[0]!.cluster.read(TOPIC);
  const { config } = clusters[0]!.cluster;
  // The client that feeds them may write a batch twice: what is in the topic counts, in the order of the rows.
  const places = new Map(rows.map(({ value }, i) => [value, i]));
  const written = logins
    .flatMap((records, partition) =>
      records.map(({ offset, value }) => ({ partition, offset, line: value!.toString() })),
    )
    .sort((a, b) => places.get(a.line)! - places.get(b.line)!);
  const folder = temporaryFolder(t);
  const input = join(folder, "auth.txt");
  writeFileSync(input, `${written.map(({ line }) => line).join("\n")}\n`);
  const scoredFile = join(folder, "scored");
  const embedded = await run(["run", input, "--scored", scoredFile, "--json"], { env: SETTINGS });
  assert.equal(embedded.code, 0, embedded.stderr);
  const { digest } = JSON.parse(embedded.stdout).graph;
  const reference = new Map<string, Judged>();
  for (const line of readFileSync(scoredFile, "utf8").trimEnd().split("\n")) {
    const place = Number(/\/(\d+)$/.exec(JSON.parse(line).uid)![1]);
    reference.set(keyOf(written[place]!), judged(line));
  }

  for (const { count, graph } of summaries)
    assert.equal(graph.digest, digest, `a worker of ${count} holds another graph`);

  const known = logins.flatMap((records, partition) => sightings(config, partition, records));
  const byUser = Map.groupBy(known, ({ user }) => user);
  const placeOf = new Map(written.map((record, i) => [keyOf(record), i]));
  const isBefore = (other: Sighting, login: Sighting) =>
    placeOf.get(keyOf(other))! < placeOf.get(keyOf(login))!;
  const alertedEmbedded = known.filter((login) => reference.get(keyOf(login))?.isPresence);
  for (const login of known.filter(({ isJudged }) => isJudged)) {
    const knew = (other: Sighting): Knew => (isBefore(other, login) ? "yes" : "no");
    const { must } = presenceBounds(login, byUser.get(login.user)!, knew, config.presence);
    assert.equal(reference.get(keyOf(login))!.isPresence, must, `the embedded store, ${keyOf(login)}`);
  }
  t.diagnostic(
    `embedded store: ${alertedEmbedded.length} presence alerts of ${reference.size} scored logins`,
  );

  for (const { count, cluster } of clusters) {
    const outcome = await cluster.outcome();
    assert.deepEqual(
      verify(outcome).map(({ verdict }) => verdict),
      ["ALL-RECORDS-ACCOUNTED"],
    );
    const timeline = new Timeline(outcome.logins, outcome.graphState);
    const own = new Map(
      outcome.scored.map(({ headers, value }) => [
        `${headers["oddlink-source-partition"]}/${headers["oddlink-source-offset"]}`,
        judged(value!.toString()),
      ]),
    );
    assert.deepEqual(new Set(own.keys()), new Set(reference.keys()));

    // By what the difference comes of; with how far the nearest record that decides it was away, milliseconds.
    const lag: number[] = [];
    const order: number[] = [];
    for (const login of known.filter(({ isJudged }) => isJudged)) {
      const key = keyOf(login);
      const ofUser = byUser.get(login.user)!;
      const { isPresence } = own.get(key)!;
      const knew = (other: Sighting) => timeline.knew(login, other);
      const { may, must } = presenceBounds(login, ofUser, knew, config.presence);
      assert.ok(
        isPresence ? may : !must,
        `${count} workers, ${key} of ${login.user}: ${isPresence ? "an alert" : "no alert"} that nothing within the lag explains`,
      );
      if (isPresence === reference.get(key)!.isPresence) continue;
      const deciding = ofUser.filter(
        (other) => other !== login && knew(other) !== (isBefore(other, login) ? "yes" : "no"),
      );
      assert.ok(deciding.length > 0, `${count} workers, ${key}: all knew the same of ${login.user}`);
      const nearest = Math.min(...deciding.map((other) => Math.abs(timeline.distance(login, other))));
      (may === must ? order : lag).push(nearest);
    }
    t.diagnostic(
      `${count} workers: ${lag.length} presence alerts differ by evidence within the lag (${furthest(lag)} ms away at most), ` +
        `${order.length} by evidence that was processed in another order than written (${furthest(order)} ms)`,
    );

    const scores = [...own].map(([key, here]) => ({ here, there: reference.get(key)! }));
    const changed = scores.filter(({ here, there }) => here.surprise !== there.surprise);
    const decades = changed.map(({ here, there }) => Math.abs(Math.log10(here.surprise / there.surprise)));
    const isAlert = ({ isPresence, score }: Judged) => !isPresence && score < config.threshold!;
    const onlyHere = scores.filter(({ here, there }) => isAlert(here) && !isAlert(there)).length;
    const onlyThere = scores.filter(({ here, there }) => isAlert(there) && !isAlert(here)).length;
    const both = scores.filter(({ here, there }) => isAlert(there) && isAlert(here)).length;
    t.diagnostic(
      `${count} workers: ${((100 * changed.length) / scores.length).toFixed(1)} % of logins have another surprise, ` +
        `median ${median(decades).toFixed(3)} and at most ${furthest(decades).toFixed(2)} decades away; ` +
        `surprise alerts: ${both} in both, ${onlyHere} here only, ${onlyThere} in the embedded store only`,
    );
  }
});

function furthest(values: readonly number[]): number {
  return Math.max(0, ...values);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

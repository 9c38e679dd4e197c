/**
 * A step behind oddlink: reads its alerts, adds who owns the account, and writes them to a topic of its own. Each alert
 * once, whatever is killed; README.md says why. Needs kafkajs 2.2.4 and Node 22.18 or later.
 *
 *   KAFKA_BROKERS=localhost:9092 node enrich.ts
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type EachBatchPayload, Kafka, type KafkaMessage, logLevel, type Producer } from "kafkajs";

const { env } = process;
const ALERTS = env["ALERTS_TOPIC"] ?? "oddlink.alerts";
const ENRICHED = env["ENRICHED_TOPIC"] ?? "oddlink.alerts-enriched";
const GROUP = env["ENRICH_GROUP"] ?? "oddlink-enrich";
/** A process that was killed is missed after this long; at least the broker's group.min.session.timeout.ms. */
const SESSION_MS = Number(env["SESSION_TIMEOUT_MS"] ?? 6000);
const OWNERS_FILE = env["OWNERS_FILE"] ?? join(import.meta.dirname, "owners.csv");
/** What is written together is one batch, and brokers take batches of 1 MiB unless told otherwise. */
const TRANSACTION_BYTES_MAX = 512 * 1024;
/** kafkajs's own, 300 ms, would make every transaction wait that long for the end of the one before. */
const RETRY = { initialRetryTime: 5, maxRetryTime: 200, retries: 40 };

type Owner = { readonly owner: string; readonly department: string; readonly criticality: string };
type Finding = { readonly evidences?: readonly { readonly actor?: { readonly user?: { name?: string } } }[] };
/** The producer of a partition that is this process's, and the assignment in which it became so. */
type Owned = { readonly producer: Producer; readonly assignment: number };

const owners = new Map<string, Owner>();
for (const line of readFileSync(OWNERS_FILE, "utf8").trim().split(/\r?\n/).slice(1)) {
  const [user, owner, department, criticality] = line.split(",") as [string, string, string, string];
  owners.set(user, { owner, department, criticality });
}

const brokers = (env["KAFKA_BROKERS"] ?? "localhost:9092").split(",");
const kafka = new Kafka({ clientId: "enrich", brokers, retry: RETRY, logLevel: logLevel.ERROR });
const admin = kafka.admin();
const consumer = kafka.consumer({
  groupId: GROUP,
  sessionTimeout: SESSION_MS,
  heartbeatInterval: Math.floor(SESSION_MS / 4),
  rebalanceTimeout: 10_000,
  maxWaitTimeInMs: 100,
  readUncommitted: false,
  allowAutoTopicCreation: false,
  // Ends the process instead: see `die`.
  retry: { ...RETRY, restartOnFailure: async () => false },
});
const owned = new Map<number, Owned>();
let assignment = 0;

/** As `kill -9` would, with nothing tidied up, so that there is one way to recover only: to start again. */
function die(error: unknown): never {
  console.error(error);
  process.exit(1);
}

/** Shuts whoever had the partition before out, and only then asks how far that one came. Reading goes on from there. */
async function takeOver(partition: number): Promise<void> {
  const mine = assignment;
  await owned.get(partition)?.producer.disconnect();
  const producer = kafka.producer({
    // One for each partition and always the same: who takes the partition takes the id, and the last one to do so wins.
    transactionalId: `${GROUP}-${ALERTS}-${partition}`,
    transactionTimeout: 10_000,
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    // Alerts of one incident stay in order, and a transaction goes to one partition, so to one broker.
    createPartitioner: () => () => partition,
  });
  await producer.connect();
  // kafkajs takes the id with the first transaction, not with `connect`.
  await (await producer.transaction()).abort();
  const [group] = await admin.fetchOffsets({ groupId: GROUP, topics: [ALERTS] });
  const committed = group?.partitions.find((found) => found.partition === partition)?.offset ?? "-1";
  const begin = (await admin.fetchTopicOffsets(ALERTS)).find((found) => found.partition === partition)!.low;
  consumer.seek({ topic: ALERTS, partition, offset: committed === "-1" ? begin : committed });
  owned.set(partition, { producer, assignment: mine });
}

/** Alerts and the place after them in one transaction: either both are there or neither is. */
async function pass(producer: Producer, partition: number, alerts: readonly KafkaMessage[]): Promise<void> {
  const transaction = await producer.transaction();
  await transaction.send({ topic: ENRICHED, messages: alerts.map(enrich) });
  const offset = String(BigInt(alerts.at(-1)!.offset) + 1n);
  const topics = [{ topic: ALERTS, partitions: [{ partition, offset }] }];
  await transaction.sendOffsets({ consumerGroupId: GROUP, topics });
  await transaction.commit();
}

/** Neighbours together, as many as one transaction may hold, but never none. */
function* portionsOf(alerts: readonly KafkaMessage[]): Generator<KafkaMessage[]> {
  let portion: KafkaMessage[] = [];
  let bytes = 0;
  for (const alert of alerts) {
    const size = alert.value?.length ?? 0;
    if (portion.length > 0 && bytes + size > TRANSACTION_BYTES_MAX) {
      yield portion;
      portion = [];
      bytes = 0;
    }
    portion.push(alert);
    bytes += size;
  }
  if (portion.length > 0) yield portion;
}

/** A value that is no JSON object goes on as it is: one bad record must not hold up the others. */
function enrich({ key, value, headers }: KafkaMessage) {
  let finding: Finding | null = null;
  try {
    finding = JSON.parse(value?.toString() ?? "null");
  } catch {}
  if (finding === null || typeof finding !== "object") {
    return { key, value, headers: { ...headers, "oddlink-enriched": "false" } };
  }
  const name = finding.evidences?.[0]?.actor?.user?.name ?? "";
  const data = owners.get(name);
  // The place that OCSF has for what comes from elsewhere.
  const enrichment = { name: "evidences[0].actor.user.name", value: name, provider: "owners.csv", data };
  const enriched = { ...finding, ...(data && { enrichments: [enrichment] }) };
  return { key, value: JSON.stringify(enriched), headers: { ...headers, "oddlink-enriched": "true" } };
}

async function onBatch({ batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload) {
  const { partition } = batch;
  if (isStale()) return;
  const mine = owned.get(partition);
  // These alerts come again, from the right place.
  if (mine?.assignment !== assignment) return takeOver(partition).catch(die);
  for (const alerts of portionsOf(batch.messages)) {
    if (!isRunning() || isStale()) return;
    await pass(mine.producer, partition, alerts).catch(die);
    resolveOffset(alerts.at(-1)!.offset);
    await heartbeat();
  }
}

/** Lets the transaction at hand come to its end, and leaves the group so that others need not wait for the session. */
async function stop(): Promise<void> {
  await consumer.disconnect();
  await Promise.all([
    admin.disconnect(),
    ...[...owned.values()].map(({ producer }) => producer.disconnect()),
  ]);
  process.exit(0);
}

consumer.on(consumer.events.GROUP_JOIN, () => {
  assignment++;
});
consumer.on(consumer.events.CRASH, ({ payload }) => die(payload.error));
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => void stop().catch(die));
await admin.connect();
const { topics } = await admin.fetchTopicMetadata({ topics: [ALERTS, ENRICHED] });
if (new Set(topics.map(({ partitions }) => partitions.length)).size !== 1) {
  die(`${ALERTS} and ${ENRICHED} must have the same number of partitions`);
}
await consumer.connect();
await consumer.subscribe({ topic: ALERTS, fromBeginning: true });
await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: onBatch });

import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { KafkaConfig } from "../config/kafka.ts";
import type { Config } from "../config/schema.ts";
import { OddlinkError } from "../errors.ts";
import { chooseSegments, type StoredSegment } from "../graph-state/coverage.ts";
import { decodeSegmentHeader } from "../graph-state/segment.ts";
import { trainerTransactionalId } from "../log/kafka/kafka-trainer-log.ts";
import { type BrokerReport, KafkajsAdmin } from "../log/kafka/kafkajs/admin.ts";
import { KafkajsClient } from "../log/kafka/kafkajs/client.ts";
import { KafkajsRehearsal, type Rehearsal } from "../log/kafka/kafkajs/rehearsal.ts";
import type { TopicNames } from "../log/kafka/produced-records.ts";
import { checkTopics, type TopicReport, topicRoles } from "../log/kafka/topic-settings.ts";
import { type Check, clockCheck, lagCheck, stateProblems } from "./doctor-checks.ts";
import { hostAndPort, listenerCheck, securityText } from "./doctor-listener.ts";
import { kafkaClientOptions, topicsOf } from "./kafka.ts";

const CONNECT_MS_MAX = 3000;
const STATE_MS_MAX = 60_000;
/** Commits become visible in one topic before the other: what looks wrong is looked at again. */
const STATE_LOOKS = 4;
const STATE_LOOK_AGAIN_MS = 300;
const DEFAULT_BROKER = "localhost:9092";
const NO_BYTES = Buffer.alloc(0);

/** What the checks of a cluster have in common. */
type Patient = {
  readonly config: Config;
  readonly topics: TopicNames;
  readonly client: KafkajsClient;
  readonly reports: readonly TopicReport[];
};

/** Everything about the cluster. What can't be checked because something else is wrong is left out. */
export async function checkKafka(config: Config): Promise<Check[]> {
  const { kafka } = config;
  const reached = await Promise.all(kafka.brokers.map(tryConnect));
  if (reached.every((trouble) => trouble !== undefined)) return [unreachable(kafka, reached)];
  const options = kafkaClientOptions(kafka, undefined);
  const admin = new KafkajsAdmin(options);
  const client = new KafkajsClient(options);
  try {
    const checks = [await checkBrokers(kafka, admin, reached)];
    if (checks[0]!.status === "FAIL") return checks;
    const topics = topicsOf(kafka);
    const roles = topicRoles(config.outputs.scoredLogins, config.training.shadow, config.outputs.entityRisk);
    let reports: readonly TopicReport[] = [];
    const ofTopics = await guarded("topics", async () => {
      const found = await admin.findTopics(roles.map((role) => topics[role]));
      reports = checkTopics(roles, topics, found, config.window.days);
      return topicsCheck(reports);
    });
    checks.push(ofTopics);
    const patient: Patient = { config, topics, client, reports };
    checks.push(await guarded("reading", () => checkReading(patient)));
    checks.push(...(await checkWriting(patient)));
    if (exists(patient, "logins")) {
      checks.push(await guarded("lag", () => checkLag(patient)));
      if (exists(patient, "graphState")) checks.push(await guarded("state", () => checkState(patient)));
    }
    return checks;
  } finally {
    await Promise.all([admin.close(), client.close()]);
  }
}

/** @param reached why each configured address can't be connected to; undefined for one that can */
async function checkBrokers(
  kafka: KafkaConfig,
  admin: KafkajsAdmin,
  reached: readonly (string | undefined)[],
): Promise<Check> {
  const name = "brokers";
  let brokers: readonly BrokerReport[];
  try {
    brokers = await admin.brokers();
  } catch (error) {
    return listenerCheck(kafka, kafka.brokers[reached.indexOf(undefined)]!, error);
  }
  const usable = brokers.filter(({ trouble }) => trouble === undefined);
  const releases = [...new Set(usable.map(({ releaseMin }) => releaseMin ?? "unknown"))].join(", ");
  const found = `${usable.length} of ${brokers.length} answer, Kafka ${releases} or later; ${securityText(kafka)}`;
  const dead = kafka.brokers.flatMap((broker, i) =>
    reached[i] === undefined ? [] : [`${broker}: ${reached[i]}`],
  );
  if (usable.length === brokers.length && dead.length > 0)
    return {
      name,
      status: "warn",
      found: `${found}; of those configured can't be reached: ${dead.join("; ")}`,
      remedy: "correct kafka.brokers: a worker starts through any of them, and through none but them",
    };
  if (usable.length === brokers.length) return { name, status: "ok", found };
  const troubles = brokers.flatMap(({ address, trouble }) =>
    trouble === undefined ? [] : [`${address}: ${trouble}`],
  );
  return {
    name,
    status: usable.length === 0 ? "FAIL" : "warn",
    found: `${found}; ${troubles.join("; ")}`,
    remedy: "each broker must be reachable at the address that it advertises",
  };
}

function unreachable({ brokers }: KafkaConfig, troubles: readonly (string | undefined)[]): Check {
  const found = brokers.map((broker, i) => `${broker}: ${troubles[i]}`).join("; ");
  if (brokers.length === 1 && brokers[0] === DEFAULT_BROKER)
    return {
      name: "brokers",
      status: "warn",
      found: `no Kafka is configured, and none is at the default (${found}); nothing of it was checked`,
      remedy: "to use one, set kafka.brokers",
    };
  return {
    name: "brokers",
    status: "FAIL",
    found: `none can be reached (${found}); nothing of Kafka was checked`,
    remedy: "look at kafka.brokers, at name resolution and at what lies between",
  };
}

function topicsCheck(reports: readonly TopicReport[]): Check {
  const wrong = reports.filter(({ problems }) => problems.length > 0);
  if (wrong.length === 0)
    return { name: "topics", status: "ok", found: `all ${reports.length} are as they must be` };
  const found = wrong.map(({ topic, exists, problems }) => {
    const [first] = exists ? problems[0]!.split(": ") : ["missing"];
    return `${topic} ${first}`;
  });
  return {
    name: "topics",
    status: "FAIL",
    found: found.join("; "),
    remedy: "oddlink topics says how to mend it",
  };
}

async function checkReading({ client, topics, reports }: Patient): Promise<Check> {
  const readable: string[] = [];
  const troubles: string[] = [];
  for (const { role, topic, exists: isThere } of reports) {
    if (!isThere || !["logins", "graphState", "epochs"].includes(role)) continue;
    try {
      const [first] = await client.topicOffsets(topics[role]);
      await client.read(topic, 0, first!.stable);
      readable.push(topic);
    } catch (error) {
      troubles.push((error as Error).message);
    }
  }
  if (troubles.length > 0) {
    const remedy = "workers need Read and Describe on logins, graph-state and epochs";
    return { name: "reading", status: "FAIL", found: troubles.join("; "), remedy };
  }
  if (readable.length === 0) return { name: "reading", status: "skip", found: "not checked: no topics" };
  return { name: "reading", status: "ok", found: readable.join(", ") };
}

/** Permissions to write, and the broker's time. */
async function checkWriting({ config, client, topics, reports }: Patient): Promise<Check[]> {
  const { group } = config.kafka;
  const outputs = reports.filter(({ role, exists: isThere }) => isThere && role !== "logins");
  const hasLogins = reports.some(({ role, exists: isThere }) => isThere && role === "logins");
  if (outputs.length === 0 || !hasLogins)
    return [{ name: "writing", status: "skip", found: "not checked: no topics" }, clockCheck(undefined)];
  const rehearsal = new KafkajsRehearsal(kafkaClientOptions(config.kafka, undefined));
  let outcome: Rehearsal | undefined;
  const writing = await guarded("writing", async () => {
    const remedy =
      "workers need Write on the outputs and on the transactional ids that begin with the group, Read on the group";
    await rehearsal.mayUse(`${group}-${topics.logins}-0`);
    const [committed] = await client.committedOffsets(group, topics.logins, [0]);
    const canTell = outputs.some(({ role }) => role === "graphState");
    const [state] = canTell ? await client.topicOffsets(topics.graphState) : [];
    outcome = await rehearsal.rehearse({
      transactionalId: `${group}-doctor`,
      topics: outputs.map(({ topic }) => topic),
      position: { group, topic: topics.logins, offset: committed ?? 0 },
      clock: state === undefined ? undefined : { topic: topics.graphState, end: state.high },
    });
    const troubles = [...outcome.topics.values(), outcome.group].filter((error) => error !== undefined);
    if (troubles.length > 0)
      return {
        name: "writing",
        status: "FAIL",
        found: troubles.map(({ message }) => message).join("; "),
        remedy,
      };
    const written = outputs.map(({ topic }) => topic).join(", ");
    const found = `${written}, in a transaction of the group ${group} that was aborted`;
    return { name: "writing", status: "ok", found };
  });
  const training = await guarded("training", () => checkTraining(rehearsal, trainerTransactionalId(group)));
  rehearsal.close();
  return [writing, training, clockCheck(outcome?.clockAheadMs)];
}

/** Whether a trainer of its own may publish with these credentials; workers can do without. */
async function checkTraining(rehearsal: KafkajsRehearsal, transactionalId: string): Promise<Check> {
  const name = "training";
  try {
    await rehearsal.mayUse(transactionalId);
    return { name, status: "ok", found: `oddlink train may publish as ${transactionalId}` };
  } catch (error) {
    if (!(error instanceof OddlinkError) || error.code !== "KAFKA_DENIED") throw error;
    const remedy = "oddlink train needs Write on this transactional id; a worker does not";
    return { name, status: "warn", found: error.message, remedy };
  }
}

async function checkLag({ config, client, topics }: Patient): Promise<Check> {
  const { group, onLostInput } = config.kafka;
  const offsets = await client.topicOffsets(topics.logins);
  const partitions = offsets.map(({ partition }) => partition);
  const committed = await client.committedOffsets(group, topics.logins, partitions);
  const members = await client.groupAssignment(group, topics.logins);
  return lagCheck(offsets, committed, members.size, onLostInput);
}

async function checkState({ config, client, topics }: Patient): Promise<Check> {
  const { group } = config.kafka;
  const partitions = (await client.topicOffsets(topics.logins)).map(({ partition }) => partition);
  const committed = () => client.committedOffsets(group, topics.logins, partitions);
  const signal = AbortSignal.timeout(STATE_MS_MAX);
  for (let look = 1; ; look++) {
    const before = await committed();
    const { coverage, gap, segments } = await readCoverage(client, topics.graphState, signal);
    if (signal.aborted)
      return {
        name: "state",
        status: "skip",
        found: `not checked: graph-state was not read within ${STATE_MS_MAX / 1000} s`,
      };
    const covered = partitions.map((partition) => coverage.nextOf(partition));
    const problems = stateProblems(before, covered, await committed());
    if (gap !== undefined) problems.push(`a gap ${gap}`);
    if (problems.length === 0) {
      const found = `${segments} segments hold exactly what the group ${group} has committed`;
      return { name: "state", status: "ok", found };
    }
    if (look === STATE_LOOKS)
      return {
        name: "state",
        status: "FAIL",
        found: problems.join("; "),
        remedy:
          "graph-state and the group's positions belong together: restore it, or begin with a new group and topic",
      };
    await sleep(STATE_LOOK_AGAIN_MS);
  }
}

/** What graph-state covers. Only headers are kept: it may be large. */
async function readCoverage(client: KafkajsClient, topic: string, signal: AbortSignal) {
  const stored = new Map<string, StoredSegment>();
  for (const { partition, low, high } of await client.topicOffsets(topic)) {
    for (let offset = low; offset < high && !signal.aborted; ) {
      const { records, position } = await client.read(topic, partition, offset);
      for (const { key: bytes, value } of records) {
        const key = bytes?.toString() ?? "";
        if (value === null) stored.delete(key);
        else stored.set(key, { key, header: decodeSegmentHeader(value), bytes: NO_BYTES });
      }
      offset = position;
    }
  }
  const { coverage, gap } = chooseSegments(stored.values());
  return { coverage, gap, segments: stored.size };
}

function exists({ reports }: Patient, role: keyof TopicNames): boolean {
  return reports.some((report) => report.role === role && report.exists);
}

/** A check that can't be made has failed, and the others go on. */
export async function guarded(name: string, check: () => Promise<Check>): Promise<Check> {
  try {
    return await check();
  } catch (error) {
    return { name, status: "FAIL", found: (error as Error).message };
  }
}

/** Why an address can't be connected to; undefined if it can. */
function tryConnect(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(hostAndPort(address));
    const end = (trouble: string | undefined): void => {
      socket.destroy();
      resolve(trouble);
    };
    socket.setTimeout(CONNECT_MS_MAX, () => end("no answer"));
    socket.once("connect", () => end(undefined));
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

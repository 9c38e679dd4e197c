import type { TopicNames } from "./produced-records.ts";

export type TopicRole = keyof TopicNames;

/** What a broker says of a topic. Settings are undefined where the broker does not tell them. */
export type FoundTopic = {
  readonly partitions: number;
  readonly replication: number;
  readonly cleanupPolicy: string | undefined;
  readonly maxMessageBytes: number | undefined;
  /** -1 keeps records for ever. */
  readonly retentionMs: number | undefined;
  readonly minInSyncReplicas: number | undefined;
};

export type NewTopic = {
  readonly topic: string;
  readonly partitions: number;
  /** -1 leaves it to the broker. */
  readonly replication: number;
  readonly settings: Readonly<Record<string, string>>;
};

export type TopicReport = {
  readonly role: TopicRole;
  readonly topic: string;
  readonly exists: boolean;
  readonly partitions: number | undefined;
  /** What is wrong, each with how to mend it. */
  readonly problems: readonly string[];
  /** What is good to know. */
  readonly notes: readonly string[];
};

/** A batch of records has up to 512 KiB, a chunk of a model 900,000 bytes: with what comes on top, they must fit. */
const WRITTEN_BYTES_MIN = 1_000_000;
/** Headers of a dead letter with the longest detail take less. */
const HEADER_BYTES = 65_536;
/** What brokers take unless told otherwise. */
const DEFAULT_BYTES_MAX = 1_048_588;
const INT32_MAX = 2 ** 31 - 1;
const DAY_MS = 86_400_000;
/** How long brokers keep the position of a group without members, unless told otherwise. */
const OFFSETS_RETENTION_MS = 7 * DAY_MS;

const COMPACTED: ReadonlySet<TopicRole> = new Set(["graphState", "epochs", "verdicts", "entityRisk"]);
/** One partition has one order: the newest epoch, the last answer. */
const SINGLE: ReadonlySet<TopicRole> = new Set(["epochs", "verdicts"]);

/**
 * Who starts reads such a topic from its beginning, so what was replaced should soon be gone. Brokers compact the part that is
 * closed only, and close a gigabyte or a week unless told otherwise.
 */
const COMPACTION: Readonly<Record<string, string>> = {
  "cleanup.policy": "compact",
  "segment.bytes": String(16 * 1024 * 1024),
  "segment.ms": String(3_600_000),
  "min.cleanable.dirty.ratio": "0.1",
};

/** Topics that a worker needs, in the order in which they are shown. */
export function topicRoles(hasScoredLogins: boolean, hasShadow = false, hasEntityRisk = false): TopicRole[] {
  return [
    "logins",
    "alerts",
    ...(hasShadow ? (["alertsShadow"] as const) : []),
    ...(hasScoredLogins ? (["scoredLogins"] as const) : []),
    ...(hasEntityRisk ? (["entityRisk"] as const) : []),
    "deadLetters",
    "graphState",
    "epochs",
    "verdicts",
  ];
}

/** Holds topics against what oddlink needs of them. */
export function checkTopics(
  roles: readonly TopicRole[],
  topics: TopicNames,
  found: ReadonlyMap<string, FoundTopic>,
  windowDays: number,
): TopicReport[] {
  const logins = found.get(topics.logins);
  return roles.map((role) => {
    const topic = topics[role];
    const there = found.get(topic);
    if (there === undefined) {
      const how = howToMake(role, topics.logins, logins !== undefined);
      const problems = [`does not exist, or may not be seen by this user; ${how}`];
      return { role, topic, exists: false, partitions: undefined, problems, notes: [] };
    }
    const problems = [
      ...partitionProblems(role, there, logins),
      ...policyProblems(role, topic, there),
      ...sizeProblems(role, topic, there, logins),
      ...replicationProblems(there),
    ];
    const notes = role === "logins" ? retentionNotes(there, windowDays) : [];
    if (role === "deadLetters") notes.push(...replayNotes(there));
    if (there.cleanupPolicy === undefined) notes.push("its settings may not be read, and were not checked");
    return { role, topic, exists: true, partitions: there.partitions, problems, notes };
  });
}

/**
 * The topics that are missing and can be made.
 *
 * @param partitions of all that may have several, if `logins` is missing; undefined leaves these out. They follow `logins` otherwise
 */
export function missingTopics(
  roles: readonly TopicRole[],
  topics: TopicNames,
  found: ReadonlyMap<string, FoundTopic>,
  wanted: { readonly partitions: number | undefined; readonly replication: number | undefined },
): NewTopic[] {
  const logins = found.get(topics.logins);
  const partitionsOfLogins = logins?.partitions ?? wanted.partitions;
  const loginBytesMax = logins?.maxMessageBytes ?? DEFAULT_BYTES_MAX;
  const made: NewTopic[] = [];
  for (const role of roles) {
    const topic = topics[role];
    if (found.has(topic)) continue;
    const partitions = SINGLE.has(role) ? 1 : partitionsOfLogins;
    // Nobody but its owner knows how many partitions the input is to have, and the others go by it: graph-state has as many,
    // dead letters go back to the partition that they came from and are as long as its records may be.
    if (partitions === undefined) continue;
    const settings = {
      ...(COMPACTED.has(role) ? COMPACTION : { "cleanup.policy": "delete" }),
      ...(role === "deadLetters"
        ? { "max.message.bytes": String(Math.min(INT32_MAX, loginBytesMax + HEADER_BYTES)) }
        : {}),
    };
    made.push({ topic, partitions, replication: wanted.replication ?? -1, settings });
  }
  return made;
}

/** The command that makes a missing topic: without the count of partitions only what needs none, or has it from the logins. */
function howToMake(role: TopicRole, logins: string, hasLogins: boolean): string {
  if (SINGLE.has(role) || hasLogins) return "oddlink topics --create makes it";
  const both = "oddlink topics --create --partitions N makes it";
  return role === "logins" ? both : `${both}, and --create is enough once ${logins} is there`;
}

function partitionProblems(role: TopicRole, there: FoundTopic, logins: FoundTopic | undefined): string[] {
  if (SINGLE.has(role) && there.partitions !== 1) {
    const what = role === "epochs" ? "models are trained again" : "write what it holds to the new one";
    return [`has ${there.partitions} partitions and must have one: make it anew, ${what}`];
  }
  if (role !== "graphState" || logins === undefined || there.partitions === logins.partitions) return [];
  const counts = `has ${there.partitions} partitions, the logins have ${logins.partitions}`;
  return there.partitions < logins.partitions
    ? [`${counts}: add partitions with kafka-topics --alter --partitions ${logins.partitions}`]
    : [`${counts}: add partitions to the logins, or make it anew with a new group`];
}

function policyProblems(role: TopicRole, topic: string, { cleanupPolicy }: FoundTopic): string[] {
  const wanted = COMPACTED.has(role) ? "compact" : "delete";
  if (cleanupPolicy === undefined || cleanupPolicy === wanted) return [];
  const harm =
    wanted === "compact" ? "what is still needed is deleted with time" : "records with the same key are lost";
  return [`cleanup.policy is ${cleanupPolicy}, so that ${harm}: ${alter(topic, `cleanup.policy=${wanted}`)}`];
}

function sizeProblems(
  role: TopicRole,
  topic: string,
  { maxMessageBytes }: FoundTopic,
  logins: FoundTopic | undefined,
): string[] {
  if (role === "logins" || maxMessageBytes === undefined) return [];
  const loginBytesMax = logins?.maxMessageBytes;
  if (role === "deadLetters" && loginBytesMax !== undefined && maxMessageBytes <= loginBytesMax) {
    const enough = Math.min(INT32_MAX, loginBytesMax + HEADER_BYTES);
    const why = `max.message.bytes is ${maxMessageBytes}, that of the logins ${loginBytesMax}, and headers come on top`;
    return [`${why}: ${alter(topic, `max.message.bytes=${enough}`)}`];
  }
  if (maxMessageBytes >= WRITTEN_BYTES_MIN) return [];
  return [
    `max.message.bytes is ${maxMessageBytes}, too little for what is written: ${alter(topic, `max.message.bytes=${DEFAULT_BYTES_MAX}`)}`,
  ];
}

function replicationProblems({ replication, minInSyncReplicas }: FoundTopic): string[] {
  if (minInSyncReplicas === undefined || minInSyncReplicas <= replication) return [];
  return [
    `min.insync.replicas is ${minInSyncReplicas} with ${replication} replicas: nothing can be written; add replicas`,
  ];
}

function retentionNotes({ retentionMs }: FoundTopic, windowDays: number): string[] {
  if (retentionMs === undefined || retentionMs < 0 || retentionMs >= windowDays * DAY_MS) return [];
  const days = Math.round((retentionMs / DAY_MS) * 10) / 10;
  return [
    `keeps ${days} days, the window has ${windowDays}: enough while graph-state is there, too little to make it anew`,
  ];
}

function replayNotes({ retentionMs }: FoundTopic): string[] {
  if (retentionMs === undefined || (retentionMs >= 0 && retentionMs <= OFFSETS_RETENTION_MS)) return [];
  return [
    "kept for longer than brokers remember what was replayed (offsets.retention.minutes, 7 days by default)",
  ];
}

function alter(topic: string, setting: string): string {
  return `kafka-configs --alter --entity-type topics --entity-name ${topic} --add-config ${setting}`;
}

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkTopics,
  type FoundTopic,
  missingTopics,
  topicRoles,
} from "../../../src/log/kafka/topic-settings.ts";

const TOPICS = {
  logins: "logins",
  alerts: "alerts",
  alertsShadow: "shadow",
  scoredLogins: "scored",
  entityRisk: "risk",
  deadLetters: "dead",
  graphState: "graph",
  epochs: "epochs",
  verdicts: "verdicts",
};
const ROLES = topicRoles(true);
const PLAIN: FoundTopic = {
  partitions: 3,
  replication: 1,
  cleanupPolicy: "delete",
  maxMessageBytes: 1_048_588,
  retentionMs: 604_800_000,
  minInSyncReplicas: 1,
};
const GOOD: Readonly<Record<string, FoundTopic>> = {
  logins: PLAIN,
  alerts: PLAIN,
  scored: PLAIN,
  dead: { ...PLAIN, maxMessageBytes: 2_000_000 },
  graph: { ...PLAIN, cleanupPolicy: "compact" },
  epochs: { ...PLAIN, cleanupPolicy: "compact", partitions: 1 },
  verdicts: { ...PLAIN, cleanupPolicy: "compact", partitions: 1 },
};

function problemsOf(changed: Readonly<Record<string, Partial<FoundTopic>>>): Record<string, string> {
  const topics = Object.entries(GOOD).map(
    ([topic, found]) => [topic, { ...found, ...changed[topic] }] as const,
  );
  const reports = checkTopics(ROLES, TOPICS, new Map(topics), 30);
  const wrong = reports.filter(({ problems }) => problems.length > 0);
  return Object.fromEntries(wrong.map(({ topic, problems }) => [topic, problems.join("; ")]));
}

test("topics as they must be have no problems, and a short retention of the logins is only noted", () => {
  assert.deepEqual(problemsOf({}), {});
  const reports = checkTopics(ROLES, TOPICS, new Map(Object.entries(GOOD)), 30);
  assert.match(reports[0]!.notes[0]!, /keeps 7 days, the window has 30/);
  assert.deepEqual(checkTopics(ROLES, TOPICS, new Map(Object.entries(GOOD)), 7)[0]!.notes, []);
});

test("dead letters that outlive the memory of what was replayed are noted", () => {
  const notesAt = (retentionMs: number) => {
    const topics = new Map(Object.entries({ ...GOOD, dead: { ...GOOD["dead"]!, retentionMs } }));
    return checkTopics(ROLES, TOPICS, topics, 7)[3]!.notes;
  };
  assert.deepEqual(notesAt(PLAIN.retentionMs!), []);
  for (const retentionMs of [-1, PLAIN.retentionMs! + 1])
    assert.match(notesAt(retentionMs)[0]!, /longer than brokers remember/);
});

test("each thing that is wrong with a topic is found, and the others stay as they are", () => {
  const found = (changed: Parameters<typeof problemsOf>[0], topic: string, text: RegExp) => {
    const problems = problemsOf(changed);
    assert.deepEqual(Object.keys(problems), [topic]);
    assert.match(problems[topic]!, text);
  };
  found({ graph: { partitions: 2 } }, "graph", /has 2 partitions, the logins have 3.*--partitions 3/);
  found({ graph: { partitions: 4 } }, "graph", /has 4 partitions, the logins have 3/);
  found({ graph: { cleanupPolicy: "compact,delete" } }, "graph", /cleanup.policy is compact,delete/);
  found({ epochs: { cleanupPolicy: "delete" } }, "epochs", /--add-config cleanup.policy=compact$/);
  found({ epochs: { partitions: 3 } }, "epochs", /must have one/);
  found({ logins: { cleanupPolicy: "compact" } }, "logins", /the same key are lost/);
  found({ alerts: { maxMessageBytes: 1000 } }, "alerts", /too little for what is written/);
  found({ dead: { maxMessageBytes: 1_048_588 } }, "dead", /headers come on top.*max.message.bytes=1114124/);
  found({ logins: { maxMessageBytes: 3_000_000 } }, "dead", /that of the logins 3000000/);
  found({ alerts: { minInSyncReplicas: 2 } }, "alerts", /nothing can be written/);
});

test("settings that may not be read are said not to be checked, and are no problem", () => {
  const hidden = {
    cleanupPolicy: undefined,
    maxMessageBytes: undefined,
    retentionMs: undefined,
    minInSyncReplicas: undefined,
  };
  const topics = Object.entries(GOOD).map(([topic, found]) => [topic, { ...found, ...hidden }] as const);
  for (const { problems, notes } of checkTopics(ROLES, TOPICS, new Map(topics), 30)) {
    assert.deepEqual(problems, []);
    assert.match(notes.join(), /not checked/);
  }
});

test("the remedy for a missing topic is a command that makes it", () => {
  const remedies = (found: ReadonlyMap<string, FoundTopic>) =>
    checkTopics(ROLES, TOPICS, found, 30).flatMap(({ problems }) => problems);
  for (const remedy of remedies(new Map()).slice(0, -2))
    assert.match(remedy, /--create --partitions N makes it/);
  for (const remedy of remedies(new Map()).slice(-2))
    assert.match(remedy, /; oddlink topics --create makes it$/);
  for (const remedy of remedies(new Map([["logins", GOOD["logins"]!]])))
    assert.match(remedy, /; oddlink topics --create makes it$/);
});

test("what is missing is made as the check wants it, the logins only if their partitions are given", () => {
  const wanted = { partitions: undefined, replication: undefined };
  assert.deepEqual(
    missingTopics(ROLES, TOPICS, new Map(), wanted).map(({ topic }) => topic),
    ["epochs", "verdicts"],
  );
  const made = missingTopics(ROLES, TOPICS, new Map(), { partitions: 5, replication: 3 });
  assert.deepEqual(
    made.map(({ topic, partitions }) => [topic, partitions]),
    [
      ["logins", 5],
      ["alerts", 5],
      ["scored", 5],
      ["dead", 5],
      ["graph", 5],
      ["epochs", 1],
      ["verdicts", 1],
    ],
  );
  const as = made.map(({ topic, partitions, replication, settings }) => {
    const maxMessageBytes = Number(settings["max.message.bytes"] ?? PLAIN.maxMessageBytes);
    const found = {
      ...PLAIN,
      partitions,
      replication,
      cleanupPolicy: settings["cleanup.policy"],
      maxMessageBytes,
    };
    return [topic, found] as const;
  });
  for (const { problems } of checkTopics(ROLES, TOPICS, new Map(as), 30)) assert.deepEqual(problems, []);
  // What was replaced must not be kept for long: a worker that starts reads all there is.
  const closedBytes = made.map(({ settings }) =>
    Number(settings["segment.bytes"] ?? Number.POSITIVE_INFINITY),
  );
  assert.deepEqual(
    closedBytes.map((bytes) => bytes <= 16 * 1024 * 1024),
    [false, false, false, false, true, true, true],
  );
  const logins = new Map([["logins", { ...PLAIN, partitions: 2, maxMessageBytes: 5_000_000 }]]);
  const beside = missingTopics(topicRoles(false), TOPICS, logins, { partitions: 9, replication: undefined });
  assert.deepEqual(
    beside.map(({ topic, partitions }) => [topic, partitions]),
    [
      ["alerts", 2],
      ["dead", 2],
      ["graph", 2],
      ["epochs", 1],
      ["verdicts", 1],
    ],
  );
  assert.ok(Number(beside[1]!.settings["max.message.bytes"]) > 5_000_000);
});

test("the topic of what is raised in the shadow is needed, and made, where there is one", () => {
  const logins = new Map([["logins", PLAIN]]);
  const roles = topicRoles(false, true);
  const [alerts, shadow] = missingTopics(roles, TOPICS, logins, { partitions: undefined, replication: 2 });
  assert.deepEqual(shadow, { ...alerts, topic: "shadow" });
  const reports = checkTopics(roles, TOPICS, logins, 30);
  assert.deepEqual(reports.find(({ role }) => role === "alertsShadow")?.problems, [
    "does not exist, or may not be seen by this user; oddlink topics --create makes it",
  ]);
});

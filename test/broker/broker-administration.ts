import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, { type Admin } from "kafkajs";
import { patchKafkajs } from "../../src/log/kafka/kafkajs/patches.ts";

const POLL_MS = 20;
const CONTROLLER_MS_MAX = 20_000;
const ACLS_MS_MAX = 20_000;
const TOPICS_MS_MAX = 20_000;

export type TopicOptions = {
  readonly partitions: number;
  /** Topic settings such as `cleanup.policy`. */
  readonly config?: Readonly<Record<string, string>>;
};

export function createTopics(brokers: string, topics: Readonly<Record<string, TopicOptions>>): Promise<void> {
  const wanted = Object.entries(topics).map(([topic, { partitions, config = {} }]) => ({
    topic,
    numPartitions: partitions,
    configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
  }));
  return administer(brokers, async (admin) => {
    await admin.createTopics({ waitForLeaders: false, topics: wanted });
    // kafkajs would wait for leaders, but not for a broker that has not heard of the topic yet.
    const deadlineMs = Date.now() + TOPICS_MS_MAX;
    for (const { topic } of wanted) {
      while (!(await isThere(admin, topic))) {
        if (Date.now() > deadlineMs) throw new Error(`the topic ${topic} is not there`);
        await sleep(POLL_MS);
      }
    }
  });
}

/** Sets settings of a topic; all others that were set go back to the broker's own. */
export function alterTopic(
  brokers: string,
  topic: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  return administer(brokers, (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    }),
  );
}

/** Deletes a topic, and returns when nobody is told of it any more. */
export function deleteTopic(brokers: string, topic: string): Promise<void> {
  return administer(brokers, async (admin) => {
    await admin.deleteTopics({ topics: [topic] });
    const deadlineMs = Date.now() + TOPICS_MS_MAX;
    while ((await admin.listTopics()).includes(topic)) {
      if (Date.now() > deadlineMs) throw new Error(`the topic ${topic} is still there`);
      await sleep(POLL_MS);
    }
  });
}

/** Lets a user do everything with topics, groups and transactional ids that begin with `prefix`; needs an authorizer. */
export function allow(brokers: string, user: string, prefix: string): Promise<void> {
  const { ANY, TOPIC, GROUP, TRANSACTIONAL_ID } = kafkajs.AclResourceTypes;
  const resourceTypes = [TOPIC, GROUP, TRANSACTIONAL_ID];
  const rule = {
    resourceName: prefix,
    resourcePatternType: kafkajs.ResourcePatternTypes.PREFIXED,
    principal: `User:${user}`,
    host: "*",
    operation: kafkajs.AclOperationTypes.ALL,
    permissionType: kafkajs.AclPermissionTypes.ALLOW,
  };
  return administer(brokers, async (admin) => {
    await admin.createAcls({ acl: resourceTypes.map((resourceType) => ({ ...rule, resourceType })) });
    // The controller has them; the broker that is to go by them hears of it a moment later.
    const deadlineMs = Date.now() + ACLS_MS_MAX;
    for (;;) {
      const { resources } = await admin.describeAcls({ ...rule, resourceType: ANY });
      if (resources.length === resourceTypes.length) return;
      if (Date.now() > deadlineMs) throw new Error(`the broker does not know what ${user} may do`);
      await sleep(POLL_MS);
    }
  });
}

async function administer(brokers: string, work: (admin: Admin) => Promise<void>): Promise<void> {
  patchKafkajs();
  const admin = new kafkajs.Kafka({ brokers: [brokers], logCreator: () => () => {} }).admin();
  try {
    await admin.connect();
    // A broker that has just started may not know its controller yet, and kafkajs takes that for an error.
    const deadlineMs = Date.now() + CONTROLLER_MS_MAX;
    while ((await admin.describeCluster()).controller === null) {
      if (Date.now() > deadlineMs) throw new Error("the broker knows no controller");
      await sleep(POLL_MS);
    }
    await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function isThere(admin: Admin, topic: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
  } catch {
    return false;
  }
}

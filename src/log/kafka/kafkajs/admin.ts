import kafkajs, { type Admin } from "kafkajs";
import { OddlinkError } from "../../../errors.ts";
import type { FoundTopic, NewTopic } from "../topic-settings.ts";
import { type Asking, ask } from "./asking.ts";
import type { KafkaClusters } from "./clusters.ts";
import { endWithin, type KafkaClientOptions, openKafka, requireWithin } from "./connection.ts";
import type { InternalCluster } from "./internals.ts";
import { asKafkaError, brokerErrorType, causesOf } from "./kafka-errors.ts";

/** The request by which this client reads, and the one version of it that it decodes. */
const FETCH_KEY = 1;
const FETCH_VERSION = 11;
const CREATE_MS_MAX = 30_000;
const CLOSE_MS_MAX = 1000;
/** Which release brought a version of the Fetch request, newest first: the protocol says no more than that. */
const RELEASES: readonly (readonly [fetchVersion: number, release: string])[] = [
  [18, "4.1"],
  [17, "3.9"],
  [16, "3.7"],
  [15, "3.5"],
  [13, "3.1"],
  [12, "2.7"],
  [11, "2.3"],
];

export type BrokerReport = {
  readonly nodeId: number;
  readonly address: string;
  /** The oldest release that knows what this broker knows; undefined if it did not answer. */
  readonly releaseMin: string | undefined;
  /** Why it is of no use; undefined if it is. */
  readonly trouble: string | undefined;
};

/** What operators ask of a cluster and a worker does not. */
export class KafkajsAdmin {
  readonly #admin: Admin;
  readonly #clusters: KafkaClusters;
  readonly #cluster: InternalCluster;
  readonly #asking: Asking;

  /** @param clock milliseconds, for deadlines only */
  constructor(options: KafkaClientOptions, clock: () => number = () => performance.now()) {
    const { kafka, clusters } = openKafka(options);
    this.#admin = kafka.admin();
    this.#clusters = clusters;
    this.#cluster = clusters.create();
    this.#asking = { cluster: this.#cluster, clusters, clock };
  }

  /**
   * Those of the topics that exist, as they are set up.
   *
   * @throws {OddlinkError} KAFKA_UNREACHABLE, KAFKA_DENIED
   */
  async findTopics(topics: readonly string[]): Promise<Map<string, FoundTopic>> {
    const found = await Promise.all(
      topics.map(async (topic) => [topic, await this.#findTopic(topic)] as const),
    );
    return new Map(found.filter((entry): entry is readonly [string, FoundTopic] => entry[1] !== undefined));
  }

  /** @throws {OddlinkError} KAFKA_UNREACHABLE, KAFKA_DENIED, USAGE if there are fewer brokers than replicas; or what else the broker said */
  async createTopics(topics: readonly NewTopic[]): Promise<void> {
    const doing = `creating ${topics.map(({ topic }) => topic).join(", ")}`;
    const create = async () => {
      await this.#admin.connect();
      await this.#admin.createTopics({
        waitForLeaders: true,
        topics: topics.map(({ topic, partitions, replication, settings }) => ({
          topic,
          numPartitions: partitions,
          replicationFactor: replication,
          configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
        })),
      });
    };
    try {
      await requireWithin(CREATE_MS_MAX, doing, create());
    } catch (error) {
      // Of several topics each has an error of its own, and the one around them says nothing.
      const errors = causesOf(error).flatMap((cause) => ("errors" in cause ? (cause.errors as Error[]) : []));
      const first = errors[0] ?? error;
      if (brokerErrorType(first) === "INVALID_REPLICATION_FACTOR") {
        const { length } = await this.brokers();
        const why = `each replica needs a broker of its own, and the cluster has ${length === 1 ? "one" : length}`;
        throw new OddlinkError("USAGE", `${doing}: ${why}`, { cause: error });
      }
      const known = asKafkaError(first, doing);
      if (known instanceof OddlinkError) throw known;
      throw new OddlinkError("KAFKA_FAILED", `${doing}: ${known.message}`, { cause: error });
    }
  }

  /** The cluster's brokers, each asked which requests it knows. */
  async brokers(): Promise<BrokerReport[]> {
    const nodes = await ask(this.#asking, "asking for the brokers", async () => {
      const metadata = await this.#cluster.metadata({ topics: [] });
      if (metadata === null) throw new kafkajs.KafkaJSConnectionError("no broker has answered");
      return metadata.brokers;
    });
    return Promise.all(
      nodes.map(async ({ nodeId, host, port }) => {
        const address = `${host}:${port}`;
        try {
          const broker = await ask(this.#asking, `asking ${address}`, () =>
            this.#cluster.findBroker({ nodeId }),
          );
          const known = broker.versions?.[FETCH_KEY];
          const isUsable =
            known !== undefined && known.minVersion <= FETCH_VERSION && known.maxVersion >= FETCH_VERSION;
          return {
            nodeId,
            address,
            releaseMin: RELEASES.find(([version]) => version <= (known?.maxVersion ?? 0))?.[1],
            trouble: isUsable
              ? undefined
              : `its Fetch versions are ${known?.minVersion} to ${known?.maxVersion}, and ${FETCH_VERSION} is needed`,
          };
        } catch (error) {
          return { nodeId, address, releaseMin: undefined, trouble: (error as Error).message };
        }
      }),
    );
  }

  async close(): Promise<void> {
    await endWithin(CLOSE_MS_MAX, this.#admin.disconnect());
    this.#clusters.seal();
  }

  async #findTopic(topic: string): Promise<FoundTopic | undefined> {
    try {
      return await ask(this.#asking, `reading the settings of ${topic}`, async () => {
        const metadata = await this.#cluster.metadata({ topics: [topic] });
        if (metadata === null) throw new kafkajs.KafkaJSConnectionError("no broker has answered");
        const partitions =
          metadata.topicMetadata.find((found) => found.topic === topic)?.partitionMetadata ?? [];
        const settings = await this.#settingsOf(topic);
        const numberOf = (name: string) => (settings.has(name) ? Number(settings.get(name)) : undefined);
        return {
          partitions: partitions.length,
          replication: Math.min(...partitions.map(({ replicas }) => replicas.length)),
          cleanupPolicy: settings.get("cleanup.policy"),
          maxMessageBytes: numberOf("max.message.bytes"),
          retentionMs: numberOf("retention.ms"),
          minInSyncReplicas: numberOf("min.insync.replicas"),
        };
      });
    } catch (error) {
      if (error instanceof OddlinkError && error.code === "KAFKA_TOPIC_MISSING") return undefined;
      throw error;
    }
  }

  /** Empty if this user may not read them. */
  async #settingsOf(topic: string): Promise<Map<string, string>> {
    try {
      await this.#admin.connect();
      const { resources } = await this.#admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
      });
      const entries = resources.flatMap(({ configEntries }) => configEntries);
      return new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
    } catch (error) {
      const known = asKafkaError(error, `reading the settings of ${topic}`);
      if (known instanceof OddlinkError && known.code === "KAFKA_DENIED") return new Map();
      throw error;
    }
  }
}

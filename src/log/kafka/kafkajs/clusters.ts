import assert from "node:assert/strict";
import kafkajs, { type Kafka } from "kafkajs";
import type { BrokerReach } from "./broker-reach.ts";
import type { InternalCluster, InternalConnectionPool } from "./internals.ts";
import { watchConnections } from "./watching.ts";

/** All connections of a Kafka, whoever made them. */
export type KafkaClusters = {
  /** Connections of our own, beside producers and consumers, with the same addresses and credentials. */
  create(): InternalCluster;
  /** The brokers that can't be reached now, and why; undefined if there are none. */
  readonly trouble: string | undefined;
  /** Ends all requests and attempts to connect, and lets nobody connect again: kafkajs goes on for minutes otherwise. */
  seal(): void;
};

type CreateCluster = (options: { readonly allowAutoTopicCreation: boolean }) => InternalCluster;

/** Takes hold of the connections of a Kafka that was just made. */
export function clustersOf(kafka: Kafka, reach: BrokerReach): KafkaClusters {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === "private:Kafka:createCluster",
  );
  assert.ok(symbol !== undefined, "kafkajs has no createCluster");
  const owner = kafka as unknown as Record<symbol, CreateCluster>;
  const create = owner[symbol]!;
  const clusters = new Map<InternalCluster, ConnectionPools>();
  const createKept: CreateCluster = (options) => {
    const cluster = create(options);
    clusters.set(cluster, new ConnectionPools(cluster, reach));
    return cluster;
  };
  owner[symbol] = createKept;
  return {
    get trouble() {
      return reach.trouble;
    },
    create: () => createKept({ allowAutoTopicCreation: false }),
    seal: () => {
      for (const [cluster, pools] of clusters) seal(cluster, pools);
    },
  };
}

/**
 * All connections of a cluster. kafkajs forgets brokers that fail or move without closing what it has to them: such a
 * connection would stay open, and keep the process from ending.
 */
class ConnectionPools {
  readonly #cluster: InternalCluster;
  /** True if no broker had it when it was last looked at: one that was just made has none for a moment. */
  readonly #pools = new Map<InternalConnectionPool, boolean>();

  constructor(cluster: InternalCluster, reach: BrokerReach) {
    this.#cluster = cluster;
    const { connectionPoolBuilder } = cluster;
    const { build } = connectionPoolBuilder;
    connectionPoolBuilder.build = async (place) => {
      this.#closeForgotten();
      const pool = await build(place);
      watchConnections(pool, reach);
      this.#pools.set(pool, false);
      return pool;
    };
  }

  close(error: Error): void {
    const refuse = (): Promise<never> => Promise.reject(error);
    this.#cluster.connectionPoolBuilder.build = refuse;
    for (const pool of this.#pools.keys()) close(pool, error);
    this.#pools.clear();
  }

  #closeForgotten(): void {
    const { brokers, seedBroker } = this.#cluster.brokerPool;
    const used = new Set([...Object.values(brokers), seedBroker].map((broker) => broker?.connectionPool));
    for (const [pool, wasForgotten] of this.#pools) {
      const isForgotten = !used.has(pool);
      this.#pools.set(pool, isForgotten);
      if (!isForgotten || !wasForgotten) continue;
      close(pool, new kafkajs.KafkaJSConnectionError("the broker was given up"));
      this.#pools.delete(pool);
    }
  }
}

function close({ pool }: InternalConnectionPool, error: Error): void {
  for (const connection of pool) {
    connection.connect = () => Promise.reject(error);
    connection.rejectRequests(error);
    const { socket } = connection;
    // Destroyed, and not only ended: where nobody answers, that would wait for ever; and it may be connecting still.
    void connection
      .disconnect()
      .catch(() => {})
      .then(() => socket?.destroy());
  }
}

function seal(cluster: InternalCluster, pools: ConnectionPools): void {
  const error = new kafkajs.KafkaJSNonRetriableError("the connection was closed by this side");
  const refuse = (): Promise<never> => Promise.reject(error);
  Object.assign(cluster, {
    connect: refuse,
    findBroker: refuse,
    findGroupCoordinator: refuse,
    refreshMetadata: refuse,
    refreshMetadataIfNecessary: refuse,
  });
  Object.assign(cluster.brokerPool, { createSeedBroker: refuse, connectBroker: refuse });
  pools.close(error);
}

import assert from "node:assert/strict";
import kafkajs, { type Kafka } from "kafkajs";
import type { InternalCluster } from "./kafkajs-internals.ts";

/** All connections of a Kafka, whoever made them. */
export type KafkaClusters = {
  /** Connections of our own, beside producers and consumers, with the same addresses and credentials. */
  create(): InternalCluster;
  /** Ends all requests and attempts to connect, and lets nobody connect again: kafkajs goes on for minutes otherwise. */
  seal(): void;
};

type CreateCluster = (options: { readonly allowAutoTopicCreation: boolean }) => InternalCluster;

/** Takes hold of the connections of a Kafka that was just made. */
export function clustersOf(kafka: Kafka): KafkaClusters {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === "private:Kafka:createCluster",
  );
  assert.ok(symbol !== undefined, "kafkajs has no createCluster");
  const owner = kafka as unknown as Record<symbol, CreateCluster>;
  const create = owner[symbol]!;
  const clusters: InternalCluster[] = [];
  const createKept: CreateCluster = (options) => {
    const cluster = create(options);
    clusters.push(cluster);
    return cluster;
  };
  owner[symbol] = createKept;
  return {
    create: () => createKept({ allowAutoTopicCreation: false }),
    seal: () => clusters.forEach(seal),
  };
}

function seal(cluster: InternalCluster): void {
  const error = new kafkajs.KafkaJSNonRetriableError("the connection was closed by this side");
  const refuse = (): Promise<never> => Promise.reject(error);
  Object.assign(cluster, {
    connect: refuse,
    findBroker: refuse,
    findGroupCoordinator: refuse,
    refreshMetadata: refuse,
    refreshMetadataIfNecessary: refuse,
  });
  const { brokerPool } = cluster;
  const brokers = [...Object.values(brokerPool.brokers), brokerPool.seedBroker];
  Object.assign(brokerPool, { createSeedBroker: refuse, connectBroker: refuse });
  for (const connection of brokers.flatMap((broker) => broker?.connectionPool.pool ?? [])) {
    connection.connect = refuse;
    connection.rejectRequests(error);
    void connection.disconnect().catch(() => {});
  }
}

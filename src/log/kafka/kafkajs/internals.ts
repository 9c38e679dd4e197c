import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import type { Message } from "kafkajs";
import type { LoggedRecord } from "./record-batch.ts";

/**
 * The parts of kafkajs that it does not export, typed by hand, in one place. They are those of version 2.2.4, the last
 * one, and of no other.
 */
const require = createRequire(import.meta.url);

const KAFKAJS_VERSION = "2.2.4";
const found = (require("kafkajs/package.json") as { version: string }).version;
assert.equal(
  found,
  KAFKAJS_VERSION,
  `kafkajs ${KAFKAJS_VERSION} is patched and used from inside, not ${found}`,
);

/** What errors of kafkajs may carry, whatever their class. Wrapping drops all but the message and the cause. */
export type KafkajsError = Error & {
  /** Name of the broker's error code, such as INVALID_PRODUCER_EPOCH. */
  readonly type?: string;
  /** A number if it came from the broker, a string such as ECONNREFUSED if it came from the system. */
  readonly code?: number | string;
  readonly retriable?: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly topic?: string;
  readonly partition?: number;
};

export type FetchedPartition = {
  readonly partition: number;
  /** As `decodeFetchResponse` gives them, hidden ones included. */
  readonly messages: readonly LoggedRecord[];
};

/** Reads numbers and bytes of the protocol, one after the other. */
export type ProtocolDecoder = {
  readInt16(): number;
  readInt32(): number;
  readInt64(): bigint;
  readString(): string;
  readBytes(length: number): Buffer;
  readArray<T>(reader: (decoder: ProtocolDecoder) => T): T[];
};

type TopicPartitions<T> = readonly { readonly topic: string; readonly partitions: readonly T[] }[];

type InTransaction = {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
};

type ProtocolRequest = {
  readonly request: unknown;
  readonly response: { decode(bytes: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<unknown> };
};

export type InternalBroker = {
  /** Of each request the broker knows, by its key: which versions; null before it is connected. */
  readonly versions: Readonly<
    Record<number, { readonly minVersion: number; readonly maxVersion: number }>
  > | null;
  fetch(request: {
    readonly maxWaitTime: number;
    readonly minBytes: number;
    readonly maxBytes: number;
    readonly isolationLevel: number;
    readonly topics: TopicPartitions<{
      readonly partition: number;
      readonly fetchOffset: string;
      readonly maxBytes: number;
    }>;
  }): Promise<{ readonly responses: { topicName: string; partitions: FetchedPartition[] }[] }>;
  listOffsets(request: {
    readonly isolationLevel: number;
    /** -2 asks for the log start, -1 for the end. */
    readonly topics: TopicPartitions<{ readonly partition: number; readonly timestamp: number }>;
  }): Promise<{
    readonly responses: { topic: string; partitions: { partition: number; offset: string }[] }[];
  }>;
  offsetFetch(request: {
    readonly groupId: string;
    readonly topics: TopicPartitions<{ readonly partition: number }>;
  }): Promise<{
    readonly responses: { topic: string; partitions: { partition: number; offset: string }[] }[];
  }>;
  initProducerId(request: {
    readonly transactionalId: string;
    readonly transactionTimeout: number;
  }): Promise<{ readonly producerId: string; readonly producerEpoch: number }>;
  addPartitionsToTxn(request: InTransaction & { readonly topics: TopicPartitions<number> }): Promise<unknown>;
  addOffsetsToTxn(request: InTransaction & { readonly groupId: string }): Promise<unknown>;
  txnOffsetCommit(
    request: InTransaction & {
      readonly groupId: string;
      readonly topics: TopicPartitions<{ readonly partition: number; readonly offset: string }>;
    },
  ): Promise<unknown>;
  endTxn(request: InTransaction & { readonly transactionResult: boolean }): Promise<unknown>;
  /** What to send for a request, in the best version that both sides know. */
  lookupRequest<Request>(
    apiKey: number,
    versions: { protocol(options: { version: number }): (request: Request) => ProtocolRequest },
  ): (request: Request) => ProtocolRequest;
  readonly connectionPool: { send(request: ProtocolRequest): Promise<unknown> };
  describeGroups(request: { readonly groupIds: readonly string[] }): Promise<{
    readonly groups: { groupId: string; members: { memberId: string; memberAssignment: Buffer }[] }[];
  }>;
};

export type PartitionMetadata = {
  readonly partitionId: number;
  readonly leader: number;
  readonly replicas: readonly number[];
};

export type InternalCluster = {
  connect(): Promise<void>;
  /** Topics whose metadata is asked for. One that is gone makes every refresh fail. */
  targetTopics: Set<string>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findTopicPartitionMetadata(topic: string): PartitionMetadata[];
  metadata(options: { readonly topics: readonly string[] }): Promise<{
    readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
    readonly topicMetadata: { topic: string; partitionMetadata: PartitionMetadata[] }[];
  } | null>;
  findBroker(options: { readonly nodeId: number }): Promise<InternalBroker>;
  /** @param coordinatorType 0 for groups, the default; 1 for transactional ids */
  findGroupCoordinator(options: {
    readonly groupId: string;
    readonly coordinatorType?: number;
  }): Promise<InternalBroker>;
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number }[];
      readonly fromBeginning: boolean;
    }[],
  ): Promise<{ readonly topic: string; readonly partitions: { partition: number; offset: string }[] }[]>;
  removeBroker(address: { readonly host: string; readonly port: number }): void;
  readonly brokerPool: {
    readonly brokers: Readonly<Record<string, PooledBroker>>;
    readonly seedBroker: PooledBroker | undefined;
  };
  readonly connectionPoolBuilder: { build: (place?: unknown) => Promise<InternalConnectionPool> };
};

type PooledBroker = { readonly connectionPool: InternalConnectionPool };

/** The connections to one broker. */
export type InternalConnectionPool = {
  readonly host: string;
  readonly port: number;
  readonly pool: readonly InternalConnection[];
};

export type InternalConnection = {
  readonly socket: Socket | null | undefined;
  isConnected(): boolean;
  connect: () => Promise<unknown>;
  send: AsyncMethod;
  rejectRequests(error: KafkajsError): void;
  disconnect(): Promise<void>;
};

export const READ_UNCOMMITTED = 0;
export const READ_COMMITTED = 1;

export const Decoder = require("kafkajs/src/protocol/decoder.js") as new (bytes: Buffer) => ProtocolDecoder;
export const fetchRequests = require("kafkajs/src/protocol/requests/fetch/index.js") as {
  protocol(options: { version: string | number }): unknown;
};
export const fetchResponse11 = require("kafkajs/src/protocol/requests/fetch/v11/response.js") as {
  decode(bytes: Buffer): Promise<unknown>;
};

type Class<T> = { readonly prototype: T };
type AsyncMethod = (...args: unknown[]) => Promise<unknown>;

export const RequestQueue = require("kafkajs/src/network/requestQueue/index.js") as Class<{
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  readonly pending: readonly unknown[];
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}>;
export const Connection = require("kafkajs/src/network/connection.js") as Class<InternalConnection>;
export const Cluster = require("kafkajs/src/cluster/index.js") as Class<{
  readonly brokerPool: {
    withBroker<Found>(
      ask: (place: {
        readonly broker: { findGroupCoordinator(request: unknown): Promise<unknown> };
      }) => Promise<Found>,
    ): Promise<Found | null>;
  };
  findGroupCoordinatorMetadata(request: unknown): Promise<unknown>;
}>;
export const OffsetManager = require("kafkajs/src/consumer/offsetManager/index.js") as Class<{
  readonly cluster: InternalCluster;
  readonly topicConfigurations: Readonly<Record<string, { readonly fromBeginning: boolean }>>;
  readonly resolvedOffsets: Record<string, Record<number, string>>;
  setDefaultOffset(place: { readonly topic: string; readonly partition: number }): Promise<void>;
}>;
export const ConsumerGroup = require("kafkajs/src/consumer/consumerGroup.js") as Class<{
  readonly memberId: string | null | undefined;
  generationId: number | null;
  joinAndSync(): Promise<void>;
}>;
export const Lock = require("kafkajs/src/utils/lock.js") as Class<{ acquire: AsyncMethod }>;
export const Broker = require("kafkajs/src/broker/index.js") as Class<{
  listOffsets(request: { readonly isolationLevel?: number }): Promise<unknown>;
}>;

type ProduceRequest = InTransaction & {
  readonly acks: number;
  /** How long the broker waits for its replicas, milliseconds. */
  readonly timeout: number;
  readonly compression: number;
  readonly topicData: TopicPartitions<{
    readonly partition: number;
    readonly firstSequence: number;
    readonly messages: readonly Message[];
  }>;
};

const apiKeys = require("kafkajs/src/protocol/requests/apiKeys.js") as { readonly Produce: number };
const produceRequests = require("kafkajs/src/protocol/requests/produce/index.js") as {
  protocol(options: { version: number }): (request: ProduceRequest) => ProtocolRequest;
};

/** As the broker's own `produce`, but with the answer for every partition: that one throws the first error it finds. */
export async function produceTo(
  broker: InternalBroker,
  request: ProduceRequest,
): Promise<{ readonly topic: string; readonly partition: number; readonly errorCode: number }[]> {
  const produce = broker.lookupRequest(apiKeys.Produce, produceRequests)(request);
  const response = { decode: produce.response.decode, parse: async (decoded: unknown) => decoded };
  const { topics } = (await broker.connectionPool.send({ ...produce, response })) as {
    readonly topics: { topicName: string; partitions: { partition: number; errorCode: number }[] }[];
  };
  return topics.flatMap(({ topicName: topic, partitions }) =>
    partitions.map(({ partition, errorCode }) => ({ topic, partition, errorCode })),
  );
}

const { createErrorFromCode } = require("kafkajs/src/protocol/error.js") as {
  createErrorFromCode(code: number): KafkajsError;
};
/** The error that kafkajs has for an error code of the protocol. */
export const errorOfCode = createErrorFromCode;

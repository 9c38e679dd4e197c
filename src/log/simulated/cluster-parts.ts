import type { Broker } from "./broker.ts";
import type { ConsumerGroup } from "./consumer-group.ts";
import type { EventTrace } from "./event-trace.ts";
import type { GroupOffsets } from "./group-offsets.ts";
import type { LogPartition } from "./log-partition.ts";
import type { Network } from "./network.ts";
import type { RandomStream } from "./random-streams.ts";
import type { Timings } from "./timings.ts";
import type { TransactionCoordinator } from "./transaction-coordinator.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What the clients of a simulated cluster reach of it. */
export type ClusterParts = {
  readonly time: VirtualTime;
  readonly trace: EventTrace;
  readonly timings: Timings;
  readonly broker: Broker;
  readonly network: Network;
  readonly transactions: TransactionCoordinator;
  readonly fetchRandom: RandomStream;
  readonly clientRandom: RandomStream;
  /** Entries that one fetch looks at, at most; most look at fewer. */
  readonly fetchRecordsMax: number;
  /** A record's key and value together; the broker takes no more. */
  readonly recordBytesMax: number;
  /** @throws an error where there is no such topic */
  partitionsOf(topic: string): readonly LogPartition[];
  groupOf(name: string): ConsumerGroup;
  offsetsOf(group: string): GroupOffsets;
  /** Milliseconds that a tail's records of a partition are late in a process. */
  tailDelayMs(process: string, partition: LogPartition): number;
};

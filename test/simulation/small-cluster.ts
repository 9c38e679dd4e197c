import assert from "node:assert/strict";
import {
  type ConsumedRecord,
  type GroupPosition,
  type JoinOptions,
  type Membership,
  TransactionError,
  type TransactionOutcome,
} from "../../src/log/kafka/client.ts";
import { type ClusterOptions, SimulatedCluster } from "../../src/log/simulated/cluster.ts";
import type { SimulatedProcess } from "../../src/log/simulated/simulated-process.ts";
import { Random } from "../../src/model/random.ts";

export const GROUP = "workers";

/** Topics with the names of a worker's; slow answers and undefined offsets only where a test asks for them. */
export function newCluster(seed = 1, options: Partial<ClusterOptions> = {}): SimulatedCluster {
  const cluster = new SimulatedCluster({
    random: (label) => new Random(seed, label),
    undefinedOffsetChance: 0,
    ...options,
    timings: { slowLatencyChance: 0, ...options.timings },
  });
  cluster.createTopic("logins", { partitions: 4 });
  cluster.createTopic("alerts", { partitions: 2 });
  cluster.createTopic("state", { partitions: 1, isCompacted: true });
  return cluster;
}

export const record = (value: string | null, key: string | null = null) => ({ key, value });
export const alert = (value: string, partition = 0) => ({ topic: "alerts", partition, key: null, value });
export const state = (key: string, value: string | null) => ({ topic: "state", partition: 0, key, value });
export const positionAt = (offset: number): GroupPosition => ({
  group: GROUP,
  topic: "logins",
  partition: 0,
  offset,
});
export const text = (records: readonly ConsumedRecord[]): (string | undefined)[] =>
  records.map(({ value }) => value?.toString());

export async function newProducer(cluster: SimulatedCluster, process: SimulatedProcess, id = "input-0") {
  const producer = process.client.producer(id);
  await cluster.time.settle(producer.fence());
  return producer;
}

/** The outcome of a transaction, "committed" if it went well. */
export function outcomeOf(transaction: Promise<void>): Promise<TransactionOutcome | "committed"> {
  return transaction.then(
    () => "committed" as const,
    (error: unknown) => {
      assert(error instanceof TransactionError, String(error));
      return error.outcome;
    },
  );
}

/** Whether a promise is settled, without waiting for it. */
export function watch(promise: Promise<unknown>): { isSettled: boolean } {
  const watched = { isSettled: false };
  const note = (): void => {
    watched.isSettled = true;
  };
  promise.then(note, note);
  return watched;
}

/** Everything that a tail hands over, and how far it is. */
export function tailOf(process: SimulatedProcess, topic: string) {
  const seen: { records: ConsumedRecord[]; positions: number[]; crash: Error | undefined } = {
    records: [],
    positions: [],
    crash: undefined,
  };
  const tail = process.client.tail({
    topic,
    onRecords: (partition, records, position) => {
      seen.records.push(...records);
      seen.positions[partition] = position;
    },
    onCrash: (error) => {
      seen.crash = error;
    },
  });
  return { tail, seen };
}

/** A member of the group that writes down what it is told. */
export async function joinAs(cluster: SimulatedCluster, process: SimulatedProcess, topic = "logins") {
  const member = {
    assignments: [] as (readonly number[])[],
    rebalances: 0,
    offsets: [] as number[][],
    crash: undefined as Error | undefined,
    membership: undefined as unknown as Membership,
  };
  const options: JoinOptions = {
    group: GROUP,
    topic,
    onAssigned: (partitions) => member.assignments.push(partitions),
    onRebalancing: async () => void member.rebalances++,
    onRecords: (partition, records) => {
      (member.offsets[partition] ??= []).push(...records.map(({ offset }) => offset));
    },
    onCrash: (error) => {
      member.crash = error;
    },
  };
  member.membership = await cluster.time.settle(process.client.join(options));
  return member;
}

export const stable = (cluster: SimulatedCluster, members: number): Promise<boolean> =>
  cluster.time.runUntil(() => cluster.owners(GROUP).size === members, 60_000);

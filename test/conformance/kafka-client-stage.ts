import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import {
  type ConsumedRecord,
  type GroupPosition,
  type KafkaClient,
  type Membership,
  type PartitionOffsets,
  type ProducedRecord,
  type Tail,
  type TransactionalProducer,
  TransactionError,
  type TransactionOutcome,
} from "../../src/log/kafka/client.ts";
import type { Time } from "../../src/time.ts";

/** Anything that is to happen does so within this, also on a busy machine. */
export const LIMIT_MS = 30_000;
const POLL_MS = 10;
/** Long enough for what must not happen to happen. */
const QUIET_MS = 300;

/** A Kafka cluster, and what the contract needs of it beside its clients. */
export type KafkaWorld = {
  /** A client of its own, as another process would have one. The contract closes it. */
  client(): KafkaClient;
  createTopic(topic: string, options: { readonly partitions: number }): Promise<void>;
  /** Writes records in a transaction and falls silent as a killed process does: neither commits nor aborts it. */
  leaveOpen(transactionalId: string, records: readonly ProducedRecord[]): Promise<void>;
  readonly time: Time;
  /** Runs a scenario to its end; where time is simulated, this is what makes it pass. */
  run(scenario: () => Promise<void>): Promise<void>;
};

/** Makes one test of the contract: what the client does, and the steps that show it. */
export type Scenario = (behaviour: string, run: (stage: Stage) => Promise<void>) => void;

export function record(topic: string, partition: number, value: string): ProducedRecord {
  return { topic, partition, key: `key of ${value}`, value };
}

export function position(group: string, topic: string, partition: number, offset: number): GroupPosition {
  return { group, topic, partition, offset };
}

export async function outcomeOf(transaction: Promise<void>): Promise<TransactionOutcome | "committed"> {
  try {
    await transaction;
    return "committed";
  } catch (error) {
    assert.ok(error instanceof TransactionError, `not a TransactionError: ${error}`);
    return error.outcome;
  }
}

/** Records by partition, in the order in which they came; asserts that offsets only go up, as far as they must. */
class Read {
  readonly #records = new Map<number, ConsumedRecord[]>();
  readonly crashes: Error[] = [];

  records(partition: number): readonly ConsumedRecord[] {
    return this.#records.get(partition) ?? [];
  }

  values(partition: number): (string | undefined)[] {
    return this.records(partition).map(({ value }) => value?.toString());
  }

  clear(): void {
    this.#records.clear();
  }

  /** After a rebalance records may come a second time: only those not yet there count. */
  protected add(partition: number, records: readonly ConsumedRecord[]): void {
    const known = this.#records.get(partition) ?? [];
    for (let i = 1; i < records.length; i++) assert.ok(records[i]!.offset > records[i - 1]!.offset);
    const lastOffset = known.at(-1)?.offset ?? -1;
    this.#records.set(partition, [...known, ...records.filter(({ offset }) => offset > lastOffset)]);
  }
}

class TailReader extends Read {
  readonly #stage: Stage;
  readonly #topic: string;
  readonly #positions = new Map<number, number>();
  readonly #tail: Tail;

  /** @param partitions all if undefined */
  constructor(stage: Stage, topic: string, partitions: readonly number[] | undefined) {
    super();
    this.#stage = stage;
    this.#topic = topic;
    this.#tail = stage.client.tail({
      topic,
      ...(partitions === undefined ? {} : { partitions }),
      onRecords: (partition, records, next) => {
        const before = this.position(partition);
        assert.ok(next > before, `position ${next} after ${before}`);
        for (const { offset } of records) assert.ok(offset >= before && offset < next, `${offset}`);
        this.#positions.set(partition, next);
        this.add(partition, records);
      },
      onCrash: (error) => this.crashes.push(error),
    });
  }

  position(partition: number): number {
    return this.#positions.get(partition) ?? 0;
  }

  /** Resolves once the reader has passed all that is written now; a marker may follow. */
  async reachesEnd(): Promise<void> {
    const offsets = await this.#stage.client.topicOffsets(this.#topic);
    await this.#stage.until("the tail is at the end", () =>
      offsets.every(({ partition, high }) => this.position(partition) >= high),
    );
    assert.deepEqual(this.crashes, []);
  }

  close(): Promise<void> {
    return this.#tail.close();
  }
}

export class Member extends Read {
  membership!: Membership;
  #assigned: readonly number[] = [];
  #rebalances = 0;

  assigned(): readonly number[] {
    return this.#assigned;
  }

  rebalances(): number {
    return this.#rebalances;
  }

  /** @param finished what it has to finish before it joins again */
  static async join(
    client: KafkaClient,
    group: string,
    topic: string,
    finished: Promise<void>,
  ): Promise<Member> {
    const member = new Member();
    member.membership = await client.join({
      group,
      topic,
      onAssigned: (partitions) => {
        member.#assigned = partitions;
      },
      onRebalancing: () => {
        member.#rebalances++;
        return finished;
      },
      onRecords: (partition, records) => member.add(partition, records),
      onCrash: (error) => member.crashes.push(error),
    });
    return member;
  }
}

/** One test: its clients, and names that no other test has. */
export class Stage {
  readonly world: KafkaWorld;
  readonly client: KafkaClient;
  readonly #name: string;
  readonly #clients: KafkaClient[] = [];
  #names = 0;

  constructor(world: KafkaWorld, name: string) {
    this.world = world;
    this.#name = `${name}-${Math.floor(world.time.now()).toString(36)}`;
    this.client = this.newClient();
  }

  newClient(): KafkaClient {
    const client = this.world.client();
    this.#clients.push(client);
    return client;
  }

  id(name: string): string {
    return `${this.#name}-${name}`;
  }

  async topic(partitions: number): Promise<string> {
    const topic = this.id(`topic-${this.#names++}`);
    await this.world.createTopic(topic, { partitions });
    return topic;
  }

  /** A producer that has fenced, of a client of its own. */
  async producer(id = this.id(`producer-${this.#names++}`)): Promise<TransactionalProducer> {
    const producer = this.newClient().producer(id);
    await producer.fence();
    return producer;
  }

  tail(topic: string, partitions?: readonly number[]): TailReader {
    return new TailReader(this, topic, partitions);
  }

  /** By default in the one group of this test, as the one member of its client. */
  join(
    topic: string,
    { group = this.id("group"), client = this.client, finished = Promise.resolve() } = {},
  ): Promise<Member> {
    return Member.join(client, group, topic, finished);
  }

  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadlineMs = this.world.time.now() + LIMIT_MS;
    while (!(await condition())) {
      if (this.world.time.now() > deadlineMs) assert.fail(`not within ${LIMIT_MS} ms: ${what}`);
      await this.world.time.sleep(POLL_MS);
    }
  }

  async hasOffsets(topic: string, expected: readonly PartitionOffsets[]): Promise<void> {
    let actual: readonly PartitionOffsets[] = [];
    await this.until("the offsets are as expected", async () => {
      actual = await this.client.topicOffsets(topic);
      return isDeepStrictEqual(actual, expected);
    }).catch(() => assert.deepEqual(actual, expected));
  }

  async quiet(): Promise<void> {
    await this.world.time.sleep(QUIET_MS);
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }
}

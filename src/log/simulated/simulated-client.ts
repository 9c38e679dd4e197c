import type {
  JoinOptions,
  KafkaClient,
  Membership,
  PartitionOffsets,
  Tail,
  TailOptions,
  TransactionalProducer,
} from "../kafka/client.ts";
import type { ClusterParts } from "./cluster-parts.ts";
import { uniform } from "./random-streams.ts";
import type { RequestKind } from "./request-faults.ts";
import { SimulatedMembership } from "./simulated-membership.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import { SimulatedProducer } from "./simulated-producer.ts";
import { SimulatedTail } from "./simulated-tail.ts";

/** A first connection takes up to this long, so that a join is sometimes done before it and sometimes after. */
const CONNECT_MS_MAX = 20;

/** The Kafka client of one simulated process. */
export class SimulatedClient implements KafkaClient {
  readonly #parts: ClusterParts;
  readonly #process: SimulatedProcess;
  #memberships: SimulatedMembership[] = [];
  #tails: SimulatedTail[] = [];
  #producers: SimulatedProducer[] = [];

  constructor(parts: ClusterParts, process: SimulatedProcess) {
    this.#parts = parts;
    this.#process = process;
  }

  /** Memberships and tails that have not ended. */
  consumers(): (SimulatedMembership | SimulatedTail)[] {
    this.#memberships = this.#memberships.filter(({ isEnded }) => !isEnded);
    this.#tails = this.#tails.filter(({ isEnded }) => !isEnded);
    return [...this.#memberships, ...this.#tails];
  }

  async join(options: JoinOptions): Promise<Membership> {
    const membership = new SimulatedMembership(this.#parts, this.#process, options);
    this.#memberships.push(membership);
    await this.#process.time.sleep(uniform(this.#parts.clientRandom, 0, CONNECT_MS_MAX));
    return membership;
  }

  producer(transactionalId: string): TransactionalProducer {
    const producer = new SimulatedProducer(this.#parts, this.#process, transactionalId);
    this.#producers = [...this.#producers.filter(({ isClosed }) => !isClosed), producer];
    return producer;
  }

  tail(options: TailOptions): Tail {
    const tail = new SimulatedTail(this.#parts, this.#process, options);
    this.#tails.push(tail);
    return tail;
  }

  /** @throws an error if the broker cannot be reached for long */
  async committedOffsets(
    group: string,
    topic: string,
    partitions: readonly number[],
  ): Promise<(number | undefined)[]> {
    const logs = this.#parts.partitionsOf(topic);
    const offsets = this.#parts.offsetsOf(group);
    return this.#ask("committed offsets", () =>
      partitions.map((partition) => offsets.read(logs[partition]!)),
    );
  }

  /** @throws an error if the broker cannot be reached for long */
  async topicOffsets(topic: string): Promise<PartitionOffsets[]> {
    const logs = this.#parts.partitionsOf(topic);
    // Three requests, as a real client makes them: what is written between them shows.
    const lows = await this.#ask("topic offsets", () => logs.map(({ low }) => low));
    const stables = await this.#ask("topic offsets", () => logs.map((log) => log.lastStableOffset));
    const highs = await this.#ask("topic offsets", () => logs.map(({ high }) => high));
    return logs.map(({ partition }, i) => ({
      partition,
      low: lows[i]!,
      high: highs[i]!,
      stable: stables[i]!,
    }));
  }

  async close(): Promise<void> {
    const consumers = this.consumers();
    for (const producer of this.#producers) void producer.close();
    this.#producers = [];
    await Promise.all(
      consumers.map((consumer) => (consumer instanceof SimulatedTail ? consumer.close() : consumer.leave())),
    );
  }

  #ask<T>(kind: RequestKind, execute: () => T): Promise<T> {
    return new Promise((resolve, reject) =>
      this.#parts.network.send<T>(this.#process, {
        kind,
        execute: (answer) => answer(execute()),
        onAnswer: resolve,
        onFailure: () => reject(new Error(`no answer to the request for ${kind}`)),
      }),
    );
  }
}

import assert from "node:assert/strict";
import { handOverMsMax, type JoinOptions, type Membership } from "../kafka/client.ts";
import type { ClusterParts } from "./cluster-parts.ts";
import type { Assignment, Joined, Rejoin } from "./consumer-group.ts";
import type { LogPartition } from "./log-partition.ts";
import { PartitionReader } from "./partition-reader.ts";
import { uniform } from "./random-streams.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

/** A member of a consumer group, as kafkajs is one: what it owns is what it was last told, right or not. */
export class SimulatedMembership implements Membership {
  readonly #parts: ClusterParts;
  readonly #process: SimulatedProcess;
  readonly #options: JoinOptions;
  #memberId = "";
  #generation = -1;
  /** Counts what the membership goes through, so that answers to an earlier state are known as such. */
  #round = 0;
  #isEnded = false;
  #readers = new Map<number, PartitionReader>();
  readonly #paused = new Set<number>();
  /** Places asked for that no fetch has begun at yet: kafkajs keeps them until the partition is (again) its own. */
  readonly #seeks = new Map<number, number>();
  /** Before the first assignment kafkajs takes no orders. */
  #hasJoined = false;

  constructor(parts: ClusterParts, process: SimulatedProcess, options: JoinOptions) {
    this.#parts = parts;
    this.#process = process;
    this.#options = options;
    this.#parts.partitionsOf(options.topic);
    this.#join();
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  pause(partition: number): void {
    this.#paused.add(partition);
    this.#readers.get(partition)?.pause();
  }

  resume(partition: number): void {
    this.#paused.delete(partition);
    this.#readers.get(partition)?.resume();
  }

  seek(partition: number, offset: number): void {
    assert(Number.isSafeInteger(offset) && offset >= 0, `cannot seek to ${offset}`);
    const reader = this.#readers.get(partition);
    if (reader !== undefined && !reader.isHalted) reader.seek(offset);
    else if (this.#hasJoined) this.#seeks.set(partition, offset);
  }

  /** @throws an error if the coordinator cannot be reached for long */
  owns(partition: number): Promise<boolean> {
    if (this.#isEnded) return Promise.resolve(false);
    return new Promise((resolve, reject) =>
      this.#parts.network.send<boolean>(this.#process, {
        kind: "describe group",
        execute: (answer) => answer(this.#group().owns(this.#memberId, partition)),
        onAnswer: resolve,
        onFailure: () => reject(new Error(`no answer to who owns partition ${partition}`)),
      }),
    );
  }

  leave(): Promise<void> {
    if (this.#isEnded) return Promise.resolve();
    this.#end();
    const memberId = this.#memberId;
    if (memberId === "") return Promise.resolve();
    return new Promise((resolve) =>
      this.#parts.network.send<void>(this.#process, {
        kind: "leave",
        execute: (answer) => answer(this.#group().leave(memberId)),
        onAnswer: resolve,
        onFailure: resolve,
      }),
    );
  }

  /** Ends the membership as an error does that the client does not recover from. The group is not told. */
  crash(error: Error): void {
    if (this.#isEnded) return;
    this.#end();
    this.#process.enter(() => this.#options.onCrash(error));
  }

  #end(): void {
    this.#isEnded = true;
    this.#round++;
    for (const reader of this.#readers.values()) reader.close();
  }

  #group() {
    return this.#parts.groupOf(this.#options.group);
  }

  #join(): void {
    const round = ++this.#round;
    this.#parts.network.send<Joined | Rejoin>(this.#process, {
      kind: "join",
      execute: (answer) => {
        // The request of one that has left meanwhile went with its connection.
        if (this.#isEnded) answer("unknown-member");
        else this.#group().join(this.#memberId, this.#process.name, answer);
      },
      onAnswer: (joined) => {
        if (round !== this.#round) return;
        if (typeof joined === "string") return this.#rejoin(joined);
        this.#memberId = joined.memberId;
        this.#generation = joined.generation;
        this.#sync(round, joined.membersToAssign);
      },
      onFailure: () => {
        if (round === this.#round) this.#rejoin("rebalance");
      },
    });
  }

  #sync(round: number, membersToAssign: readonly string[] | undefined): void {
    const assignment = membersToAssign === undefined ? undefined : this.#assign(membersToAssign);
    this.#parts.network.send<readonly number[] | Rejoin>(this.#process, {
      kind: "sync",
      execute: (answer) => this.#group().sync(this.#memberId, this.#generation, assignment, answer),
      onAnswer: (answer) => {
        if (round !== this.#round) return;
        if (typeof answer === "string") this.#rejoin(answer);
        else this.#assigned(round, answer);
      },
      onFailure: () => {
        if (round === this.#round) this.#rejoin("rebalance");
      },
    });
  }

  /** Round robin over the members sorted by id, as kafkajs does. */
  #assign(members: readonly string[]): Assignment {
    const assignment = new Map<string, number[]>(members.map((member) => [member, []]));
    for (const { partition } of this.#parts.partitionsOf(this.#options.topic))
      assignment.get(members[partition % members.length]!)!.push(partition);
    return assignment;
  }

  #rejoin(why: Rejoin): void {
    if (why === "unknown-member") this.#memberId = "";
    const round = ++this.#round;
    this.#process.time.schedule(uniform(this.#parts.clientRandom, 1, 50), () => {
      if (round === this.#round) this.#join();
    });
  }

  #assigned(round: number, partitions: readonly number[]): void {
    for (const reader of this.#readers.values()) reader.close();
    this.#readers = new Map(partitions.map((partition) => [partition, this.#newReader(partition)]));
    this.#hasJoined = true;
    this.#scheduleHeartbeat(round);
    for (const [partition, reader] of this.#readers) {
      const offset = this.#seeks.get(partition);
      if (offset === undefined) continue;
      this.#seeks.delete(partition);
      reader.seek(offset);
    }
    this.#options.onAssigned([...partitions]);
    if (round === this.#round && partitions.length > 0) this.#readFromCommitted(round);
  }

  #newReader(partition: number): PartitionReader {
    const log = this.#parts.partitionsOf(this.#options.topic)[partition]!;
    const reader = new PartitionReader({
      parts: this.#parts,
      process: this.#process,
      log,
      onFetched: (records) => {
        if (records.length > 0) this.#options.onRecords(partition, records);
      },
      onOutOfRange: () => this.#parts.offsetsOf(this.#options.group).forget(log),
    });
    if (this.#paused.has(partition)) reader.pause();
    return reader;
  }

  /** Where nothing else was said meanwhile. */
  #readFromCommitted(round: number): void {
    const logs = this.#parts.partitionsOf(this.#options.topic);
    const offsets = this.#parts.offsetsOf(this.#options.group);
    const waiting = [...this.#readers].filter(([, reader]) => !reader.hasPosition);
    const read = (log: LogPartition): number => offsets.read(log) ?? log.low;
    this.#parts.network.send<readonly number[]>(this.#process, {
      kind: "committed offsets",
      execute: (answer) => answer(waiting.map(([partition]) => read(logs[partition]!))),
      onAnswer: (positions) => {
        if (round !== this.#round) return;
        waiting.forEach(([, reader], i) => {
          if (!reader.hasPosition) reader.seek(positions[i]!);
        });
      },
      onFailure: () => {
        if (round === this.#round) this.#readFromCommitted(round);
      },
    });
  }

  #scheduleHeartbeat(round: number): void {
    const intervalMs = this.#parts.timings.heartbeatIntervalMs;
    this.#process.time.schedule(uniform(this.#parts.clientRandom, intervalMs, 1.1 * intervalMs), () => {
      if (round === this.#round) this.#heartbeat(round);
    });
  }

  #heartbeat(round: number): void {
    this.#parts.network.send<"ok" | Rejoin>(this.#process, {
      kind: "heartbeat",
      execute: (answer) => answer(this.#group().heartbeat(this.#memberId, this.#generation)),
      onAnswer: (answer) => {
        if (round !== this.#round) return;
        if (answer === "ok") return this.#scheduleHeartbeat(round);
        this.#mustRejoin(answer);
      },
      onFailure: () => {
        if (round === this.#round) this.#scheduleHeartbeat(round);
      },
    });
  }

  /** As kafkajs has it, a member that was thrown out hears so only by its next assignment. */
  #mustRejoin(why: Rejoin): void {
    for (const reader of this.#readers.values()) reader.halt();
    if (why === "rebalance") {
      this.#handOver();
      return;
    }
    this.#memberId = "";
    this.#join();
  }

  /** Joins again once what is under way is done, or has taken too long. */
  #handOver(): void {
    const round = ++this.#round;
    const limitMs = handOverMsMax(this.#parts.timings.sessionTimeoutMs);
    void Promise.race([this.#options.onRebalancing(), this.#process.time.sleep(limitMs)]).then(() => {
      if (round === this.#round) this.#join();
    });
  }
}

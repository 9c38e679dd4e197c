import type { Broker } from "./broker.ts";
import type { EventTrace } from "./event-trace.ts";
import type { Timings } from "./timings.ts";

/** The protocol's REBALANCE_IN_PROGRESS (or ILLEGAL_GENERATION), and UNKNOWN_MEMBER_ID. */
export type Rejoin = "rebalance" | "unknown-member";

export type Joined = {
  readonly memberId: string;
  readonly generation: number;
  /** All members, sorted, for the one that gives the partitions out; undefined for the others. */
  readonly membersToAssign: readonly string[] | undefined;
};

/** Partitions of each member. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

type Member = {
  readonly id: string;
  readonly process: string;
  heardMs: number;
  partitions: readonly number[];
  answerJoin: ((answer: Joined | Rejoin) => void) | undefined;
  answerSync: ((answer: readonly number[] | Rejoin) => void) | undefined;
};

/**
 * A consumer group as its coordinator sees it, with eager rebalance:
 *
 *   empty -> preparing (all must join again) -> completing (the leader assigns) -> stable -> preparing ...
 *
 * A member that is silent for the session timeout is out, and one that does not join within the rebalance timeout as well.
 */
export class ConsumerGroup {
  readonly name: string;
  readonly #broker: Broker;
  readonly #trace: EventTrace;
  readonly #timings: Timings;
  readonly #newMemberId: (process: string) => string;
  readonly #members = new Map<string, Member>();
  #state: "empty" | "preparing" | "completing" | "stable" = "empty";
  #generation = 0;
  #leaderId = "";
  /** Counts rebalances, so that the deadline of one does not end another. */
  #round = 0;

  constructor(
    name: string,
    broker: Broker,
    trace: EventTrace,
    timings: Timings,
    newMemberId: (process: string) => string,
  ) {
    this.name = name;
    this.#broker = broker;
    this.#trace = trace;
    this.#timings = timings;
    this.#newMemberId = newMemberId;
  }

  get state(): "empty" | "preparing" | "completing" | "stable" {
    return this.#state;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Partitions by name of process, in no certain order; of a stable group only. */
  owners(): Map<string, number[]> {
    const owners = new Map<string, number[]>();
    if (this.#state !== "stable") return owners;
    for (const { process, partitions } of this.#members.values())
      owners.set(process, [...(owners.get(process) ?? []), ...partitions]);
    return owners;
  }

  /** JoinGroup. @param memberId empty for one that has none yet */
  join(memberId: string, process: string, answer: (answer: Joined | Rejoin) => void): void {
    if (memberId !== "" && !this.#members.has(memberId)) {
      answer("unknown-member");
      return;
    }
    const member = this.#members.get(memberId) ?? this.#addMember(process);
    member.heardMs = this.#broker.now();
    if (this.#state === "completing") {
      // Its answer was lost: it may have it again.
      answer(this.#joined(member));
      return;
    }
    this.rebalance();
    member.answerJoin = answer;
    this.#completeIfAllJoined();
  }

  /** SyncGroup. @param assignment from the leader only */
  sync(
    memberId: string,
    generation: number,
    assignment: Assignment | undefined,
    answer: (answer: readonly number[] | Rejoin) => void,
  ): void {
    const member = this.#members.get(memberId);
    if (member !== undefined) member.heardMs = this.#broker.now();
    if (member === undefined) answer("unknown-member");
    else if (generation !== this.#generation || this.#state === "preparing") answer("rebalance");
    else if (this.#state === "stable") answer(member.partitions);
    else {
      member.answerSync = answer;
      if (memberId === this.#leaderId && assignment !== undefined) this.#assign(assignment);
    }
  }

  heartbeat(memberId: string, generation: number): "ok" | Rejoin {
    const member = this.#members.get(memberId);
    if (member === undefined) return "unknown-member";
    member.heardMs = this.#broker.now();
    return generation !== this.#generation || this.#state === "preparing" ? "rebalance" : "ok";
  }

  leave(memberId: string): void {
    if (this.#members.has(memberId)) this.#remove(memberId, "leave");
  }

  owns(memberId: string, partition: number): boolean {
    return this.#state === "stable" && (this.#members.get(memberId)?.partitions.includes(partition) ?? false);
  }

  /** Gives the partitions out anew: members hear of it when they next ask. */
  rebalance(): void {
    if (this.#state === "preparing") return;
    this.#trace.note("rebalance", this.name, this.#generation);
    this.#state = "preparing";
    for (const member of this.#members.values()) {
      member.answerSync?.("rebalance");
      member.answerSync = undefined;
    }
    const round = ++this.#round;
    this.#broker.later(this.#timings.rebalanceTimeoutMs, () => {
      if (round !== this.#round || this.#state !== "preparing") return;
      for (const member of this.#members.values()) {
        if (member.answerJoin !== undefined) continue;
        this.#trace.note("too late to join", member.process, 0);
        this.#members.delete(member.id);
      }
      this.#complete();
    });
  }

  /** The coordinator is back: sessions begin anew, and who waited for an answer asks again. */
  restarted(): void {
    for (const member of this.#members.values()) {
      member.heardMs = this.#broker.now();
      member.answerJoin = undefined;
      member.answerSync = undefined;
    }
    if (this.#state !== "preparing" && this.#state !== "completing") return;
    this.#state = "stable";
    this.rebalance();
  }

  #addMember(process: string): Member {
    const member: Member = {
      id: this.#newMemberId(process),
      process,
      heardMs: this.#broker.now(),
      partitions: [],
      answerJoin: undefined,
      answerSync: undefined,
    };
    this.#members.set(member.id, member);
    this.#watch(member);
    this.rebalance();
    return member;
  }

  #assign(assignment: Assignment): void {
    this.#state = "stable";
    for (const member of this.#members.values()) {
      member.partitions = assignment.get(member.id) ?? [];
      for (const partition of member.partitions) this.#trace.note("assigned", member.process, partition);
      member.answerSync?.(member.partitions);
      member.answerSync = undefined;
    }
  }

  /** One timer a member, which looks when it was heard of last. */
  #watch(member: Member): void {
    const silentMs = this.#broker.now() - member.heardMs;
    this.#broker.later(this.#timings.sessionTimeoutMs - silentMs, () => {
      if (this.#members.get(member.id) !== member) return;
      const isWaiting = member.answerJoin !== undefined || member.answerSync !== undefined;
      if (isWaiting) member.heardMs = this.#broker.now();
      if (this.#broker.now() - member.heardMs < this.#timings.sessionTimeoutMs) return this.#watch(member);
      this.#remove(member.id, "session timeout");
    });
  }

  #remove(memberId: string, why: string): void {
    this.#trace.note(why, this.#members.get(memberId)!.process, this.#generation);
    this.#members.delete(memberId);
    this.rebalance();
    this.#completeIfAllJoined();
  }

  #completeIfAllJoined(): void {
    if (this.#state !== "preparing") return;
    for (const { answerJoin } of this.#members.values()) if (answerJoin === undefined) return;
    this.#complete();
  }

  #complete(): void {
    this.#generation++;
    if (this.#members.size === 0) {
      this.#state = "empty";
      return;
    }
    this.#state = "completing";
    if (!this.#members.has(this.#leaderId)) this.#leaderId = this.#members.keys().next().value!;
    for (const member of this.#members.values()) {
      member.heardMs = this.#broker.now();
      member.partitions = [];
      const answer = member.answerJoin!;
      member.answerJoin = undefined;
      answer(this.#joined(member));
    }
  }

  #joined({ id }: Member): Joined {
    const membersToAssign = id === this.#leaderId ? [...this.#members.keys()].sort() : undefined;
    return { memberId: id, generation: this.#generation, membersToAssign };
  }
}

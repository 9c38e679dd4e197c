import assert from "node:assert/strict";
import type { Broker } from "./broker.ts";
import type { EventTrace } from "./event-trace.ts";
import { type RandomStream, uniform } from "./random-streams.ts";
import type { Timings } from "./timings.ts";

/** What a transaction writes to, a partition or a group's offsets: told in the end how it ended. */
export type TransactionParticipant = {
  readonly name: string;
  /** Earlier epochs of the producer are shut out from then on. */
  endTransaction(producerId: number, epoch: number, isCommitted: boolean, nowMs: number): void;
};

export type ProducerIdentity = { readonly producerId: number; readonly epoch: number };

type TransactionalId = {
  readonly name: string;
  readonly producerId: number;
  epoch: number;
  /** "ending" is decided but not yet known to all participants. */
  state: "empty" | "ongoing" | "ending";
  participants: Set<TransactionParticipant>;
  startedMs: number;
  isTimerSet: boolean;
};

/**
 * Who may write under which transactional id, and how each transaction ended.
 *
 * The answers are the protocol's: "fenced" is INVALID_PRODUCER_EPOCH, "busy" is CONCURRENT_TRANSACTIONS (ask again).
 */
export class TransactionCoordinator {
  readonly #broker: Broker;
  readonly #trace: EventTrace;
  readonly #random: RandomStream;
  readonly #timings: Timings;
  readonly #ids = new Map<string, TransactionalId>();

  constructor(broker: Broker, trace: EventTrace, random: RandomStream, timings: Timings) {
    this.#broker = broker;
    this.#trace = trace;
    this.#random = random;
    this.#timings = timings;
  }

  /** InitProducerId: a new epoch once nothing of the old one is left open or on its way to readers. */
  initialise(name: string): ProducerIdentity | "busy" {
    let id = this.#ids.get(name);
    if (id === undefined) {
      const producerId = this.#ids.size + 1;
      id = {
        name,
        producerId,
        epoch: -1,
        state: "empty",
        participants: new Set(),
        startedMs: 0,
        isTimerSet: false,
      };
      this.#ids.set(name, id);
    }
    if (id.state === "ending") return "busy";
    id.epoch++;
    if (id.state === "ongoing") {
      this.#end(id, false);
      return "busy";
    }
    this.#trace.note("producer epoch", name, id.epoch);
    return { producerId: id.producerId, epoch: id.epoch };
  }

  /** AddPartitionsToTxn and AddOffsetsToTxn; the first one begins the transaction. */
  add(name: string, epoch: number, participants: Iterable<TransactionParticipant>): "ok" | "fenced" | "busy" {
    const id = this.#ids.get(name);
    assert(id !== undefined, `${name} was never initialised`);
    if (epoch !== id.epoch) return "fenced";
    if (id.state === "ending") return "busy";
    if (id.state === "empty") {
      id.state = "ongoing";
      id.startedMs = this.#broker.now();
      this.#setTimer(id);
    }
    for (const participant of participants) id.participants.add(participant);
    return "ok";
  }

  /** Whether records may be written to a participant; the broker asks this for each first batch. */
  isOngoing(name: string, epoch: number, participant: TransactionParticipant): boolean {
    const id = this.#ids.get(name)!;
    return id.epoch === epoch && id.state === "ongoing" && id.participants.has(participant);
  }

  /** EndTxn: "ok" once decided; readers hear of it a little later. */
  end(name: string, epoch: number, isCommitted: boolean): "ok" | "fenced" {
    const id = this.#ids.get(name)!;
    if (epoch !== id.epoch) return "fenced";
    if (id.state === "ongoing") this.#end(id, isCommitted);
    else assert(!isCommitted, "a commit is sent once and only for what was begun");
    return "ok";
  }

  #end(id: TransactionalId, isCommitted: boolean): void {
    this.#trace.note(isCommitted ? "commit" : "abort", id.name, id.epoch);
    id.state = "ending";
    let markersLeft = id.participants.size;
    const complete = (): void => {
      id.state = "empty";
      id.participants = new Set();
    };
    if (markersLeft === 0) complete();
    for (const participant of id.participants) {
      this.#broker.later(this.#markerMs(), () => {
        this.#trace.note("marker", participant.name, id.epoch);
        participant.endTransaction(id.producerId, id.epoch, isCommitted, this.#broker.now());
        if (--markersLeft === 0) this.#broker.later(this.#broker.latencyMs(), complete);
      });
    }
  }

  #markerMs(): number {
    const { markerMsMax, slowLatencyChance, slowLatencyMsMax } = this.#timings;
    const isSlow = this.#random.nextFloat() < slowLatencyChance && markerMsMax > 0;
    return uniform(this.#random, 0, isSlow ? slowLatencyMsMax : markerMsMax);
  }

  /** One timer an id: it finds out by itself whether the transaction it was set for is over. */
  #setTimer(id: TransactionalId): void {
    if (id.isTimerSet) return;
    id.isTimerSet = true;
    const { transactionTimeoutMs, transactionScanMs } = this.#timings;
    const ageMs = this.#broker.now() - id.startedMs;
    const delayMs = transactionTimeoutMs - ageMs + uniform(this.#random, 0, transactionScanMs);
    this.#broker.later(Math.max(0, delayMs), () => {
      id.isTimerSet = false;
      if (id.state !== "ongoing") return;
      if (this.#broker.now() - id.startedMs < transactionTimeoutMs) return this.#setTimer(id);
      this.#trace.note("transaction timeout", id.name, id.epoch);
      id.epoch++;
      this.#end(id, false);
    });
  }
}

import type { FaultBudget } from "./fault-plan.ts";

export type RequestKind =
  | "initialise"
  | "add partitions"
  | "produce"
  | "add offsets"
  | "write offsets"
  | "commit"
  | "abort"
  | "join"
  | "sync"
  | "heartbeat"
  | "leave"
  | "committed offsets"
  | "topic offsets"
  | "describe group";

/**
 * What may happen to a request: it is carried out but its answer lost; it is lost; it is carried out late, when nobody
 * waits for it any more; or it is refused however often it is sent.
 */
export type RequestFault = "answer-lost" | "request-lost" | "late" | "refused";

type Armed = {
  readonly kind: RequestKind;
  readonly fault: RequestFault;
  readonly process: string | undefined;
};

/** Requests are asked one by one whether something happens to them: by hand, or by the plan in force. */
export class RequestFaults {
  /** The plan in force, if one is. */
  budget: FaultBudget | undefined;
  #armed: Armed[] = [];

  /** The next request of this kind (of one process, if named) meets this fault. */
  arm(kind: RequestKind, fault: RequestFault, process?: string): void {
    this.#armed.push({ kind, fault, process });
  }

  take(kind: RequestKind, process: string): RequestFault | undefined {
    if (this.#armed.length > 0) {
      const i = this.#armed.findIndex(
        (armed) => armed.kind === kind && (armed.process ?? process) === process,
      );
      if (i >= 0) return this.#armed.splice(i, 1)[0]!.fault;
    }
    const { budget } = this;
    if (budget === undefined) return undefined;
    if (kind === "commit") {
      if (budget.strikes("commitLost")) return "request-lost";
      if (budget.strikes("commitAnswerLost")) return "answer-lost";
      return budget.strikes("commitLate") ? "late" : undefined;
    }
    if (kind === "produce" && budget.strikes("sendRefused")) return "refused";
    return budget.strikes("answerLost") ? "answer-lost" : undefined;
  }
}

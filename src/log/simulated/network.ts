import type { Broker } from "./broker.ts";
import type { EventTrace } from "./event-trace.ts";
import { type RandomStream, uniform } from "./random-streams.ts";
import type { RequestFault, RequestFaults, RequestKind } from "./request-faults.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { Timings } from "./timings.ts";
import type { VirtualTime } from "./virtual-time.ts";

export type Request<T> = {
  readonly kind: RequestKind;
  /** Runs at the broker, once for each time that the request arrives. Answers at once or later, once. */
  readonly execute: (answer: (value: T) => void) => void;
  /** Runs in the process. */
  readonly onAnswer: (value: T) => void;
  /** Runs in the process: no answer came, and sending again, where allowed, did not help. Nothing is known. */
  readonly onFailure: () => void;
};

/** A request that the broker has, until the process has its answer. */
type Flight = { isAnswered: boolean; isOver: boolean; readonly onLost: () => void };

/** Who is not heard by whom. */
export type CutWay = "both ways" | "to the broker" | "from the broker";

type Cut = { readonly way: CutWay; readonly untilMs: number };

/** An answer of these is needed from this very request: sending it again would mean something else, or comes too late. */
const NEVER_REPEATED: ReadonlySet<RequestKind> = new Set(["commit", "abort", "heartbeat", "leave"]);

/** Requests between processes and the broker: they take time, get lost, and are sent again where that is harmless. */
export class Network {
  readonly #time: VirtualTime;
  readonly #broker: Broker;
  readonly #trace: EventTrace;
  readonly #random: RandomStream;
  readonly #timings: Timings;
  readonly #faults: RequestFaults;
  readonly #flights = new Set<Flight>();
  /** By name of the process. */
  readonly #cuts = new Map<string, Cut>();

  constructor(
    time: VirtualTime,
    broker: Broker,
    trace: EventTrace,
    random: RandomStream,
    timings: Timings,
    faults: RequestFaults,
  ) {
    this.#time = time;
    this.#broker = broker;
    this.#trace = trace;
    this.#random = random;
    this.#timings = timings;
    this.#faults = faults;
  }

  send<T>(process: SimulatedProcess, request: Request<T>): void {
    const startedMs = this.#time.now();
    process.enter(() => this.#attempt(process, request, startedMs));
  }

  /** For `forMs`, messages of one process and the broker are lost without a sign. */
  cutOff(process: string, way: CutWay, forMs: number): void {
    this.#trace.note(`cut off ${way}`, process, forMs);
    this.#cuts.set(process, { way, untilMs: this.#time.now() + forMs });
  }

  /** Everybody is heard again. */
  heal(): void {
    this.#cuts.clear();
  }

  /** Whether a process is cut off, in one way or (if not said) in any. */
  isCut(process: string, way?: CutWay): boolean {
    if (this.#cuts.size === 0) return false;
    const cut = this.#cuts.get(process);
    if (cut === undefined || this.#time.now() >= cut.untilMs) return false;
    return way === undefined || cut.way === way || cut.way === "both ways";
  }

  /** The broker went down: what it works on is lost, and of the answers on their way about half. */
  dropFlights(): void {
    for (const flight of [...this.#flights]) {
      if (flight.isAnswered && this.#random.nextFloat() < 0.5) continue;
      this.#flights.delete(flight);
      flight.isOver = true;
      flight.onLost();
    }
  }

  #attempt<T>(process: SimulatedProcess, request: Request<T>, startedMs: number): void {
    const fault = this.#faults.take(request.kind, process.name);
    this.#time.scheduleBackground(this.#broker.latencyMs(), () =>
      this.#arrive(process, request, startedMs, fault),
    );
  }

  #arrive<T>(
    process: SimulatedProcess,
    request: Request<T>,
    startedMs: number,
    fault: RequestFault | undefined,
  ): void {
    this.#trace.note(request.kind, process.name, 0);
    if (fault !== undefined) this.#trace.note(fault, request.kind, 0);
    const onLost = (): void => this.#unanswered(process, request, startedMs);
    if (this.isCut(process.name, "to the broker")) this.#silence(process, request, startedMs);
    else if (fault === "refused") this.#refuse(process, request);
    else if (fault === "late") this.#arriveLate(process, request, onLost);
    else if (fault === "request-lost" || !this.#broker.isUp) onLost();
    else this.#execute(process, request, startedMs, fault === "answer-lost");
  }

  #execute<T>(
    process: SimulatedProcess,
    request: Request<T>,
    startedMs: number,
    isAnswerLost: boolean,
  ): void {
    const onLost = (): void => this.#unanswered(process, request, startedMs);
    const flight: Flight = { isAnswered: false, isOver: false, onLost };
    this.#flights.add(flight);
    request.execute((value) => {
      if (flight.isOver) return;
      const isCut = this.isCut(process.name, "from the broker");
      if (isAnswerLost || isCut) {
        flight.isOver = true;
        this.#flights.delete(flight);
        if (isCut) this.#silence(process, request, startedMs);
        else onLost();
        return;
      }
      flight.isAnswered = true;
      this.#time.scheduleBackground(this.#broker.latencyMs(), () => {
        if (flight.isOver) return;
        flight.isOver = true;
        this.#flights.delete(flight);
        process.enter(() => request.onAnswer(value));
      });
    });
  }

  #arriveLate<T>(process: SimulatedProcess, request: Request<T>, onLost: () => void): void {
    this.#broker.later(this.#lateMs(), () => {
      this.#trace.note("arrives late", process.name, 0);
      request.execute(() => {});
    });
    onLost();
  }

  /** The process learns from the closed connection, or from its own patience, and may send again. */
  #unanswered<T>(process: SimulatedProcess, request: Request<T>, startedMs: number): void {
    const isConnectionClosed = this.#random.nextFloat() < 0.7;
    const { requestTimeoutMs } = this.#timings;
    const noticeMs = isConnectionClosed ? this.#broker.latencyMs() : requestTimeoutMs;
    this.#noticed(process, request, startedMs, noticeMs);
  }

  /** A process that is cut off has nothing but its patience. */
  #silence<T>(process: SimulatedProcess, request: Request<T>, startedMs: number): void {
    this.#noticed(process, request, startedMs, this.#timings.requestTimeoutMs);
  }

  #noticed<T>(process: SimulatedProcess, request: Request<T>, startedMs: number, noticeMs: number): void {
    const { giveUpMs, retryMsMax } = this.#timings;
    this.#time.scheduleBackground(noticeMs, () =>
      process.enter(() => {
        const isGivenUp = this.#time.now() - startedMs >= giveUpMs;
        if (isGivenUp || NEVER_REPEATED.has(request.kind)) return request.onFailure();
        this.#time.scheduleBackground(uniform(this.#random, 1, retryMsMax), () =>
          process.enter(() => this.#attempt(process, request, startedMs)),
        );
      }),
    );
  }

  #refuse<T>(process: SimulatedProcess, request: Request<T>): void {
    const patienceMs = uniform(this.#random, this.#timings.latencyMsMin, this.#timings.giveUpMs);
    this.#time.scheduleBackground(patienceMs, () => process.enter(request.onFailure));
  }

  /** Half of what is late comes soon enough to race with a new producer. */
  #lateMs(): number {
    const { lateCommitMsMax } = this.#timings;
    return uniform(this.#random, 0, this.#random.nextFloat() < 0.5 ? 100 : lateCommitMsMax);
  }
}

import type { Time } from "../../time.ts";
import type { KafkaClient } from "../kafka/client.ts";
import type { EventTrace } from "./event-trace.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** The clock and the timers that a simulated process is given; its timers stand still while it is paused. */
export type ProcessTime = Time & {
  /** @returns what takes it back */
  schedule(delayMs: number, run: () => void): () => void;
};

/**
 * A process of the simulated cluster: nothing but a gate that everything passes that calls into its code. Paused, it keeps
 * what is due until it goes on (SIGSTOP, SIGCONT); killed, it lets nothing through any more (SIGKILL). What it had sent
 * before is on its way all the same.
 *
 * Code that waits for nothing but its client and its time therefore stops at the next thing it awaits.
 */
export class SimulatedProcess {
  readonly name: string;
  readonly client: KafkaClient;
  readonly time: ProcessTime;
  readonly #time: VirtualTime;
  readonly #trace: EventTrace;
  #state: "running" | "paused" | "killed" = "running";
  #clockAheadMs = 0;
  /** Bounded by what the process itself has asked for: its timers, its requests, one fetch a partition. */
  #due: (() => void)[] = [];

  constructor(
    name: string,
    time: VirtualTime,
    trace: EventTrace,
    createClient: (process: SimulatedProcess) => KafkaClient,
  ) {
    this.name = name;
    this.#time = time;
    this.#trace = trace;
    this.time = {
      now: () => Math.floor(time.now() + this.#clockAheadMs),
      monotonicMs: () => Math.floor(time.now()),
      sleep: (delayMs, signal) => this.#sleep(delayMs, signal),
      schedule: (delayMs, run) => this.#schedule(delayMs, run),
    };
    this.client = createClient(this);
  }

  get state(): "running" | "paused" | "killed" {
    return this.#state;
  }

  /** Calls into the process: now, when it goes on, or never. */
  enter(run: () => void): void {
    if (this.#state === "running") {
      this.#time.mustDrain();
      run();
    } else if (this.#state === "paused") this.#due.push(run);
  }

  /** The wall clock is wrong by so much from now on; timers go on as before. */
  setClock(aheadMs: number): void {
    this.#trace.note("clock", this.name, aheadMs);
    this.#clockAheadMs = aheadMs;
  }

  pause(): void {
    if (this.#state !== "running") return;
    this.#trace.note("pause", this.name, 0);
    this.#state = "paused";
  }

  /** All that was due meanwhile happens now, in the order in which it was due. */
  resume(): void {
    if (this.#state !== "paused") return;
    this.#trace.note("resume", this.name, this.#due.length);
    this.#state = "running";
    const due = this.#due;
    this.#due = [];
    for (const run of due) this.#time.scheduleBackground(0, () => this.enter(run));
  }

  kill(): void {
    if (this.#state === "killed") return;
    this.#trace.note("kill", this.name, 0);
    this.#state = "killed";
    this.#due = [];
  }

  #schedule(delayMs: number, run: () => void): () => void {
    let isCancelled = false;
    const scheduled = this.#time.scheduleBackground(delayMs, () =>
      this.enter(() => {
        if (!isCancelled) run();
      }),
    );
    return () => {
      isCancelled = true;
      this.#time.cancel(scheduled);
    };
  }

  #sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#schedule(delayMs, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      const onAbort = (): void => {
        cancel();
        this.enter(resolve);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}

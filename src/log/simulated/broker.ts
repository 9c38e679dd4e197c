import type { EventTrace } from "./event-trace.ts";
import { type RandomStream, uniform } from "./random-streams.ts";
import type { Timings } from "./timings.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** The one broker: up or down, and a clock for what it does by itself, which stands still while it is down. */
export class Broker {
  readonly #time: VirtualTime;
  readonly #trace: EventTrace;
  readonly #random: RandomStream;
  readonly #timings: Timings;
  #isUp = true;
  #upAtMs = 0;
  #waiting: (() => void)[] = [];
  /** Called as the broker goes down. */
  onDown: () => void = () => {};
  /** Called as it is up again, before anything that waited for it. */
  onUp: () => void = () => {};

  constructor(time: VirtualTime, trace: EventTrace, random: RandomStream, timings: Timings) {
    this.#time = time;
    this.#trace = trace;
    this.#random = random;
    this.#timings = timings;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#time.now();
  }

  /** One way over the network, drawn anew each time. */
  latencyMs(): number {
    const { latencyMsMin, latencyMsMax, slowLatencyChance, slowLatencyMsMax } = this.#timings;
    const isSlow = this.#random.nextFloat() < slowLatencyChance;
    return uniform(this.#random, latencyMsMin, isSlow ? slowLatencyMsMax : latencyMsMax);
  }

  /** Does something in `delayMs`, or when the broker is up again, whichever is later. */
  later(delayMs: number, run: () => void): void {
    this.#time.scheduleBackground(delayMs, () => this.whenUp(run));
  }

  whenUp(run: () => void): void {
    if (this.#isUp) run();
    else this.#waiting.push(run);
  }

  /** Stops at once and is back in `downMs`. What it had acknowledged is still there then. */
  restart(downMs: number): void {
    this.#trace.note("broker down", "", downMs);
    this.#upAtMs = Math.max(this.#upAtMs, this.now() + downMs);
    if (this.#isUp) {
      this.#isUp = false;
      this.onDown();
    }
    this.#time.scheduleBackground(downMs, () => {
      if (this.#isUp || this.now() < this.#upAtMs) return;
      this.#isUp = true;
      this.#trace.note("broker up", "", 0);
      this.onUp();
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const run of waiting) this.later(0, run);
    });
  }
}

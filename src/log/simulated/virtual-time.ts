import assert from "node:assert/strict";

/** Immediates that are queued at once; Node empties the queues of promises and ticks after each of them. */
const IMMEDIATES_PER_TURN = 64;

/** A run that needs more events than this goes round in a circle without time moving on. */
const EVENTS_PER_RUN_MAX = 20_000_000;

/** An event that waits for its time. */
export type Scheduled = {
  /** Milliseconds since the epoch; fractions count. */
  readonly timeMs: number;
  /** Events of the same time run in the order in which they were scheduled. */
  readonly sequence: number;
  readonly isBackground: boolean;
  /** Undefined once cancelled. */
  run: (() => void) | undefined;
};

/**
 * Time that passes only when it is told to: a queue of events, run one after the other in the order of their time.
 *
 * After each event all that it set off in promises (however long the chain) is done before the next one runs. Each event
 * that may wake somebody is therefore an immediate of its own, many queued at once: between two of them Node runs every
 * tick and microtask, and the loop need not turn for each, which makes some 3 million events a second possible. Events in the
 * background (most of them) wake nobody unless they say so, and need not even that.
 *
 * The code under simulation may wait for promises and for this time, never for real timers or real I/O.
 */
export class VirtualTime {
  #nowMs: number;
  #sequence = 0;
  /** Binary heap by time, then sequence. */
  readonly #heap: Scheduled[] = [];
  #eventCount = 0;
  #isRunning = false;
  #mustDrain = false;

  /** @param startMs milliseconds since the epoch */
  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  /** Milliseconds since the epoch; fractions count. */
  now(): number {
    return this.#nowMs;
  }

  /** Events run so far. */
  get eventCount(): number {
    return this.#eventCount;
  }

  /** Runs `run` in `delayMs` of virtual time. */
  schedule(delayMs: number, run: () => void): Scheduled {
    return this.#push(delayMs, run, false);
  }

  /** As `schedule`, for an event that resolves no promise of code under simulation without calling `mustDrain`. */
  scheduleBackground(delayMs: number, run: () => void): Scheduled {
    return this.#push(delayMs, run, true);
  }

  /** Says that the running event wakes code under simulation, which is to run before the next event. */
  mustDrain(): void {
    this.#mustDrain = true;
  }

  cancel(scheduled: Scheduled): void {
    scheduled.run = undefined;
  }

  /** Resolves after `delayMs`, or as soon as the signal is aborted; never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const scheduled = this.schedule(delayMs, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      const onAbort = (): void => {
        this.cancel(scheduled);
        resolve();
      };
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /**
   * Runs all events of the next `durationMs`, then sets the clock to their end.
   *
   * @throws what an event throws
   */
  async run(durationMs: number): Promise<void> {
    await this.#run(this.#nowMs + durationMs, () => false);
  }

  /**
   * Runs events until `isDone`, which is asked before each of them.
   *
   * @returns whether it is done; false if it is not after `limitMs`
   */
  runUntil(isDone: () => boolean, limitMs: number): Promise<boolean> {
    return this.#run(this.#nowMs + limitMs, isDone);
  }

  /**
   * Runs events until the promise is settled.
   *
   * @throws what the promise rejects with; or an error if it is not settled after `limitMs`
   */
  async settle<T>(promise: Promise<T>, limitMs = 120_000): Promise<T> {
    let isSettled = false;
    const note = (): void => {
      isSettled = true;
    };
    promise.then(note, note);
    if (!(await this.runUntil(() => isSettled, limitMs)))
      throw new Error(`not settled within ${limitMs} ms of virtual time`);
    return promise;
  }

  #push(delayMs: number, run: () => void, isBackground: boolean): Scheduled {
    assert(delayMs >= 0 && delayMs < Number.POSITIVE_INFINITY, `cannot wait for ${delayMs} ms`);
    const scheduled: Scheduled = {
      timeMs: this.#nowMs + delayMs,
      sequence: this.#sequence++,
      isBackground,
      run,
    };
    const heap = this.#heap;
    let i = heap.length;
    heap.push(scheduled);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(scheduled, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = scheduled;
    return scheduled;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    const length = heap.length;
    if (length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }

  #run(untilMs: number, isDone: () => boolean): Promise<boolean> {
    assert(!this.#isRunning, "virtual time runs once at a time");
    this.#isRunning = true;
    return new Promise((resolve, reject) => {
      let isOver = false;
      let eventsLeft = EVENTS_PER_RUN_MAX;
      const end = (settle: () => void): void => {
        isOver = true;
        this.#isRunning = false;
        settle();
      };
      const step = (): void => {
        if (isOver) return;
        try {
          this.#mustDrain = false;
          while (!this.#mustDrain) {
            if (isDone()) {
              end(() => resolve(true));
              break;
            }
            const next = this.#heap[0];
            if (next === undefined || next.timeMs > untilMs) {
              this.#nowMs = untilMs;
              end(() => resolve(false));
              break;
            }
            this.#pop();
            if (next.run === undefined) continue;
            assert(eventsLeft-- > 0, `more than ${EVENTS_PER_RUN_MAX} events in one run`);
            this.#nowMs = next.timeMs;
            this.#eventCount++;
            this.#mustDrain = !next.isBackground;
            next.run();
          }
        } catch (error) {
          end(() => reject(error));
        }
      };
      const turn = (): void => {
        if (isOver) return;
        for (let i = 0; i < IMMEDIATES_PER_TURN; i++) setImmediate(step);
        setImmediate(turn);
      };
      // Not in this turn: what was set off before the run comes first.
      setImmediate(turn);
    });
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.sequence < b.sequence);
}

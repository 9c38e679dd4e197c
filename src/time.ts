import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";

/** Time as the engine knows it: real, or a simulation's. */
export type Time = {
  /** Milliseconds since the epoch, by the wall clock: it may be wrong, and jump. */
  now(): number;
  /** Milliseconds since some moment: what durations are measured by. */
  monotonicMs(): number;
  /** Resolves after so many milliseconds, 0 being the next turn of the event loop, or at once when the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

export const REAL_TIME: Time = {
  now: Date.now,
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    ms <= 0 ? nextTurn() : sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {}),
};

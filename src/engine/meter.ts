import type { AlertRecord } from "../log/port.ts";

/** Of so many logins one is timed: asking the clock for each would cost more than it tells. */
export const TIMED_EVERY = 16;

/** What was committed together; valid during the call only. */
export type Committed = {
  readonly partition: number;
  /** Alerts, those that a rule suppresses and what closes incidents included. */
  readonly alerts: readonly AlertRecord[];
  /** When the log got each of the records, in order, milliseconds since the epoch; empty where it does not say. */
  readonly timestampsMs: Iterable<number>;
};

/** What an engine counts and times as it happens, beside its totals; times in seconds. */
export type EngineMeter = {
  /** Records of one partition were processed one after the other, without letting anything else have its turn. */
  batch(records: number, seconds: number): void;
  /** One of `TIMED_EVERY` logins was scored and added. */
  scored(seconds: number): void;
  /** Outputs are known to be in the log, with the position after them. */
  committed(committed: Committed, seconds: number): void;
  /** The stored state was summed up. */
  restored(seconds: number): void;
  /** A segment that another process wrote is part of the graph, so long after it was written. */
  followed(seconds: number): void;
};

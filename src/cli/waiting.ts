import pRetry from "p-retry";
import { OddlinkError } from "../errors.ts";

/** Pauses between attempts grow from the first to the last of these, milliseconds. */
const RETRY_MS_MIN = 1000;
const RETRY_MS_MAX = 30_000;

/** Tries what can't be had now until it can; resolves to undefined where there is nothing to wait for. */
export type UntilHad = <T>(ask: () => Promise<T> | undefined) => Promise<T | undefined>;

/**
 * @param signal stops the waiting, which then rejects
 * @param onTrouble told of each attempt that failed
 */
export function untilHadOf(signal: AbortSignal, onTrouble: (message: string) => void): UntilHad {
  return async (ask) => {
    // Nearly always there is nothing to wait for.
    const asked = ask();
    if (asked === undefined) return undefined;
    return pRetry(async (attempt) => (attempt === 1 ? asked : ask()), {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: RETRY_MS_MIN,
      maxTimeout: RETRY_MS_MAX,
      randomize: true,
      signal,
      shouldRetry: ({ error }) => error instanceof OddlinkError && error.retriable,
      onFailedAttempt: ({ error }) => onTrouble(`waiting: ${error.message}`),
    });
  };
}

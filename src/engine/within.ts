import type { Time } from "../time.ts";

const WAITED = "waited";

/** What is awaited; or "timeout" if it takes longer, where there is a limit; or "aborted", at once. It goes on all the same. */
export async function within<T>(
  ms: number | undefined,
  awaited: Promise<T>,
  time: Time,
  signal: AbortSignal,
): Promise<T | "timeout" | "aborted"> {
  const waited = new AbortController();
  const aborted = Promise.withResolvers<"aborted">();
  const onAbort = (): void => aborted.resolve("aborted");
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  const others: Promise<"timeout" | "aborted">[] = [aborted.promise];
  if (ms !== undefined)
    others.push(time.sleep(Math.max(0, ms), waited.signal).then(() => "timeout" as const));
  try {
    return await Promise.race([awaited, ...others]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    // With a reason of its own, or an error with a stack is made each time.
    waited.abort(WAITED);
  }
}

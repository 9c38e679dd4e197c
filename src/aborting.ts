/**
 * Waits for work to end, or for the signal to fire, whichever comes first. Work that is left alone goes on, and what becomes
 * of it is nobody's any more.
 *
 * @throws what the work throws before the signal fires
 */
export async function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const onAbort = (): void => resolve();
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  work.catch(() => {});
  try {
    await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

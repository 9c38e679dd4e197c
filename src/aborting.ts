/**
 * Waits for work to end, or for the signal to fire, whichever comes first. Work that is left alone goes on, and what becomes
 * of it is nobody's any more.
 *
 * @throws what the work throws before the signal fires
 */
export async function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true, signal: ended.signal });
  });
  work.catch(() => {});
  try {
    await Promise.race([aborted, work]);
  } finally {
    ended.abort();
  }
}

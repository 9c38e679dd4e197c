import { readlinkSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";

/**
 * Lets other threads of the process go first where there are more than cores: the one that scores logins waits for a turn of the
 * scheduler otherwise, some milliseconds. Threads that are started from here on inherit it.
 *
 * For a worker thread, on Linux, where a thread has a priority of its own; elsewhere it does nothing.
 */
export function stepBack(): void {
  try {
    const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    const priority = Math.max(getPriority(), constants.priority.PRIORITY_BELOW_NORMAL);
    if (thread !== process.pid) setPriority(thread, priority);
  } catch {
    // No such thing here, or it is not allowed: training goes on as it is.
  }
}

import { readFileSync } from "node:fs";

/** What the kernel counts processor time in; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Processor time a process has taken so far, all its threads, seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name, in brackets, may hold spaces. The times are fields 14 and 15, and field 3 follows the name.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

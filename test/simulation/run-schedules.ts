import { availableParallelism } from "node:os";
import { stderr } from "node:process";
import { parseArgs } from "node:util";
import type { ScheduleResult } from "./schedule.ts";
import { describeFailure, isAccounted, ScheduleSums } from "./schedule-sums.ts";
import { runSeeds } from "./seed-threads.ts";

/**
 * Runs a range of seeds on all cores, prints those that failed as they come, and what all came to, for people and long runs:
 *
 *     node run-schedules.ts FROM TO [--threads N] [--stop-after FAILURES] [--poison]
 *
 * With `--poison` some logins bring out a bug.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: "string", default: String(availableParallelism()) },
    "stop-after": { type: "string", default: "10" },
    poison: { type: "boolean", default: false },
  },
});
const from = Number(positionals[0] ?? 1);
const to = Number(positionals[1] ?? from);
const threads = Number(values.threads);
const failuresMax = Number(values["stop-after"]);
const isRange = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from <= to;
if (!isRange || !(threads >= 1) || !(failuresMax >= 1)) {
  console.error("usage: run-schedules.ts FROM TO [--threads N] [--stop-after FAILURES] [--poison]");
  process.exit(2);
}

const PROGRESS_MS = 5000;
const startedMs = performance.now();
const sums = new ScheduleSums();
const seeds = Array.from({ length: to - from + 1 }, (_, i) => from + i);
let toldMs = startedMs;
const perMinute = (): number => Math.round((60_000 * sums.schedules) / (performance.now() - startedMs));
await runSeeds<ScheduleResult>(new URL("./schedule.ts", import.meta.url), seeds, {
  threads,
  argument: { hasPoison: values.poison },
  isEnough: () => sums.failed.length >= failuresMax,
  onResult: (result) => {
    sums.add(result);
    if (!isAccounted(result)) console.log(describeFailure(result));
    if (performance.now() - toldMs < PROGRESS_MS) return;
    toldMs = performance.now();
    stderr.write(
      `${sums.schedules} of ${seeds.length}, ${sums.failed.length} failed, ${perMinute()} a minute\n`,
    );
  },
});
console.log(`${sums.describe()}, ${perMinute()} a minute on ${threads} threads`);
process.exitCode = sums.failed.length === 0 && sums.faultless === 0 ? 0 : 1;

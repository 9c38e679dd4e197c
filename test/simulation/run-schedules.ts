import { runSchedule } from "./schedule.ts";

/** Runs a range of seeds and prints those that failed, for people and for long runs: `node run-schedules.ts FROM TO`. */
const from = Number(process.argv[2] ?? 1);
const to = Number(process.argv[3] ?? from);
const startedMs = performance.now();
let failed = 0;
let faults = 0;
for (let seed = from; seed <= to; seed++) {
  const result = await runSchedule(seed);
  faults += Object.values(result.faults).reduce((sum, count) => sum + count, 0);
  const isGood = result.findings.length === 1 && result.findings[0]!.verdict === "ALL-RECORDS-ACCOUNTED";
  if (isGood) continue;
  failed++;
  console.log(seed, JSON.stringify(result.findings.slice(0, 3)), JSON.stringify(result.faults));
}
const minutes = (performance.now() - startedMs) / 60_000;
const count = to - from + 1;
console.log(
  `${count} schedules, ${faults} faults, ${failed} failed, ${Math.round(count / minutes)} a minute`,
);
process.exit(failed === 0 ? 0 : 1);

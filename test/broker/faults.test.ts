import assert from "node:assert/strict";
import { test } from "node:test";
import { faultTable } from "./fault-report.ts";
import { runFaults } from "./fault-run.ts";

const FAULTS = 40;
const KINDS_MIN = 10;
const LIMIT_MS = 12 * 60_000;
/** Long enough for workers on a busy machine to be heard. */
const SESSION_MS = 4000;
/** Nothing is measured here: others may keep the machine busy. */
const RECOVERY_ALLOWANCE_MS = 60_000;

test(`${FAULTS} faults on a real broker, and every record is accounted for`, {
  timeout: LIMIT_MS,
}, async (t) => {
  const lines: string[] = [];
  const report = await runFaults(t, {
    faults: FAULTS,
    logins: 40_000,
    seed: 1,
    sessionMs: SESSION_MS,
    recoveryAllowanceMs: RECOVERY_ALLOWANCE_MS,
    onProgress: (line) => void lines.push(line),
  }).finally(() => {
    for (const line of lines) t.diagnostic(line);
  });
  for (const line of faultTable(report).split("\n")) t.diagnostic(line);
  assert.deepEqual(
    report.findings.map(({ verdict }) => verdict),
    ["ALL-RECORDS-ACCOUNTED"],
  );
  assert.equal(report.faults.length, FAULTS);
  assert.ok(new Set(report.faults.map(({ kind }) => kind)).size >= KINDS_MIN, "too few kinds of faults");
  assert.ok(report.totals.alerts > 0 && report.totals.deadLetters > 0 && report.totals.repeated > 0);
});

/**
 * Faults on a real broker, one line a fault, and a table in the end; exit code 1 if not all records are accounted for.
 *
 *   npm run test:faults -- [--faults 200] [--logins 10000000] [--seed 1] [--session-ms 1500]
 *                          [--recovery-allowance-ms 20000] [--kinds "link cut,rolling restart"]
 */
import { parseArgs } from "node:util";
import { faultTable } from "./fault-report.ts";
import { runFaults } from "./fault-run.ts";

const { values } = parseArgs({
  options: {
    faults: { type: "string", default: "200" },
    logins: { type: "string", default: "10000000" },
    seed: { type: "string", default: "1" },
    "session-ms": { type: "string", default: "1500" },
    "recovery-allowance-ms": { type: "string", default: "20000" },
    kinds: { type: "string" },
  },
});
const teardowns: (() => unknown)[] = [];
const say = (line: string): void => void process.stdout.write(`${line}\n`);
try {
  const report = await runFaults(
    { after: (teardown) => void teardowns.push(teardown) },
    {
      faults: Number(values.faults),
      logins: Number(values.logins),
      seed: Number(values.seed),
      sessionMs: Number(values["session-ms"]),
      recoveryAllowanceMs: Number(values["recovery-allowance-ms"]),
      kinds: values.kinds?.split(","),
      onProgress: say,
    },
  );
  say(`\n${faultTable(report)}`);
  if (report.findings[0]?.verdict !== "ALL-RECORDS-ACCOUNTED") process.exitCode = 1;
} finally {
  for (const teardown of teardowns.reverse()) await teardown();
}

/**
 * Faults on a real broker, one line a fault, and a table in the end; exit code 1 if not all records are accounted for.
 *
 *   npm run test:faults -- --help
 */
import { Command, InvalidArgumentError } from "commander";
import { numberOf } from "../../src/cli/options.ts";
import { FAULT_KINDS } from "./fault-kinds.ts";
import { faultTable } from "./fault-report.ts";
import { runFaults } from "./fault-run.ts";

const values = new Command("npm run test:faults --")
  .description("Workers on a real broker under faults: is each record accounted for, once?")
  .option("--faults <n>", "how many", numberOf, 200)
  .option("--logins <n>", "most logins that are written", numberOf, 10_000_000)
  .option("--seed <n>", "of the choice of faults", numberOf, 1)
  .option("--session-ms <n>", "kafka.sessionTimeoutMs of the workers", numberOf, 1500)
  .option("--recovery-allowance-ms <n>", "longest time to recover beyond that", numberOf, 20_000)
  .option(
    "--kinds <names>",
    "only these, with commas between them; docs/faults.md says what they do",
    kindsOf,
  )
  .parse()
  .opts<{
    faults: number;
    logins: number;
    seed: number;
    sessionMs: number;
    recoveryAllowanceMs: number;
    kinds?: readonly string[];
  }>();
const teardowns: (() => unknown)[] = [];
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ["SIGINT", "SIGTERM"])
    process.once(signal, () => reject(new Error(`ended by ${signal}`)));
});
try {
  const running = runFaults(
    { after: (teardown) => void teardowns.push(teardown) },
    {
      faults: values.faults,
      logins: values.logins,
      seed: values.seed,
      sessionMs: values.sessionMs,
      recoveryAllowanceMs: values.recoveryAllowanceMs,
      kinds: values.kinds,
      onProgress: say,
    },
  );
  const report = await Promise.race([running, interrupted]);
  say(`\n${faultTable(report)}`);
  if (report.findings[0]?.verdict !== "ALL-RECORDS-ACCOUNTED") process.exitCode = 1;
} catch (error) {
  fail("the run ended", error);
}
for (const teardown of teardowns.reverse()) {
  try {
    await teardown();
  } catch (error) {
    fail("cleaning up", error);
  }
}

// What was under way when it was interrupted would go on for minutes.
process.exit();

/** Told at once: what fails afterwards, while it is cleaned up, may only follow from it. */
function fail(what: string, error: unknown): void {
  say(`${what}: ${(error as Error).stack ?? String(error)}`);
  process.exitCode = 1;
}

function kindsOf(text: string): readonly string[] {
  // One name holds commas, each with a space after it.
  const names = text.split(/,(?! )/);
  const known = FAULT_KINDS.map(({ name }) => name);
  if (!names.every((name) => known.includes(name)))
    throw new InvalidArgumentError(`kinds are ${known.join(", ")}`);
  return names;
}

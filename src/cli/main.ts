#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { OddlinkError } from "../errors.ts";
import { VERSION } from "../version.ts";
import { evaluateCommand } from "./evaluate.ts";
import { runCommand } from "./run.ts";

const EXIT_CODES = `
Exit codes:
  0  done
  1  failed while running (unreadable or truncated input, too many bad records, store or output trouble)
  2  wrong use or configuration; nothing was started`;

const program = new Command("oddlink")
  .description(
    "Reads login events, keeps the graph of who usually logs in where, and raises the few logins that look unlikely.",
  )
  .version(VERSION)
  .addHelpText("after", EXIT_CODES)
  .addCommand(runCommand())
  .addCommand(evaluateCommand())
  .exitOverride();
for (const command of program.commands) command.exitOverride().addHelpText("after", EXIT_CODES);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** Results go to standard output, everything else to standard error: errors too, in one readable block. */
function exitCodeOf(error: unknown): number {
  // Commander has written its message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof OddlinkError) {
    process.stderr.write(`oddlink: ${error.message}\n`);
    return error.exitCode;
  }
  throw error;
}

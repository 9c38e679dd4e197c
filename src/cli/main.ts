#!/usr/bin/env node
import { Command } from "commander";
import { VERSION } from "../version.ts";
import { doctorCommand } from "./doctor.ts";
import { evaluateCommand } from "./evaluate.ts";
import { exitCodeOf } from "./exit-code.ts";
import { replayCommand } from "./replay.ts";
import { runCommand } from "./run.ts";
import { StandardOutput } from "./standard-output.ts";
import { topicsCommand } from "./topics.ts";
import { trainCommand } from "./train.ts";

const HELP_END = `
All settings, also those without a flag: docs/configuration.md; --print-config shows what is in force.

Exit codes:
  0  done, or a run that was stopped (SIGINT, SIGTERM) and has kept what it read
  1  failed while running (unreadable or truncated input, too many bad records, store or output trouble),
     an evaluation that was stopped, or checks that found something wrong
  2  wrong use or configuration; nothing was started`;

const output = new StandardOutput(process.stdout);
// Progress and notes: where nobody can read them, the work goes on without.
process.stderr.on("error", () => {});

const program = new Command("oddlink")
  .description(
    "Reads login events, keeps the graph of who usually logs in where, and raises the few logins that look unlikely.",
  )
  .version(VERSION)
  .addHelpText("after", HELP_END)
  .addCommand(runCommand(output))
  .addCommand(evaluateCommand(output))
  .addCommand(trainCommand(output))
  .addCommand(topicsCommand(output))
  .addCommand(doctorCommand(output))
  .addCommand(replayCommand(output))
  .exitOverride();
for (const command of program.commands) command.exitOverride().addHelpText("after", HELP_END);

// Results go to standard output, everything else to standard error: errors too.
process.exitCode = Math.max(
  await exitCodeOf(() => program.parseAsync()),
  await exitCodeOf(() => output.finish()),
);

#!/usr/bin/env node
import { exitCodeOf } from "./exit-code.ts";
import { programOf } from "./program.ts";
import { StandardOutput } from "./standard-output.ts";

const output = new StandardOutput(process.stdout);
// Progress and notes: where nobody can read them, the work goes on without.
process.stderr.on("error", () => {});

const program = programOf(output);

// Results go to standard output, everything else to standard error: errors too.
process.exitCode = Math.max(
  await exitCodeOf(() => program.parseAsync()),
  await exitCodeOf(() => output.finish()),
);

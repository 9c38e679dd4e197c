#!/usr/bin/env node
import { exitCodeOf } from "./exit-code.ts";
import { StandardOutput } from "./standard-output.ts";

/** Older ones have no SQLite, and say so in words of their own. */
const NODE_MAJOR_MIN = 22;

const output = new StandardOutput(process.stdout);
// Progress and notes: where nobody can read them, the work goes on without.
process.stderr.on("error", () => {});

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  process.stderr.write(`oddlink: Node 22.18 or later is needed, this is ${process.versions.node}\n`);
  process.exit(2);
}
const { programOf } = await import("./program.ts");
const program = programOf(output);

// Results go to standard output, everything else to standard error: errors too.
process.exitCode = Math.max(
  await exitCodeOf(() => program.parseAsync()),
  await exitCodeOf(() => output.finish()),
);

import { Command } from "commander";
import { VERSION } from "../version.ts";
import { canaryCommand } from "./canary.ts";
import { checkCommand } from "./check.ts";
import { doctorCommand } from "./doctor.ts";
import { evaluateCommand } from "./evaluate.ts";
import { generateCommand } from "./generate.ts";
import { ingestCommand } from "./ingest.ts";
import { normalizeCommand } from "./normalize.ts";
import { replayCommand } from "./replay.ts";
import { reportCommand } from "./report.ts";
import { runCommand } from "./run.ts";
import type { StandardOutput } from "./standard-output.ts";
import { topicsCommand } from "./topics.ts";
import { trainCommand } from "./train.ts";
import { verdictCommand } from "./verdict.ts";

const SETTINGS_HELP =
  "All settings, also those without a flag: docs/configuration.md; --print-config of run shows what is in force.";
const WRONG_USE = "2  wrong use or configuration";
const WRONG_KAFKA = `${WRONG_USE}, a topic that does not exist, or Kafka refuses`;

const EXIT_CODES: Readonly<Record<string, readonly string[]>> = {
  run: [
    "0  done, or stopped (SIGINT, SIGTERM) with what it read kept",
    "1  failed while running: unreadable or truncated input, too many bad records, store or output trouble.",
    "   With --kafka: no broker within ten seconds of the start (an outage after it is waited out), records",
    "   that were deleted before they were read, state that is not whole",
    `${WRONG_KAFKA}; nothing was started`,
  ],
  evaluate: ["0  done", "1  failed, or stopped before it was done", `${WRONG_USE}; nothing was started`],
  report: [
    "0  done, or stopped (SIGINT, SIGTERM), with a page of what it read",
    "1  failed: unreadable or truncated input, too many bad records, store or output trouble, or",
    "   stopped while --labels were evaluated; no page was written",
    `${WRONG_USE}, or no such store; nothing was started`,
  ],
  generate: [
    "0  done, or whoever read standard output has left",
    "1  failed: the output can't be written, or stopped before it was whole",
    `${WRONG_USE}; nothing was written`,
  ],
  ingest: [
    "0  done, whatever the records are",
    "1  a source can't be read",
    `${WRONG_USE}; nothing was read`,
  ],
  train: [
    "0  done, or stopped (SIGINT, SIGTERM)",
    "1  failed: no broker within ten seconds of the start (an outage after it is waited out), too few links for --once,",
    "   state that is not whole, another trainer has taken over",
    WRONG_KAFKA,
  ],
  normalize: [
    "0  stopped (SIGINT, SIGTERM), with what it read committed",
    "1  failed: no broker within ten seconds of the start (an outage after it is waited out), records that were deleted",
    "   before they were read",
    `${WRONG_KAFKA}; nothing was started`,
  ],
  canary: [
    "0  stopped (SIGINT, SIGTERM)",
    "1  failed: no broker within ten seconds of the start (an outage after it is waited out, and counted)",
    WRONG_KAFKA,
  ],
  topics: [
    "0  all topics are as they must be",
    "1  some are not, or no broker has answered within ten seconds",
    `${WRONG_USE}, or Kafka refuses`,
  ],
  check: [
    "0  all checks are ok",
    "1  some are not, or stopped before all were run",
    `${WRONG_USE}, or no checks`,
  ],
  verdict: [
    "0  done",
    "1  no process answers, or another one has the store open",
    `${WRONG_USE}, an incident that is not known, or what was answered is refused`,
  ],
  doctor: ["0  no check is FAIL", "1  some are", WRONG_USE],
  replay: [
    "0  done, or stopped (SIGINT, SIGTERM); the next call goes on from there",
    "1  failed: no broker within ten seconds, another replay has taken over; call it again to go on",
    WRONG_KAFKA,
  ],
};
const ANY_EXIT_CODES = [
  "0  done, or stopped in order",
  "1  failed, or checks have found something wrong",
  `${WRONG_USE}; each command says more under --help`,
];

/** The command line, with all its commands; nothing is run yet. */
export function programOf(output: StandardOutput): Command {
  const program = new Command("oddlink")
    .description(
      "Reads login events, keeps the graph of who usually logs in where, and raises the few logins that look unlikely.",
    )
    .version(VERSION)
    .addHelpText("after", helpEnd(ANY_EXIT_CODES))
    .addCommand(runCommand(output))
    .addCommand(evaluateCommand(output))
    .addCommand(reportCommand(output))
    .addCommand(generateCommand(output))
    .addCommand(ingestCommand(output))
    .addCommand(normalizeCommand(output))
    .addCommand(canaryCommand(output))
    .addCommand(trainCommand(output))
    .addCommand(topicsCommand(output))
    .addCommand(doctorCommand(output))
    .addCommand(checkCommand(output))
    .addCommand(replayCommand(output))
    .addCommand(verdictCommand(output))
    .exitOverride();
  for (const command of program.commands)
    command.exitOverride().addHelpText("after", helpEnd(EXIT_CODES[command.name()]!));
  return program;
}

function helpEnd(exitCodes: readonly string[]): string {
  return `\n${SETTINGS_HELP}\n\nExit codes:\n${exitCodes.map((line) => `  ${line}\n`).join("")}`;
}

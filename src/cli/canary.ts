import { randomUUID } from "node:crypto";
import { Command } from "commander";
import { Canary, type Outcome } from "../canary/canary.ts";
import { LEARN_RECORDS_MAX } from "../canary/canary-logins.ts";
import { printConfig } from "../config/load.ts";
import { plaintextCredentials } from "../config/plaintext.ts";
import type { Config } from "../config/schema.ts";
import { OddlinkError } from "../errors.ts";
import { REAL_TIME } from "../time.ts";
import { openKafkaClient, topicsOf } from "./kafka.ts";
import { CanaryWatch } from "./operations/canary-watch.ts";
import { manage } from "./operations/management.ts";
import { type CommonFlags, configOf } from "./options.ts";
import type { StandardOutput } from "./standard-output.ts";
import { stoppable } from "./stopping.ts";
import { countText } from "./terminal/numbers.ts";
import { sentenceText } from "./terminal/outside-text.ts";
import { Progress } from "./terminal/progress.ts";
import { Repeated } from "./terminal/repeated.ts";

type CanaryFlags = Pick<CommonFlags, "config" | "json" | "printConfig">;

/** What `canary --json` ends with: of this process. */
export type CanarySummary = Readonly<Record<Outcome, number>> & { readonly seconds: number };

export function canaryCommand(output: StandardOutput): Command {
  return new Command("canary")
    .description("Write a synthetic odd login to the topic of logins every minute, and wait for its alert.")
    .option("--json", "end with one JSON object on standard output")
    .option("--config <file>", "configuration file (YAML); environment and flags come after it")
    .option("--print-config", "print the configuration in force and stop")
    .addHelpText(
      "after",
      `
It tests from outside whether odd logins are found: through the topic of logins, the worker that has the partition, and the topic of alerts.
Give it the settings of the workers, and management.port, where its metrics are: oddlink_canary_logins_total by outcome.

Its logins bear the header oddlink-canary. Workers score them like any other, count them as ignored (canary), and never add them to the graph:
nothing is learnt from them. Their alerts are suppressed and labelled "test": no page, webhook or syslog shows them. What is usual of its account,
oddlink-canary, is in the graph, as evidence at one host. The input may have any format.

Examples:
  ODDLINK_MANAGEMENT_PORT=9466 oddlink canary --config oddlink.yaml
  oddlink canary --json                              for scripts: {"detected":60,"late":0,"missed":0,"unsent":0,"seconds":...}`,
    )
    .action((flags: CanaryFlags) => run(flags, output));
}

async function run(flags: CanaryFlags, output: StandardOutput): Promise<void> {
  const config = configOf(flags);
  if (flags.printConfig) return output.write(printConfig(config));
  expectPresence(config);
  const startedMs = performance.now();
  const progress = new Progress({ stream: process.stderr, now: Date.now });
  const trouble = new Repeated((message) => progress.note(sentenceText(message)));
  const onTrouble = (message: string): void => trouble.say(message);
  const counts: Record<Outcome, number> = { detected: 0, late: 0, missed: 0, unsent: 0 };
  const watch = new CanaryWatch();
  const { kafka, canary, presence } = config;
  const { logins, alerts } = topicsOf(kafka);
  await stoppable(async (stopped) => {
    const failed = new AbortController();
    const signal = AbortSignal.any([stopped, output.gone, failed.signal]);
    const client = openKafkaClient(kafka, onTrouble);
    const managed = manage(config, watch, (message) => progress.note(message));
    managed?.failed.addEventListener("abort", () => failed.abort(managed.failed.reason));
    progress.note(
      `canary started: brokers ${kafka.brokers.join(", ")}; writes to ${logins} every ${canary.everySeconds} s, reads ${alerts}`,
    );
    for (const problem of plaintextCredentials(config)) progress.note(problem);
    try {
      const running = new Canary({
        client,
        time: REAL_TIME,
        group: kafka.group,
        topics: { logins, alerts },
        presence,
        everyMs: canary.everySeconds * 1000,
        deadlineMs: canary.deadlineSeconds * 1000,
        newId: randomUUID,
        onOutcome: (outcome, seconds) => {
          counts[outcome]++;
          watch.count(outcome, seconds);
          const text = outcomeText(outcome, seconds);
          if (text !== undefined) onTrouble(text);
        },
        onTrouble,
        signal,
      });
      watch.watch(running);
      await running.run();
      if (failed.signal.aborted) throw failed.signal.reason;
    } finally {
      progress.done();
      await managed?.close();
      await client.close();
    }
  });
  const summary: CanarySummary = { ...counts, seconds: (performance.now() - startedMs) / 1000 };
  output.write(`${flags.json ? JSON.stringify(summary) : render(summary)}\n`);
}

/** @throws {OddlinkError} USAGE where its logins would not be odd to the workers */
function expectPresence({ detector, withoutSignal, presence, window }: Config): void {
  if ((detector !== "default" && detector !== "presence") || withoutSignal === "presence")
    throw new OddlinkError(
      "USAGE",
      "a canary's logins lack presence, which this configuration does without: see detector and withoutSignal",
    );
  if (presence.learnRecords > LEARN_RECORDS_MAX)
    throw new OddlinkError("USAGE", `a canary needs presence.learnRecords of ${LEARN_RECORDS_MAX} at most`);
  if (presence.learnHours + 1 >= window.days * 24)
    throw new OddlinkError(
      "USAGE",
      "a canary needs presence.learnHours of less than the window (window.days)",
    );
}

/** What somebody should know of; nothing where all is well. */
function outcomeText(outcome: Outcome, seconds: number | undefined): string | undefined {
  if (outcome === "late") return `the alert of a synthetic login came late, after ${seconds!.toFixed(1)} s`;
  if (outcome === "missed")
    return "a synthetic login has no alert after a minute: are workers running, with the same detector and presence? What is usual of its account is written again";
  return undefined;
}

function render({ detected, late, missed, unsent }: CanarySummary): string {
  const total = detected + late + missed + unsent;
  return `${countText(total)} synthetic logins: ${countText(detected)} detected, ${countText(late)} late, ${countText(missed)} missed, ${countText(unsent)} could not be written`;
}

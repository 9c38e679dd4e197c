import { Command } from "commander";
import { printConfig } from "../config/load.ts";
import { WholeMerging } from "../engine/segment-merging.ts";
import type { SharedGraph } from "../engine/shared-graph.ts";
import { OddlinkError } from "../errors.ts";
import { STDIN } from "../ingest/sources.ts";
import { deliverStored } from "./deliveries.ts";
import { filesOf, openFileLog, refuseAvro } from "./file-run.ts";
import { expectFreePorts } from "./operations/management.ts";
import { WorkerWatch } from "./operations/worker-watch.ts";
import { addCommonOptions, type CommonFlags, configOf } from "./options.ts";
import { findSourcesBeside } from "./own-files.ts";
import { openResolution } from "./resolution.ts";
import { runOn } from "./run-engine.ts";
import { runWorker } from "./run-worker.ts";
import { storedFeed } from "./serving.ts";
import type { StandardOutput } from "./standard-output.ts";
import { stoppable } from "./stopping.ts";
import { sentenceText } from "./terminal/outside-text.ts";
import { Progress } from "./terminal/progress.ts";
import { Repeated } from "./terminal/repeated.ts";

type RunFlags = CommonFlags & { readonly kafka?: true; readonly serve?: true };

export function runCommand(output: StandardOutput): Command {
  const command = new Command("run")
    .description(
      "Score every login of a file, a directory, standard input or a Kafka topic, and print the odd ones.",
    )
    .argument("[SOURCE...]", "file, directory, or - for standard input; plain or gzip")
    .option(
      "--store <file>",
      "SQLite file that keeps everything; run again to continue after an interruption",
    )
    .option("--alerts <file>", "write one OCSF Detection Finding a line (or ECS, see outputs.alertFormat)")
    .option(
      "--alerts-shadow <file>",
      "the same for what an epoch in the shadow would have raised, with training.shadow",
    )
    .option("--scored <file>", "write one line for each scored login")
    .option(
      "--kafka",
      "read a Kafka topic in a consumer group instead of a SOURCE, until stopped; see kafka.*",
    )
    .option(
      "--serve",
      "serve the page, API and health over HTTP (http.*), and go on when all is read, until stopped; with --kafka they always are",
    )
    .option("--json", "end with one JSON object on standard output; alerts are not printed");
  addCommonOptions(command).addHelpText(
    "after",
    `
Examples:
  oddlink run auth.txt.gz                            odd logins of a LANL file, on the terminal
  zcat logs/*.gz | oddlink run - --train off         from a pipe, without training
  oddlink run logs/ --store logins.db --serve        look at it: http://127.0.0.1:9464
  oddlink run logs/ --store logins.db --alerts alerts.jsonl
                                                     keep everything; killed and run again, it goes on
  ODDLINK_KAFKA_BROKERS=host:9092 oddlink run --kafka
                                                     a worker: alerts go to a topic, exactly once`,
  );
  return command.action((sources: string[], flags: RunFlags) => run(sources, flags, output));
}

async function run(args: readonly string[], flags: RunFlags, output: StandardOutput): Promise<void> {
  const config = configOf(flags);
  if (flags.printConfig) return output.write(printConfig(config));
  const isJson = flags.json === true;
  if (flags.kafka === true) return runWorker(args, config, output, isJson);
  refuseAvro(config);
  if (args.length === 0)
    throw new OddlinkError("USAGE", "no SOURCE given: name a file, a directory, or - for standard input");
  if (args.filter((arg) => arg === STDIN).length > 1)
    throw new OddlinkError("USAGE", "standard input can be read once only");
  const sources = await findSourcesBeside(args, filesOf(config.outputs, flags.config), (path) =>
    process.stderr.write(`skipped ${sentenceText(path)}: it does not look like a log\n`),
  );
  const isServed = flags.serve === true || config.http.enabled === true;
  await expectFreePorts(config, isServed);
  const resolution = await openResolution(config);
  const log = await openFileLog(config, sources);
  try {
    const merging = (state: SharedGraph) => new WholeMerging(state);
    const progress = new Progress({ stream: process.stderr, now: Date.now });
    const trouble = new Repeated((message) => progress.note(sentenceText(message)));
    const sinks = deliverStored(log.store, { config, onTrouble: (message) => trouble.say(message) });
    const watch = isServed || config.management.port !== undefined ? new WorkerWatch(false) : undefined;
    await stoppable((signal) =>
      runOn(log, config, {
        output,
        signal,
        isJson,
        merging,
        progress,
        resolution,
        sinks,
        watch,
        serving: isServed
          ? { until: flags.serve ? "stopped" : "read", feed: storedFeed(log.store), isFedByRun: true }
          : undefined,
      }),
    ).finally(() => sinks.stop());
  } finally {
    await log.close();
  }
}

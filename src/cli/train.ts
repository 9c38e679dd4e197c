import { Command, Option } from "commander";
import { printConfig } from "../config/load.ts";
import { plaintextCredentials } from "../config/plaintext.ts";
import type { Config } from "../config/schema.ts";
import { rolledBackText } from "../engine/roll-back.ts";
import { StandaloneTrainer } from "../engine/standalone-trainer.ts";
import { trainEpoch } from "../engine/training/train-epoch.ts";
import type { TrainEpoch } from "../engine/training/training-schedule.ts";
import { OddlinkError } from "../errors.ts";
import { REAL_TIME } from "../time.ts";
import { openKafkaTrainerLog } from "./kafka.ts";
import { manage } from "./operations/management.ts";
import { TrainerWatch } from "./operations/trainer-watch.ts";
import { type CommonFlags, configOf, numberOf } from "./options.ts";
import type { StandardOutput } from "./standard-output.ts";
import { stoppable } from "./stopping.ts";
import { sentenceText } from "./terminal/outside-text.ts";
import { Progress } from "./terminal/progress.ts";
import { Repeated } from "./terminal/repeated.ts";
import { restoringText } from "./terminal/restoring.ts";
import { rejectedText, restoredText, startedText } from "./worker-words.ts";

type TrainFlags = Pick<CommonFlags, "config" | "seed" | "json" | "printConfig"> & {
  readonly follow?: true;
  readonly once?: true;
  readonly promote?: true;
};

/** What `train --json` ends with. */
export type TrainSummary = {
  /** By this process. */
  readonly epochsPublished: number;
  /** By this process: trained, and not let pass by the gate. */
  readonly epochsRejected: number;
  /** The epoch in force, whoever published it; null if there is none. */
  readonly epoch: number | null;
  readonly digest: string | null;
  readonly links: number;
  readonly seconds: number;
  readonly stopped: boolean;
};

export function trainCommand(output: StandardOutput): Command {
  return new Command("train")
    .description("Train the link model on the graph that workers on Kafka keep, and publish it to them.")
    .addOption(
      new Option(
        "--follow",
        "train on schedule, until stopped (training.firstAfterHours, .everyHours)",
      ).conflicts("once"),
    )
    .addOption(new Option("--once", "train now on what is there, publish, and end").conflicts("promote"))
    .addOption(
      new Option(
        "--promote",
        "put the epoch that is in the shadow (training.shadow) in force, and end",
      ).conflicts("follow"),
    )
    .option("--seed <n>", "seed of the training", numberOf)
    .option("--json", "end with one JSON object on standard output")
    .option("--config <file>", "configuration file (YAML); environment and flags come after it")
    .option("--print-config", "print the configuration in force and stop")
    .addHelpText(
      "after",
      `
It reads the topics graph-state and epochs, never logins, and writes epochs: whole, in one transaction, under the transactional
id <kafka.group>-trainer. Workers adopt an epoch between two batches. Give it the settings of the workers, and set training.mode
to off for them: otherwise the owner of partition 0 trains too, which is safe, and wasted.

One trainer is in charge: the one that was started last. The one before ends with exit code 1. A trainer that --once starts
beside it publishes its epoch and changes nothing else. The hours between trainings are counted from the last epoch in the
topic, so that a restart puts nothing off.

Training runs on the CPU, on all cores but one (training.threads); with training.backend tfjs on a GPU, where there is one and
the package @tensorflow/tfjs-node-gpu is installed.

Examples:
  oddlink train --follow --config oddlink.yaml       beside workers, until stopped
  oddlink train --once                               a new model now
  oddlink train --promote                            what was in the shadow (training.shadow) is to alert
  oddlink train --once --json                        for scripts: {"epochsPublished":1,"epochsRejected":0,"epoch":7,"digest":...,"links":...,"seconds":...}`,
    )
    .action((flags: TrainFlags) => run(flags, output));
}

async function run(flags: TrainFlags, output: StandardOutput): Promise<void> {
  const config = configOf(flags);
  if (flags.printConfig) return output.write(printConfig(config));
  if (!flags.follow && !flags.once && !flags.promote)
    throw new OddlinkError(
      "USAGE",
      "say when to train: --follow, on schedule, or --once, now; or --promote what is in the shadow",
    );
  await stoppable((signal) => trainOn(config, flags, output, AbortSignal.any([signal, output.gone])));
}

async function trainOn(
  config: Config,
  flags: TrainFlags,
  output: StandardOutput,
  signal: AbortSignal,
): Promise<void> {
  const startedMs = performance.now();
  const progress = new Progress({ stream: process.stderr, now: Date.now });
  const trouble = new Repeated((message) => progress.note(sentenceText(message)));
  const log = openKafkaTrainerLog(config, (message) => trouble.say(message));
  progress.note(startedText("trainer", config));
  for (const trouble of plaintextCredentials(config)) progress.note(trouble);
  signal.addEventListener("abort", () => progress.note("stopping"));
  const watch = config.management.port === undefined ? undefined : new TrainerWatch();
  const train: TrainEpoch = (graph, trainingConfig, number, trainedAtMs, stop, previous) => {
    progress.note(`training epoch ${number} on a graph of ${graph.linkCount} links`);
    return trainEpoch(graph, trainingConfig, number, trainedAtMs, {
      previous,
      checkpoint: config.training.checkpoint,
      onProgress: ({ step, steps }) => progress.phase(`training epoch ${number}, step ${step} of ${steps}`),
      onNote: (text) => progress.note(text),
      signal: stop,
    }).finally(() => progress.phase(undefined));
  };
  const failed = new AbortController();
  const trainer = new StandaloneTrainer({
    config,
    log,
    time: REAL_TIME,
    signal: AbortSignal.any([signal, failed.signal]),
    train: watch?.timed(train) ?? train,
    onPublishing: ({ manifest: { number } }) => progress.note(`epoch ${number} is trained, publishing it`),
    onNote: (message) => trouble.say(message),
    onRestoring: (restoring) => {
      watch?.restoring(restoring);
      progress.phase(restoringText(restoring));
    },
    onRestored: (graph) => {
      watch?.restored();
      progress.note(restoredText(graph.linkCount, trainer.epoch?.manifest.number));
    },
    onEpoch: (epoch) => {
      const { number, linkCount, rolledBack, isChallenger, promotedAtMs } = epoch.manifest;
      // One of each type where links are typed; an attack that is repeated must not become what is expected.
      const published = `epoch ${number} published, trained on ${linkCount} links: by type, without those with alerts`;
      if (rolledBack !== null) progress.note(rolledBackText(epoch));
      else if (promotedAtMs !== null) progress.note(`epoch ${number}, which was in the shadow, is in force`);
      else progress.note(isChallenger ? `${published}; it is in the shadow of the one in force` : published);
    },
    onRejected: (rejected) => progress.note(rejectedText(rejected)),
    onEpochFailed: (error) => progress.note(error.message),
  });
  watch?.watch(trainer);
  const managed = manage(config, watch, (message) => progress.note(message));
  managed?.failed.addEventListener("abort", () => failed.abort(managed.failed.reason));
  try {
    await (flags.promote ? trainer.promote() : flags.once ? trainer.once() : trainer.follow());
    if (failed.signal.aborted) throw failed.signal.reason;
  } finally {
    progress.done();
    await managed?.close();
    await log.close();
  }
  const { published, rejected, epoch, graph } = trainer;
  const summary: TrainSummary = {
    epochsPublished: published,
    epochsRejected: rejected,
    epoch: epoch?.manifest.number ?? null,
    digest: epoch?.manifest.digest ?? null,
    links: graph.linkCount,
    seconds: (performance.now() - startedMs) / 1000,
    stopped: signal.aborted,
  };
  output.write(`${flags.json ? JSON.stringify(summary) : renderTraining(summary)}\n`);
}

function renderTraining({ epochsPublished, epochsRejected, epoch, digest, links }: TrainSummary): string {
  const rejected = epochsRejected === 0 ? "" : `, ${epochsRejected} rejected`;
  const published = `${epochsPublished === 1 ? "1 epoch" : `${epochsPublished} epochs`} published${rejected}`;
  const inForce = epoch === null ? "there is none yet" : `epoch ${epoch} is in force, ${digest}`;
  return `${published}; ${inForce}; the graph has ${links} links`;
}

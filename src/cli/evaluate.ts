import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { configFile, printConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { trainEpoch } from "../engine/train-epoch.ts";
import { OddlinkError } from "../errors.ts";
import { type Evaluation, type EvaluationReport, evaluate } from "../evaluation/evaluation.ts";
import { type Labels, readLabels } from "../evaluation/labels.ts";
import { spreadOverSeeds } from "../evaluation/ranking.ts";
import { type Format, formatOf } from "../ingest/formats/index.ts";
import { readFirstRecord, type Source, STDIN } from "../ingest/sources.ts";
import { EmbeddedLog } from "../log/embedded/embedded-log.ts";
import { REAL_TIME } from "../time.ts";
import { addCommonOptions, type CommonFlags, configOf, numberOf } from "./options.ts";
import { findSourcesBeside } from "./own-files.ts";
import type { StandardOutput } from "./standard-output.ts";
import { stoppable } from "./stopping.ts";
import { renderEvaluation } from "./terminal/evaluation-table.ts";
import { Progress } from "./terminal/progress.ts";

type EvaluateFlags = CommonFlags & {
  readonly labels?: string;
  readonly from?: string;
  readonly seeds: number;
  readonly report?: string;
};

export function evaluateCommand(output: StandardOutput): Command {
  const command = new Command("evaluate")
    .description("Score a labelled stream causally and say how well the odd logins rank, baselines beside.")
    .argument("[SOURCE...]", "file or directory; plain or gzip")
    .option("--labels <file>", "LANL's redteam.txt, or a CSV whose header names columns of a login")
    .option("--from <time>", "start of the scored period, in the source's own unit; all before is warm-up")
    .option("--seeds <n>", "evaluate with so many seeds and give the spread", numberOf, 1)
    .option("--json", "print one JSON object")
    .option("--report <file>", "write that JSON object to a file too");
  addCommonOptions(command).addHelpText(
    "after",
    `
Example:
  oddlink evaluate examples/lanl --labels examples/lanl/labels/redteam.txt

Ties count against the detector. Labels are looked at only after a login was scored.`,
  );
  return command.action((sources: string[], flags: EvaluateFlags) => run(sources, flags, output));
}

async function run(args: readonly string[], flags: EvaluateFlags, output: StandardOutput): Promise<void> {
  const config = configOf(flags);
  if (flags.printConfig) return output.write(printConfig(config));
  if (args.length === 0) throw new OddlinkError("USAGE", "no SOURCE given: name a file or a directory");
  if (args.includes(STDIN))
    throw new OddlinkError("USAGE", "evaluate reads its input more than once: standard input won't do");
  if (flags.labels === undefined) throw new OddlinkError("USAGE", "no --labels given");
  if (!Number.isInteger(flags.seeds) || flags.seeds < 1 || flags.seeds > 100) {
    throw new OddlinkError("USAGE", "--seeds takes a whole number from 1 to 100");
  }
  const sources = await findSourcesBeside(args, {
    written: [{ as: "--report", path: flags.report }],
    read: [
      { as: "--labels", path: flags.labels },
      { as: "--config", path: configFile(flags.config, process.env) },
    ],
  });
  const toTimeMs = await timeReader(sources[0]!, config);
  const fromMs = flags.from === undefined ? undefined : toTimeMs(flags.from);
  if (flags.from !== undefined && fromMs === undefined) {
    throw new OddlinkError("USAGE", `--from ${flags.from} is no time in the unit of ${sources[0]!.name}`);
  }
  const seeds = Array.from({ length: flags.seeds }, (_, i) => config.seed + i);
  const results: Evaluation[] = [];
  const labels = await readLabels(flags.labels, { toTimeMs });
  for (const seed of seeds) {
    const evaluation = { sources, config: { ...config, seed }, labels, fromMs };
    results.push(await stoppable((signal) => evaluateOnce(evaluation, signal)));
  }
  const report: EvaluationReport = {
    ...results[0]!,
    detector: config.detector,
    seeds,
    labels: { lines: labels.lines, distinct: labels.distinct, matched: labels.matched },
    spread: spreadOverSeeds(results),
  };
  const json = `${JSON.stringify(report)}\n`;
  output.write(flags.json ? json : `${renderEvaluation(report)}\n`);
  if (flags.report !== undefined) writeReport(flags.report, json);
}

type SeedEvaluation = {
  readonly sources: readonly Source[];
  readonly config: Config;
  readonly labels: Labels;
  readonly fromMs: number | undefined;
};

/** @throws {OddlinkError} STOPPED: figures of a part of the input would pass for those of the whole */
async function evaluateOnce(
  { sources, config, labels, fromMs }: SeedEvaluation,
  signal: AbortSignal,
): Promise<Evaluation> {
  const log = await EmbeddedLog.open({ sources, recordBytesMax: config.input.recordBytesMax });
  const progress = new Progress({ stream: process.stderr, now: Date.now });
  let records = 0;
  try {
    const evaluation = await evaluate({
      config: { ...config, outputs: { scoredLogins: false } },
      log,
      time: REAL_TIME,
      labels,
      fromMs,
      signal,
      train: (graph, options, number, trainedAtMs, trainingSignal, previous) =>
        trainEpoch(
          graph,
          options,
          number,
          trainedAtMs,
          ({ step, steps }) =>
            progress.phase(`seed ${config.seed}, training epoch ${number}, step ${step} of ${steps}`),
          trainingSignal,
          previous,
        ).finally(() => progress.phase(`seed ${config.seed}`)),
      onProgress: (count) => {
        records += count;
        progress.update({ ...log.progress(), records });
      },
    });
    if (!signal.aborted) return evaluation;
    throw new OddlinkError("STOPPED", "stopped before the end of the input; no figures were computed");
  } finally {
    progress.done();
    await log.close();
  }
}

/** Reads times as the source writes them: the format named, or the one that its first record has. */
async function timeReader(source: Source, config: Config): Promise<(text: string) => number | undefined> {
  const format: Format | undefined = formatOf(config.input.format, await readFirstRecord(source));
  if (format === undefined) {
    throw new OddlinkError("USAGE", `${source.name} has no known format; say which with --format`);
  }
  return (text) => {
    const timeMs = format.timeMs(text, { lanlStartMs: config.input.lanlStartMs });
    return Number.isFinite(timeMs) ? timeMs : undefined;
  };
}

function writeReport(file: string, json: string): void {
  try {
    writeFileSync(file, json);
  } catch (error) {
    throw new OddlinkError("OUTPUT_UNWRITABLE", `can't write ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

import { existsSync } from "node:fs";
import { Command } from "commander";
import { printConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { WholeMerging } from "../engine/segment-merging.ts";
import type { SharedGraph } from "../engine/shared-graph.ts";
import { OddlinkError } from "../errors.ts";
import { readLabels } from "../evaluation/labels.ts";
import { spreadOverSeeds } from "../evaluation/spread.ts";
import { type Source, STDIN } from "../ingest/sources.ts";
import type { RunningSinks } from "./deliveries.ts";
import { evaluateSeed } from "./evaluate-seed.ts";
import { filesOf, openFileLog, refuseAvro } from "./file-run.ts";
import { periodStart, timeReader } from "./label-times.ts";
import { addCommonOptions, type CommonFlags, configOf } from "./options.ts";
import { type FileUses, findSourcesBeside, refuseSharedFiles } from "./own-files.ts";
import { expectWritable, writeReport } from "./report-file.ts";
import { BaselineCounts } from "./report-page/baseline-counts.ts";
import { collectReport } from "./report-page/collect.ts";
import { reportPage } from "./report-page/page.ts";
import type { Report } from "./report-page/report.ts";
import { openResolution } from "./resolution.ts";
import { runOn } from "./run-engine.ts";
import type { StandardOutput } from "./standard-output.ts";
import { stoppable } from "./stopping.ts";
import { sentenceText } from "./terminal/outside-text.ts";
import { Progress } from "./terminal/progress.ts";

type ReportFlags = CommonFlags & {
  readonly out?: string;
  readonly labels?: string;
  readonly from?: string;
};

export function reportCommand(output: StandardOutput): Command {
  const command = new Command("report")
    .description("Score every login as run does, and write one page to look at: alerts, graph, scores.")
    .argument("[SOURCE...]", "file, directory, or - for standard input; none with a --store that is there")
    .option("--out <file>", "the page to write: one HTML file that needs nothing else; has to be said")
    .option("--store <file>", "SQLite file that keeps everything; the page is of all that it holds")
    .option("--labels <file>", "also say how well the odd logins rank, as evaluate does with one seed")
    .option("--from <time>", "with --labels: start of the scored period, in the source's own unit")
    .option("--json", "end with one JSON object on standard output, that of run");
  addCommonOptions(command).addHelpText(
    "after",
    `
Examples:
  oddlink report auth.txt.gz --out report.html       score a file, and look at what is odd
  oddlink report --store logins.db --out report.html what a store holds, without reading anything
  oddlink report examples/lanl --labels examples/lanl/labels/redteam.txt --out report.html

The same input gives the same page, byte for byte: no time of the clock is in it. It loads nothing and runs nothing.
Names of users and hosts are in it as they are: whoever gets the page gets them.

Nothing is sent to webhooks or collectors: alerts of a store wait there for the next run.`,
  );
  return command.action((sources: string[], flags: ReportFlags) => run(sources, flags, output));
}

async function run(args: readonly string[], flags: ReportFlags, output: StandardOutput): Promise<void> {
  const config = configOf(flags);
  if (flags.printConfig) return output.write(printConfig(config));
  refuseAvro(config);
  const out = refuseWrongUse(args, flags, config);
  const { written, read } = filesOf(config.outputs, flags.config);
  const uses = {
    written: [...written, { as: "--out", path: out }],
    read: [...read, { as: "--labels", path: flags.labels }],
  };
  const sources = await sourcesOf(args, uses);
  expectWritable(out);
  const evaluation = flags.labels === undefined ? undefined : await evaluationOf(sources, flags, config);
  const resolution = await openResolution(config);
  const log = await openFileLog(config, sources);
  try {
    const counts = new BaselineCounts();
    await stoppable((signal) =>
      runOn(log, config, {
        output,
        signal,
        isJson: flags.json === true,
        isQuiet: true,
        hasInput: sources.length > 0,
        merging: (state: SharedGraph) => new WholeMerging(state),
        progress: new Progress({ stream: process.stderr, now: Date.now }),
        resolution,
        sinks: NO_SINKS,
        onScored: (login, scored, facts) => counts.add(login, scored, facts),
        onSummary: (summary, engine) => {
          const beside = { sources: sources.map(({ name }) => name), baselines: counts.result(), evaluation };
          writeReport(out, reportPage(collectReport(engine, log.store, config, summary, beside)));
          summary.written.unshift(`${out}: the report (HTML)`);
        },
      }),
    );
  } finally {
    await log.close();
  }
}

function refuseWrongUse(args: readonly string[], { out, labels, from }: ReportFlags, config: Config): string {
  const refuse = (message: string): never => {
    throw new OddlinkError("USAGE", message);
  };
  const { store } = config.outputs;
  if (out === undefined) return refuse("no --out given: name the HTML file to write");
  if (args.length === 0 && store === undefined)
    refuse("no SOURCE given: name a file, a directory, or - for standard input; or a --store to report on");
  if (args.length === 0 && !existsSync(store!))
    throw new OddlinkError("SOURCE_NOT_FOUND", `${store}: there is no such store, and no SOURCE is given`);
  if (args.filter((arg) => arg === STDIN).length > 1) refuse("standard input can be read once only");
  if (labels !== undefined && args.length === 0)
    refuse("--labels needs a SOURCE: it is scored a second time");
  if (labels !== undefined && args.includes(STDIN))
    refuse("--labels reads its input a second time: standard input won't do");
  if (from !== undefined && labels === undefined) refuse("--from goes with --labels");
  return out;
}

async function sourcesOf(args: readonly string[], uses: FileUses): Promise<readonly Source[]> {
  if (args.length > 0)
    return findSourcesBeside(args, uses, (path) =>
      process.stderr.write(`skipped ${sentenceText(path)}: it does not look like a log\n`),
    );
  refuseSharedFiles(args, uses);
  return [];
}

/** What `evaluate` says with the one seed of the configuration, and under a key that follows from it: the same every time. */
async function evaluationOf(
  sources: readonly Source[],
  flags: ReportFlags,
  config: Config,
): Promise<Report["evaluation"]> {
  const toTimeMs = await timeReader(sources[0]!, config);
  const labels = await readLabels(flags.labels!, { toTimeMs });
  const evaluation = {
    sources,
    config,
    labels,
    fromMs: periodStart(flags.from, toTimeMs, sources[0]!),
    renaming: "seed-key",
    notebook: undefined,
    ablation: false,
  } as const;
  const { figures, drawing } = await stoppable((signal) => evaluateSeed(evaluation, signal));
  const { lines, distinct, matched } = labels;
  const report = {
    ...figures,
    detector: config.detector,
    seeds: [config.seed],
    renaming: evaluation.renaming,
    labels: { lines, distinct, matched },
    spread: spreadOverSeeds([figures]),
  };
  return { report, drawing };
}

/** A report sends nothing: whoever only looks would not expect it. */
const NO_SINKS: RunningSinks = {
  summaries: () => ({}),
  failed: new AbortController().signal,
  end: async () => {},
  stop: async () => {},
};

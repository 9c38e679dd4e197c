import { Command, Option } from "commander";
import { configFile, printConfig } from "../config/load.ts";
import { OddlinkError } from "../errors.ts";
import type { Evaluated, EvaluationReport, RenamingMode } from "../evaluation/evaluation.ts";
import { reportPage } from "../evaluation/html/page.ts";
import { readLabels } from "../evaluation/labels.ts";
import { NOTEBOOK_RELATIONS, type NotebookRelation } from "../evaluation/notebook/comparator.ts";
import { spreadOverSeeds } from "../evaluation/spread.ts";
import { STDIN } from "../ingest/sources.ts";
import { evaluateSeed } from "./evaluate-seed.ts";
import { periodStart, timeReader } from "./label-times.ts";
import { addCommonOptions, type CommonFlags, configOf, NOTEBOOK_DETECTOR, numberOf } from "./options.ts";
import { findSourcesBeside } from "./own-files.ts";
import { writeReport } from "./report-file.ts";
import type { StandardOutput } from "./standard-output.ts";
import { stoppable } from "./stopping.ts";
import { renderEvaluation } from "./terminal/evaluation-table.ts";

/** Fewer say nothing of a spread. */
const SEEDS_DEFAULT = 3;
const SEEDS_MAX = 100;

type EvaluateFlags = CommonFlags & {
  readonly labels?: string;
  readonly from?: string;
  readonly seeds: number;
  readonly report?: string;
  readonly keepNames?: true;
  readonly ablation?: true;
  readonly notebookRelation: NotebookRelation;
};

export function evaluateCommand(output: StandardOutput): Command {
  const command = new Command("evaluate")
    .description("Score a labelled stream causally and say how well the odd logins rank, baselines beside.")
    .argument("[SOURCE...]", "file or directory; plain or gzip")
    .option("--labels <file>", "LANL's redteam.txt, or a CSV whose header names columns of a login")
    .option("--from <time>", "start of the scored period, in the source's own unit; all before is warm-up")
    .option("--seeds <n>", "evaluate with so many seeds and give the spread", numberOf, SEEDS_DEFAULT)
    .option("--ablation", "evaluate each signal alone, and default without each, too")
    .option("--keep-names", "score the names of users and hosts as they are, not pseudonyms")
    .addOption(
      new Option("--notebook-relation <columns>", "what --detector notebook takes for a link's relation")
        .choices(NOTEBOOK_RELATIONS)
        .default("constant"),
    )
    .option("--json", "print one JSON object")
    .option("--report <file>", "write a page to read, if its name ends in .html, or that JSON object");
  addCommonOptions(command).addHelpText(
    "after",
    `
Examples:
  oddlink evaluate examples/lanl --labels examples/lanl/labels/redteam.txt
  oddlink evaluate auth.txt.gz --labels labels.csv --from 150885 --seed 1 --ablation --report report.html

Ties count against the detector. Labels are looked at only after a login was scored. A column "scenario" in the labels
says what kind of attack a login is part of: recall is then given for each.

Names of users and hosts are replaced before anything is scored, for each run under a key that nobody has seen. With
--seed the key follows from the seed instead, and figures are the same every time.

--detector notebook is the model that oddlink replaces, for comparison: it trains on what comes before --from, and a second
time, as it did, on everything.`,
  );
  return command.action((sources: string[], flags: EvaluateFlags) => run(sources, flags, output));
}

async function run(args: readonly string[], flags: EvaluateFlags, output: StandardOutput): Promise<void> {
  const isNotebook = flags.detector === NOTEBOOK_DETECTOR;
  const config = configOf(isNotebook ? withoutDetector(flags) : flags);
  if (flags.printConfig) return output.write(printConfig(config));
  refuseWrongUse(args, flags, isNotebook);
  const sources = await findSourcesBeside(args, {
    written: [{ as: "--report", path: flags.report }],
    read: [
      { as: "--labels", path: flags.labels },
      { as: "--config", path: configFile(flags.config, process.env) },
    ],
  });
  const toTimeMs = await timeReader(sources[0]!, config);
  const fromMs = periodStart(flags.from, toTimeMs, sources[0]!);
  const labels = await readLabels(flags.labels!, { toTimeMs });
  const renaming: RenamingMode = flags.keepNames
    ? "off"
    : flags.seed === undefined
      ? "random-key"
      : "seed-key";
  const seeds = Array.from({ length: flags.seeds }, (_, i) => config.seed + i);
  const results: Evaluated[] = [];
  for (const seed of seeds) {
    const evaluation = {
      sources,
      config: { ...config, seed },
      labels,
      fromMs,
      renaming,
      notebook: isNotebook ? flags.notebookRelation : undefined,
      ablation: flags.ablation ?? false,
    };
    results.push(await stoppable((signal) => evaluateSeed(evaluation, signal)));
  }
  const report: EvaluationReport = {
    ...results[0]!.figures,
    detector: isNotebook ? NOTEBOOK_DETECTOR : config.detector,
    seeds,
    renaming,
    labels: { lines: labels.lines, distinct: labels.distinct, matched: labels.matched },
    spread: spreadOverSeeds(results.map(({ figures }) => figures)),
  };
  const json = `${JSON.stringify(report)}\n`;
  output.write(flags.json ? json : `${renderEvaluation(report)}\n`);
  if (flags.report === undefined) return;
  const isPage = /\.html?$/i.test(flags.report);
  writeReport(flags.report, isPage ? reportPage(report, results[0]!.drawing) : json);
}

function refuseWrongUse(args: readonly string[], flags: EvaluateFlags, isNotebook: boolean): void {
  const refuse = (message: string): never => {
    throw new OddlinkError("USAGE", message);
  };
  if (args.length === 0) refuse("no SOURCE given: name a file or a directory");
  if (args.includes(STDIN)) refuse("evaluate reads its input more than once: standard input won't do");
  if (flags.labels === undefined) refuse("no --labels given");
  if (!Number.isInteger(flags.seeds) || flags.seeds < 1 || flags.seeds > SEEDS_MAX) {
    refuse(`--seeds takes a whole number from 1 to ${SEEDS_MAX}`);
  }
  if (isNotebook && flags.ablation) refuse("--ablation is of oddlink's own signals, and notebook has none");
  if (isNotebook && flags.from === undefined) {
    refuse(
      "--detector notebook trains on what comes before the scored period: say with --from where that starts",
    );
  }
}

function withoutDetector({ detector: _detector, ...flags }: EvaluateFlags): CommonFlags {
  return flags;
}

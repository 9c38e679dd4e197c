import { type Command, InvalidArgumentError, Option } from "commander";
import { loadConfig } from "../config/load.ts";
import { type Config, DETECTORS, TRAINING_MODES } from "../config/schema.ts";
import { OddlinkError } from "../errors.ts";
import { FORMAT_NAMES } from "../ingest/formats/index.ts";

/** The comparator in the place of a detector: for `evaluate` alone. */
export const NOTEBOOK_DETECTOR = "notebook";

/** The setting that a flag sets, by the name under which commander hands the flag over. */
export const SETTING_OF_FLAG = {
  format: "input.format",
  detector: "detector",
  train: "training.mode",
  seed: "seed",
  threshold: "threshold",
  alertsPerDay: "alertsPerDay",
  store: "outputs.store",
  alerts: "outputs.alerts",
  alertsShadow: "outputs.alertsShadow",
  scored: "outputs.scored",
} as const;

/** Flags that `run` and `evaluate` share. */
export type CommonFlags = { readonly [flag in keyof typeof SETTING_OF_FLAG]?: string | number } & {
  readonly config?: string;
  readonly printConfig?: true;
  readonly json?: true;
};

export function addCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--threshold <p>", "fixed threshold: a login that scores below p is an alert")
        .argParser(numberOf)
        .conflicts("alertsPerDay"),
    )
    .option("--alerts-per-day <n>", "alert budget below the presence tier", numberOf)
    .addOption(
      new Option("--format <name>", "input format; auto recognises each record").choices(FORMAT_NAMES),
    )
    .addOption(
      new Option(
        "--detector <name>",
        "which signal orders the logins; notebook, the model to compare with, in evaluate only",
      ).choices([...DETECTORS, NOTEBOOK_DETECTOR]),
    )
    .addOption(
      new Option(
        "--train <mode>",
        "off; replay: by event time, awaited; live: by wall clock, as replay is with --kafka",
      ).choices(TRAINING_MODES),
    )
    .option("--seed <n>", "seed of the training", numberOf)
    .option("--config <file>", "configuration file (YAML); environment and flags come after it")
    .option("--print-config", "print the configuration in force and stop");
}

/**
 * The configuration in force with the flags of a command.
 *
 * @param own settings by path that flags of this command alone have set
 * @throws {OddlinkError} CONFIG_INVALID; USAGE for a detector that can't score a stream
 */
export function configOf(flags: CommonFlags, own: Readonly<Record<string, unknown>> = {}): Config {
  if (flags.detector === NOTEBOOK_DETECTOR) {
    throw new OddlinkError(
      "USAGE",
      "--detector notebook is a comparator: it needs all logins before it can score one, so it raises no alerts. " +
        "Ask for its figures with: oddlink evaluate --detector notebook --from TIME",
    );
  }
  const settings = Object.entries(SETTING_OF_FLAG).map(([flag, path]) => [
    path,
    flags[flag as keyof typeof SETTING_OF_FLAG],
  ]);
  return loadConfig({
    file: flags.config,
    environment: process.env,
    nowMs: Date.now(),
    flags: { ...Object.fromEntries(settings), ...own },
  });
}

export function numberOf(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("expected a number");
  return value;
}

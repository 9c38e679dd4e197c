import { type Command, InvalidArgumentError, Option } from "commander";
import { loadConfig } from "../config/load.ts";
import { type Config, DETECTORS, TRAINING_MODES } from "../config/schema.ts";
import { FORMAT_NAMES } from "../ingest/formats/index.ts";

/** Flags that `run` and `evaluate` share. */
export function addCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--format <name>", "input format; auto recognises each record").choices(FORMAT_NAMES),
    )
    .addOption(new Option("--detector <name>", "which signal orders the logins").choices(DETECTORS))
    .addOption(
      new Option("--train <mode>", "off; replay: by event time, awaited; live: by wall clock").choices(
        TRAINING_MODES,
      ),
    )
    .option("--seed <n>", "seed of the training", numberOf)
    .option("--config <file>", "configuration file (YAML); environment and flags come after it")
    .option("--print-config", "print the configuration in force and stop");
}

export type CommonFlags = {
  readonly format?: string;
  readonly detector?: string;
  readonly train?: string;
  readonly seed?: number;
  readonly config?: string;
  readonly printConfig?: true;
};

/** The configuration of a command; `more` are its own flags by setting. */
export function configOf(flags: CommonFlags, more: Readonly<Record<string, unknown>>): Config {
  return loadConfig({
    file: flags.config,
    environment: process.env,
    flags: {
      "input.format": flags.format,
      detector: flags.detector,
      "training.mode": flags.train,
      seed: flags.seed,
      ...more,
    },
  });
}

export function numberOf(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("expected a number");
  return value;
}

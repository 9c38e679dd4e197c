import type { z } from "zod";
import { loadConfig } from "../config/load.ts";
import type { Config, configSchema } from "../config/schema.ts";
import { OddlinkError } from "../errors.ts";

/** What only the commands do: served, sent and read from topics. */
const OF_COMMANDS = ["kafka", "normalize", "checks", "http", "management", "canary", "outputs"] as const;

/**
 * Settings by name, as `docs/configuration.md` lists them, nested as in a configuration file: `{ training: { mode: "off" } }`. What is left
 * out has its default. Neither a file nor the environment is looked at.
 */
export type Settings = Omit<z.input<typeof configSchema>, (typeof OF_COMMANDS)[number]>;

/** @throws {OddlinkError} CONFIG_INVALID naming each wrong setting, and those that an embedded engine does not have */
export function configOf(settings: Settings = {}, writesScored = false): Config {
  const foreign = OF_COMMANDS.filter((name) => name in settings);
  if (foreign.length > 0)
    throw new OddlinkError("CONFIG_INVALID", `${foreign.join(", ")}: an embedded engine has no such setting`);
  return loadConfig({
    environment: {},
    flags: { ...settings, "outputs.scoredLogins": writesScored },
    flagsFrom: "settings",
    nowMs: Date.now(),
  });
}

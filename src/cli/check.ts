import { Command } from "commander";
import { OddlinkError } from "../errors.ts";
import { type CheckResult, expectedText, foundText, runCheck } from "./detection-check.ts";
import { type CommonFlags, configOf } from "./options.ts";
import type { StandardOutput } from "./standard-output.ts";
import { stoppable } from "./stopping.ts";
import { endedTexts } from "./suppression-words.ts";
import { sentenceText } from "./terminal/outside-text.ts";

export function checkCommand(output: StandardOutput): Command {
  return new Command("check")
    .description("Run the checks of the configuration: a few logins each, and what the last is to come to.")
    .option("--json", "print one JSON object")
    .option("--config <file>", "configuration file (YAML); environment and flags come after it")
    .addHelpText(
      "after",
      `
One line a check: ok or FAIL, with what was found instead. Each has an engine of its own with the settings in force, but for training:
there is none. Nothing is read or kept but the configuration. Checks, and rules that suppress alerts: docs/suppressions.md.

Examples:
  oddlink check --config oddlink.yaml                before a change of the configuration is rolled out
  oddlink check --config oddlink.yaml --json         for scripts: {"ok":...,"checks":[{"name":...,"ok":...,"found":{...}}]}`,
    )
    .action((flags: CommonFlags) => run(flags, output));
}

async function run(flags: CommonFlags, output: StandardOutput): Promise<void> {
  const config = configOf(flags);
  if (config.checks.length === 0)
    throw new OddlinkError("USAGE", "the configuration has no checks: see docs/suppressions.md");
  const nowMs = Date.now();
  for (const text of endedTexts(config.suppressions, nowMs)) process.stderr.write(`${sentenceText(text)}\n`);
  const results: CheckResult[] = [];
  await stoppable(async (signal) => {
    for (const check of config.checks) {
      const result = await runCheck(check, config, nowMs, signal);
      results.push(result);
      if (flags.json) continue;
      const instead = result.ok
        ? ""
        : `: expected ${expectedText(check)}, found ${sentenceText(foundText(result.found))}`;
      output.write(`${result.ok ? "ok  " : "FAIL"}  ${sentenceText(check.name)}${instead}\n`);
    }
  });
  const failed = results.filter(({ ok }) => !ok).length;
  if (flags.json) output.write(`${JSON.stringify({ ok: failed === 0, checks: results })}\n`);
  if (failed > 0) throw new OddlinkError("CHECKS_FAILED", `${failed} of ${results.length} checks failed`);
}

import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { Command } from "commander";
import type { Config } from "../config/schema.ts";
import { OddlinkError } from "../errors.ts";
import { SchemaRegistry } from "../ingest/schema-registry.ts";
import { VERSION } from "../version.ts";
import {
  type Check,
  GPU_PACKAGE,
  gpuCheck,
  nodeCheck,
  plaintextChecks,
  renderChecks,
} from "./doctor-checks.ts";
import { checkKafka, guarded } from "./doctor-kafka.ts";
import { type CommonFlags, configOf } from "./options.ts";
import type { StandardOutput } from "./standard-output.ts";
import { suppressionsChecks } from "./suppression-words.ts";
import { sentenceText } from "./terminal/outside-text.ts";

const GPU_MS_MAX = 5000;
/** Whatever the registry says of it, it has answered. */
const ANY_SCHEMA_ID = 1;

export function doctorCommand(output: StandardOutput): Command {
  return new Command("doctor")
    .description("Check everything a worker needs, and say what to do about what is wrong.")
    .option("--json", "print one JSON object")
    .option("--config <file>", "configuration file (YAML); environment and flags come after it")
    .addHelpText(
      "after",
      `
One line a check: ok, warn, FAIL, or - for what was not checked. Exit code 1 if anything is FAIL. It changes nothing: what it writes
to see if it may be written is in a transaction that is aborted, under a transactional id of its own (<kafka.group>-doctor).

Examples:
  oddlink doctor                                     with the settings of the environment
  oddlink doctor --config oddlink.yaml --json        for scripts: {"ok":...,"checks":[{"name":...,"status":...,"found":...}]}`,
    )
    .action((flags: CommonFlags) => run(flags, output));
}

async function run(flags: CommonFlags, output: StandardOutput): Promise<void> {
  const config = configOf(flags);
  const found = [
    nodeCheck(process.versions.node),
    await checkGpu(config),
    ...suppressionsChecks(config.suppressions, Date.now()),
    ...plaintextChecks(config),
    await guarded("registry", () => checkRegistry(config)),
    ...(await checkKafka(config).catch((error: Error) => [
      { name: "brokers", status: "FAIL", found: error.message } as const,
    ])),
  ];
  // Messages of brokers and servers may hold anything.
  const checks: Check[] = found.map((check) => ({ ...check, found: sentenceText(check.found, 2000) }));
  const failed = checks.filter(({ status }) => status === "FAIL").length;
  output.write(
    flags.json
      ? `${JSON.stringify({ ok: failed === 0, version: VERSION, checks })}\n`
      : renderChecks([{ name: "oddlink", status: "ok", found: VERSION }, ...checks]),
  );
  if (failed > 0) throw new OddlinkError("CHECKS_FAILED", `${failed} of ${checks.length} checks failed`);
}

async function checkGpu({ training }: Config): Promise<Check> {
  let hasPackage = true;
  try {
    createRequire(import.meta.url).resolve(GPU_PACKAGE);
  } catch {
    hasPackage = false;
  }
  const query = ["--query-gpu=name,memory.total", "--format=csv,noheader"];
  const card = await promisify(execFile)("nvidia-smi", query, { timeout: GPU_MS_MAX }).then(
    ({ stdout }) => stdout.trim().replaceAll("\n", "; "),
    () => undefined,
  );
  return gpuCheck(card === "" ? undefined : card, hasPackage, training);
}

async function checkRegistry({ input }: Config): Promise<Check> {
  const name = "registry";
  if (input.registry === undefined)
    return { name, status: "skip", found: "no schema registry is configured" };
  try {
    await new SchemaRegistry(input.registry).find(ANY_SCHEMA_ID);
  } catch (error) {
    const remedy = "look at input.registry and at what lies between; workers on Avro wait until it answers";
    return { name, status: "FAIL", found: (error as Error).message, remedy };
  }
  return { name, status: "ok", found: "the schema registry answers" };
}

import { once } from "node:events";
import { createWriteStream, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Writable } from "node:stream";
import { createGzip, gzipSync } from "node:zlib";
import { Command, InvalidArgumentError, Option } from "commander";
import { OddlinkError } from "../errors.ts";
import { FIRST_WEEKDAY, WEEKDAYS, type Weekday } from "../generator/calendar.ts";
import { LOOK_ALIKES, SCENARIO_NAMES, type ScenarioName } from "../generator/scenarios/index.ts";
import { type InjectedLabel, LoginStream } from "../generator/stream.ts";
import { type StreamSize, sizeOf, sizeProblem } from "../generator/stream-size.ts";
import { makeFolder } from "../log/embedded/output-file.ts";
import { numberOf } from "./options.ts";
import { placeOf } from "./own-files.ts";
import type { StandardOutput } from "./standard-output.ts";
import { stoppable } from "./stopping.ts";
import { countText, durationText } from "./terminal/numbers.ts";
import { Progress } from "./terminal/progress.ts";

const ALL = "all";
const STDOUT = "-";
const SEED_MAX = 0xffff_ffff;
const LABEL_HEADER = "time,user,sourceHost,targetHost,scenario";
const GZIP_LEVEL = 1;

type GenerateFlags = {
  readonly logins?: number;
  readonly seed: number;
  readonly scenario: readonly ScenarioName[];
  readonly out?: string;
  readonly labels?: string;
  readonly lookAlikes?: string;
  readonly days?: number;
  readonly users?: number;
  readonly hosts?: number;
  readonly startDay: Weekday;
  readonly json?: true;
};

/** What was generated: everything that `generate --json` prints. */
type GenerateSummary = StreamSize & {
  readonly seed: number;
  readonly rows: number;
  readonly seconds: number;
  readonly loginsPerSecond: number;
  /** Named in the rows. */
  readonly accounts: number;
  readonly hostsNamed: number;
  readonly labelled: Readonly<Record<string, number>>;
};

export function generateCommand(output: StandardOutput): Command {
  return new Command("generate")
    .description(
      "Write a synthetic stream of logins in LANL's shape, and labels of the attacks injected into it.",
    )
    .option("--logins <n>", "rows of everyday life, exactly; rows of scenarios come on top", numberOf)
    .option("--seed <n>", "the same seed and options give the same bytes", numberOf, 1)
    .addOption(
      new Option(
        "--scenario <name>",
        `what to inject; may be repeated: ${[...SCENARIO_NAMES, ALL].join(", ")}`,
      )
        .argParser(addScenario)
        .default([], "none"),
    )
    .option("--out <file>", "the stream, LANL's auth.txt; gzip if it ends in .gz, - for standard output")
    .option("--labels <file>", "labels of the attacks, for evaluate --labels; gzip if it ends in .gz")
    .option("--look-alikes <file>", "the logins of new-employee and new-server, in the form of labels")
    .option(
      "--days <n>",
      "length of the stream; default by the number of logins, 58 at LANL's size",
      numberOf,
    )
    .option(
      "--users <n>",
      "people and services; default by the number of logins, 12,425 at LANL's size",
      numberOf,
    )
    .option("--hosts <n>", "machines; default by the number of users, 17,684 at LANL's size", numberOf)
    .addOption(
      new Option("--start-day <weekday>", "weekday of the first day")
        .choices(WEEKDAYS)
        .default(FIRST_WEEKDAY),
    )
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Examples:
  oddlink generate --logins 1000000 --seed 7 --scenario all --out logins.txt --labels labels.csv
  oddlink evaluate logins.txt --labels labels.csv
  oddlink generate --logins 1051430459 --out - | head

Scenarios begin after a third of the stream, and adding one changes no other row. new-employee and new-server are no
attacks: they go to --look-alikes, not to --labels. What comes out is synthetic: docs/generator.md says what it shows.`,
    )
    .action((flags: GenerateFlags) => run(flags, output));
}

async function run(flags: GenerateFlags, output: StandardOutput): Promise<void> {
  const { out, labels: labelFile, lookAlikes: lookAlikeFile, seed } = flags;
  if (flags.logins === undefined) throw new OddlinkError("USAGE", "no --logins given: how many rows?");
  if (out === undefined)
    throw new OddlinkError("USAGE", `no --out given: name a file, or ${STDOUT} for standard output`);
  if (!Number.isInteger(seed) || seed < 0 || seed > SEED_MAX) {
    throw new OddlinkError("USAGE", `--seed takes a whole number from 0 to ${SEED_MAX}`);
  }
  const { days, users, hosts } = flags;
  const given = Object.fromEntries(
    Object.entries({ days, users, hosts }).filter(([, value]) => value !== undefined),
  );
  const size = sizeOf(flags.logins, given);
  const problem = sizeProblem(size);
  if (problem !== undefined) throw new OddlinkError("USAGE", problem);
  const attacks = flags.scenario.filter((name) => !LOOK_ALIKES.includes(name));
  if (attacks.length > 0 && labelFile === undefined) {
    throw new OddlinkError(
      "USAGE",
      `no --labels given: the logins of ${attacks.join(", ")} would be lost among the others`,
    );
  }
  const files = [out === STDOUT ? undefined : out, labelFile, lookAlikeFile].filter(
    (file) => file !== undefined,
  );
  refuseShared(files);
  for (const file of files) makeFolderOf(file);

  const started = performance.now();
  const stream = new LoginStream({ size, seed, scenarios: flags.scenario, firstWeekday: flags.startDay });
  const isWhole = await stoppable((signal) => writeStream(stream, size.logins, out, output, signal));
  if (!isWhole) return;
  const seconds = (performance.now() - started) / 1000;
  const isAttack = ({ scenario }: InjectedLabel) => !LOOK_ALIKES.includes(scenario);
  if (labelFile !== undefined) writeLabels(labelFile, stream.labels.filter(isAttack));
  if (lookAlikeFile !== undefined)
    writeLabels(
      lookAlikeFile,
      stream.labels.filter((label) => !isAttack(label)),
    );

  const labelled: Record<string, number> = Object.fromEntries(flags.scenario.map((name) => [name, 0]));
  for (const { scenario } of stream.labels) labelled[scenario]++;
  const seen = stream.seen;
  const summary: GenerateSummary = {
    ...size,
    seed,
    rows: stream.rows,
    seconds,
    loginsPerSecond: Math.round(stream.rows / seconds),
    accounts: seen.accounts,
    hostsNamed: seen.hosts,
    labelled,
  };
  const text = flags.json ? `${JSON.stringify(summary)}\n` : `${rendered(summary, flags)}\n`;
  if (out === STDOUT) process.stderr.write(text);
  else output.write(text);
}

/**
 * @returns false if whoever read standard output has left
 * @throws {OddlinkError} OUTPUT_UNWRITABLE; STOPPED, for a part of a stream would pass for the whole
 */
async function writeStream(
  stream: LoginStream,
  logins: number,
  out: string,
  output: StandardOutput,
  signal: AbortSignal,
): Promise<boolean> {
  const progress = new Progress({ stream: process.stderr, now: Date.now });
  const sink = new Sink(out);
  const isRead = () => out !== STDOUT || !output.gone.aborted;
  try {
    for (const chunk of stream.chunks()) {
      await sink.write(chunk);
      if (signal.aborted)
        throw new OddlinkError(
          "STOPPED",
          `stopped after ${countText(stream.rows)} rows: ${out} is not whole`,
        );
      if (!isRead()) return false;
      const rows = stream.rows;
      progress.update({ records: rows, bytesRead: rows, bytesTotal: logins + stream.injectedRows });
    }
    await sink.end();
    return isRead();
  } catch (error) {
    sink.destroy();
    if (error instanceof OddlinkError) throw error;
    if (!isRead()) return false;
    throw new OddlinkError("OUTPUT_UNWRITABLE", `can't write ${out}: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    progress.done();
  }
}

/** A file, a gzip file or standard output, to which one chunk is under way while the next is made. */
class Sink {
  readonly #target: Writable;
  readonly #first: Writable;
  readonly #isOwn: boolean;
  #underWay: Promise<void> = Promise.resolve();
  #failure: Error | undefined;

  constructor(out: string) {
    this.#isOwn = out !== STDOUT;
    this.#target = this.#isOwn ? createWriteStream(out) : process.stdout;
    this.#first = this.#target;
    if (this.#isOwn) this.#target.on("error", (error) => (this.#failure ??= error));
    if (!isGzip(out)) return;
    const gzip = createGzip({ level: GZIP_LEVEL });
    gzip.pipe(this.#target);
    this.#first = gzip;
  }

  /** Resolves once the chunk before is out of the way; that one's bytes may then be overwritten. */
  async write(chunk: Uint8Array): Promise<void> {
    await this.#underWay;
    if (this.#failure !== undefined) throw this.#failure;
    this.#underWay = new Promise((resolve) => {
      const done = () => {
        this.#target.off("error", done);
        resolve();
      };
      // A target that broke answers no more, least of all through gzip.
      this.#target.once("error", done);
      this.#first.write(chunk, done);
    });
  }

  async end(): Promise<void> {
    await this.#underWay;
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#isOwn) return;
    const finished = once(this.#target, "finish");
    this.#first.end();
    await finished;
  }

  destroy(): void {
    if (!this.#isOwn) return;
    this.#first.destroy();
    this.#target.destroy();
  }
}

function writeLabels(file: string, labels: readonly InjectedLabel[]): void {
  const lines = labels.map(
    ({ second, user, sourceHost, targetHost, scenario }) =>
      `${second},${user},${sourceHost},${targetHost},${scenario}`,
  );
  const text = `${[LABEL_HEADER, ...lines].join("\n")}\n`;
  try {
    writeFileSync(file, isGzip(file) ? gzipSync(text) : text);
  } catch (error) {
    throw new OddlinkError("OUTPUT_UNWRITABLE", `can't write ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function rendered(
  { logins, days, users, rows, seconds, loginsPerSecond, accounts, hostsNamed, labelled }: GenerateSummary,
  flags: GenerateFlags,
): string {
  const lines = [
    `Rows       ${countText(rows)} over ${days} days, ${countText(rows - logins)} of them injected`,
    `Speed      ${countText(loginsPerSecond)} logins a second, ${seconds < 60 ? `${seconds.toFixed(1)} s` : durationText(seconds)} in all`,
    `Network    ${countText(users)} users; ${countText(accounts)} accounts and ${countText(hostsNamed)} hosts named`,
  ];
  for (const [scenario, count] of Object.entries(labelled)) {
    const isAttack = !LOOK_ALIKES.includes(scenario as ScenarioName);
    lines.push(
      `  ${scenario.padEnd(16)} ${countText(count)} logins${isAttack ? " labelled" : ", no attack"}`,
    );
  }
  const files = [flags.out, flags.labels, flags.lookAlikes].filter(
    (file) => file !== undefined && file !== STDOUT,
  );
  if (files.length > 0) lines.push(`Written    ${files.join(", ")}`);
  return lines.join("\n");
}

function addScenario(text: string, before: readonly ScenarioName[]): ScenarioName[] {
  if (text === ALL) return [...SCENARIO_NAMES];
  const name = SCENARIO_NAMES.find((known) => known === text);
  if (name === undefined) throw new InvalidArgumentError(`known are ${[...SCENARIO_NAMES, ALL].join(", ")}.`);
  return [...new Set([...before, name])];
}

/** @throws {OddlinkError} USAGE if two of the files are the same; a device keeps nothing, so nothing is lost there */
function refuseShared(files: readonly string[]): void {
  const places = new Set<string>();
  for (const file of files) {
    if (statSync(file, { throwIfNoEntry: false })?.isCharacterDevice()) continue;
    const place = placeOf(file);
    if (places.has(place))
      throw new OddlinkError("USAGE", `${file} is given twice; give another file. Nothing was written.`);
    places.add(place);
  }
}

/** A file may lie in folders that are not there yet. */
function makeFolderOf(file: string): void {
  try {
    makeFolder(dirname(file));
  } catch (error) {
    throw new OddlinkError("OUTPUT_UNWRITABLE", `can't write ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function isGzip(file: string): boolean {
  return file.endsWith(".gz");
}

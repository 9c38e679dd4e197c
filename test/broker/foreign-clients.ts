import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

const CONSUMER = join(import.meta.dirname, "..", "..", "examples", "consume");
/** Outside the repository proper and gone with `node_modules`. */
const CACHE = join(import.meta.dirname, "..", "..", "node_modules", ".cache", "oddlink");
const INSTALL_MS_MAX = 300_000;
const READ_MS_MAX = 60_000;

export type ReadElsewhere = {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Record<string, unknown>;
};

/**
 * What kcat reads of a topic from its beginning to its end: committed records only.
 *
 * @throws {Error} with one line on what to install if it is missing, and can't be installed here
 */
export function readWithKcat(brokers: string, topic: string): ReadElsewhere[] {
  installKcat();
  const committed = ["-X", "isolation.level=read_committed"];
  // -J: an object a record, headers as a list of names and values in turn.
  const { stdout } = execute("kcat", [
    "-C",
    "-b",
    brokers,
    "-t",
    topic,
    "-o",
    "beginning",
    "-e",
    "-q",
    "-J",
    ...committed,
  ]);
  return linesOf(stdout).map((line) => {
    const { key, headers, payload } = JSON.parse(line);
    const pairs = Array.from({ length: headers.length / 2 }, (_, i) => [headers[2 * i], headers[2 * i + 1]]);
    return { key, headers: Object.fromEntries(pairs), value: JSON.parse(payload) };
  });
}

/**
 * What the consumer of examples/consume reads: as many records of a topic as are asked for.
 *
 * @param registry address of a schema registry, for Avro
 */
export function readWithPython(
  brokers: string,
  topic: string,
  count: number,
  registry?: string,
): ReadElsewhere[] {
  const more = registry === undefined ? [] : [registry];
  const script = join(CONSUMER, "alerts.py");
  const args = [script, brokers, topic, ...more, "--count", String(count)];
  return linesOf(execute(python(), args).stdout).map((line) => JSON.parse(line));
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

function installKcat(): void {
  if (spawnSync("kcat", ["-V"]).error === undefined) return;
  const isRoot = process.getuid?.() === 0;
  const install = ["install", "-y", "--no-install-recommends", "kcat"];
  if (!isRoot || spawnSync("apt-get", install, { timeout: INSTALL_MS_MAX }).status !== 0)
    throw new Error(
      "kcat was not found: the tests that read topics with it need it (Debian: apt install kcat; macOS: brew install kcat)",
    );
}

/** The Python of an environment that has what the consumer needs, made once. */
function python(): string {
  const requirements = readFileSync(join(CONSUMER, "requirements.txt"), "utf8").trim();
  const folder = join(CACHE, `python-${requirements.replace(/[^a-z0-9.]+/gi, "-")}`);
  const command = join(folder, "bin", "python");
  if (existsSync(join(folder, "is-whole"))) return command;
  if (spawnSync("python3", ["-m", "venv", "--help"]).status !== 0)
    throw new Error(
      "python3 with venv was not found: the tests that read topics in Python need it (Debian: apt install python3-venv)",
    );
  mkdirSync(CACHE, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  try {
    execute("python3", ["-m", "venv", folder]);
    execute(command, ["-m", "pip", "install", "--quiet", "-r", join(CONSUMER, "requirements.txt")]);
    // An environment can't be moved into its place: this says that it is whole.
    mkdirSync(join(folder, "is-whole"));
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return command;
}

function execute(command: string, args: readonly string[]): { readonly stdout: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: command === "kcat" ? READ_MS_MAX : INSTALL_MS_MAX,
    maxBuffer: 1 << 28,
  });
  if (status !== 0)
    throw new Error(
      `${command} ${args.join(" ")} failed: ${error?.message ?? ""} ${`${stdout}${stderr}`.slice(-2000)}`,
    );
  return { stdout };
}

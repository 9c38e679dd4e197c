import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POM = join(import.meta.dirname, "pom.xml");
/** Outside the repository proper and gone with `node_modules`. The version is that of the pom. */
const CACHE = join(import.meta.dirname, "..", "..", "node_modules", ".cache", "oddlink", "kafka-4.4.0");
const JARS = join(CACHE, "jars");
/** Made by the first broker that stops cleanly; with it a broker is ready in half the time. */
export const CLASS_ARCHIVE = join(CACHE, "classes.jsa");

/** Ten seconds where it was measured, with an empty local repository. */
const FETCH_MS_MAX = 300_000;
const POLL_MS = 100;

/**
 * Folder with the jars of a broker, fetched once by Maven.
 *
 * @throws {Error} with one line on what to install if Java or Maven is missing
 */
export async function kafkaJars(): Promise<string> {
  requireCommand("java", ["-version"]);
  if (existsSync(JARS)) return JARS;
  requireCommand("mvn", ["-version"]);
  mkdirSync(CACHE, { recursive: true });
  // One process fetches, the others wait for it: Maven's local repository is not made for two at once.
  const lock = join(CACHE, "fetching");
  const deadlineMs = Date.now() + FETCH_MS_MAX;
  while (!acquire(lock)) {
    if (Date.now() > deadlineMs) throw new Error(`${lock} was not released: remove it if no test is running`);
    await sleep(POLL_MS);
  }
  try {
    // Another process may have fetched them meanwhile.
    if (!existsSync(JARS)) await fetchJars();
  } finally {
    rmdirSync(lock);
  }
  return JARS;
}

function requireCommand(command: string, args: readonly string[]): void {
  if (spawnSync(command, args, { stdio: "ignore" }).error !== undefined) {
    throw new Error(
      `${command} was not found: the tests on a real Kafka broker need Java 17 or newer and Maven ` +
        "(Debian: apt install openjdk-17-jre-headless maven; macOS: brew install openjdk maven)",
    );
  }
}

/** True if the lock is ours now. A lock that its holder left behind lapses. */
function acquire(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const takenMs = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
    if (takenMs !== undefined && Date.now() - takenMs > FETCH_MS_MAX)
      rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

async function fetchJars(): Promise<void> {
  // Renamed when complete, so that a killed fetch leaves nothing that looks like jars.
  const partial = `${JARS}.${process.pid}`;
  const copy = ["dependency:copy-dependencies", "-DincludeScope=runtime", `-DoutputDirectory=${partial}`];
  const maven = spawn("mvn", ["-B", "-q", "-f", POM, ...copy], { timeout: FETCH_MS_MAX });
  let output = "";
  maven.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  maven.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const status = await new Promise((resolve) => maven.once("close", resolve));
  if (status !== 0 || readdirSync(partial).length === 0) {
    rmSync(partial, { recursive: true, force: true });
    throw new Error(`Maven could not fetch the jars of the Kafka broker: ${output.slice(-2000)}`);
  }
  renameSync(partial, JARS);
}

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Outside the repository proper and gone with `node_modules`. */
const CACHE = join(import.meta.dirname, "..", "..", "node_modules", ".cache", "oddlink");
/** The version is that of the pom. */
const BROKER = "kafka-4.4.0";
/** Made by the first broker that stops cleanly; with it a broker is ready in half the time. */
export const CLASS_ARCHIVE = join(CACHE, BROKER, "classes.jsa");

/** Ten seconds where it was measured, with an empty local repository. */
const FETCH_MS_MAX = 300_000;
const POLL_MS = 100;

/** Folder with the jars of a broker. */
export function kafkaJars(): Promise<string> {
  return mavenJars(join(import.meta.dirname, "pom.xml"), BROKER);
}

/**
 * Folder with the jars that a pom names, fetched once by Maven.
 *
 * @param name of the folder in the cache: another one for another version of the pom
 * @throws {Error} with one line on what to install if Java or Maven is missing
 */
export async function mavenJars(pom: string, name: string): Promise<string> {
  const jars = join(CACHE, name, "jars");
  requireCommand("java", ["-version"]);
  if (existsSync(jars)) return jars;
  requireCommand("mvn", ["-version"]);
  mkdirSync(join(CACHE, name), { recursive: true });
  // One process fetches, the others wait for it: Maven's local repository is not made for two at once.
  const lock = join(CACHE, "fetching");
  const deadlineMs = Date.now() + FETCH_MS_MAX;
  while (!acquire(lock)) {
    if (Date.now() > deadlineMs) throw new Error(`${lock} was not released: remove it if no test is running`);
    await sleep(POLL_MS);
  }
  try {
    // Another process may have fetched them meanwhile.
    if (!existsSync(jars)) await fetchJars(pom, jars);
  } finally {
    rmdirSync(lock);
  }
  return jars;
}

function requireCommand(command: string, args: readonly string[]): void {
  if (spawnSync(command, args, { stdio: "ignore" }).error !== undefined) {
    throw new Error(
      `${command} was not found: what needs a real Kafka broker needs Java 17 or newer and Maven ` +
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

async function fetchJars(pom: string, jars: string): Promise<void> {
  // Renamed when complete, so that a killed fetch leaves nothing that looks like jars.
  const partial = `${jars}.${process.pid}`;
  const copy = ["dependency:copy-dependencies", "-DincludeScope=runtime", `-DoutputDirectory=${partial}`];
  const maven = spawn("mvn", ["-B", "-q", "-f", pom, ...copy], { timeout: FETCH_MS_MAX });
  let output = "";
  maven.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  maven.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const status = await new Promise((resolve) => maven.once("close", resolve));
  if (status !== 0 || readdirSync(partial).length === 0) {
    rmSync(partial, { recursive: true, force: true });
    throw new Error(`Maven could not fetch the jars of ${pom}: ${output.slice(-2000)}`);
  }
  renameSync(partial, jars);
}

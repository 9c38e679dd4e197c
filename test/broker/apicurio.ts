import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

/** Runs on Java 17; 3.3 wants 21. */
const VERSION = "3.0.9";
const ARTIFACT = `io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`;
const RUNNER = `apicurio-registry-app-${VERSION}-runner.jar`;
/** Outside the repository proper and gone with `node_modules`. */
const CACHE = join(import.meta.dirname, "..", "..", "node_modules", ".cache", "oddlink");
const FOLDER = join(CACHE, `apicurio-${VERSION}`);

/** 104 MiB to fetch. */
const FETCH_MS_MAX = 300_000;
/** Two to thirteen seconds where it was measured. */
const START_MS_MAX = 90_000;
const POLL_MS = 100;

/** A real schema registry that keeps everything in memory. */
export type Apicurio = {
  /** Base of its Confluent-compatible API. */
  readonly url: string;
  /** Registers a schema by the plain REST API; resolves to its id. */
  register(subject: string, schema: unknown, more?: object): Promise<number>;
  /** Ends the process. Without effect if it has ended. */
  stop(): Promise<void>;
};

/**
 * Starts a registry on a port of the loopback interface. It is gone after the test.
 *
 * @param port undefined for a free one
 * @throws {Error} with one line on what to install if Java or Maven is missing
 */
export async function startApicurio(t: TestContext, port?: number): Promise<Apicurio> {
  const jar = join(fetched(), RUNNER);
  const chosen = port ?? (await freePort());
  const child = spawn(
    "java",
    ["-Xmx512m", "-Dquarkus.http.host=127.0.0.1", `-Dquarkus.http.port=${chosen}`, "-jar", jar],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  t.after(() => ended(child));
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (log = (log + chunk.toString()).slice(-10_000)));
  }
  const url = `http://127.0.0.1:${chosen}/apis/ccompat/v7`;
  const deadlineMs = Date.now() + START_MS_MAX;
  for (;;) {
    const response = await fetch(`${url}/subjects`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) break;
    if (child.exitCode !== null || Date.now() > deadlineMs) throw new Error(`Apicurio did not start: ${log}`);
    await sleep(POLL_MS);
  }
  return {
    url,
    stop: () => ended(child),
    async register(subject, schema, more = {}) {
      const response = await fetch(`${url}/subjects/${subject}/versions`, {
        method: "POST",
        headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
        body: JSON.stringify({ schema: JSON.stringify(schema), ...more }),
      });
      const answer = (await response.json()) as { id?: number };
      if (answer.id === undefined) throw new Error(`was not registered: ${JSON.stringify(answer)}`);
      return answer.id;
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  await closed;
}

/** Folder of the unpacked registry, fetched once by Maven. */
function fetched(): string {
  requireCommand("java", "-version");
  if (existsSync(join(FOLDER, RUNNER))) return FOLDER;
  requireCommand("mvn", "-version");
  requireCommand("tar", "--version");
  // Renamed when complete, so that a killed fetch leaves nothing that looks whole.
  const partial = `${FOLDER}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    const copy = [`-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${partial}`];
    execute("mvn", ["-B", "-q", "dependency:copy", ...copy]);
    const archive = readdirSync(partial).find((file) => file.endsWith(".tar.gz"));
    execute("tar", ["-xzf", join(partial, archive!), "-C", partial]);
    rmSync(join(partial, archive!));
    renameSync(partial, FOLDER);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    // Another process was faster.
    if (!existsSync(join(FOLDER, RUNNER))) throw error;
  }
  return FOLDER;
}

function requireCommand(command: string, versionFlag: string): void {
  if (spawnSync(command, [versionFlag], { stdio: "ignore" }).error !== undefined) {
    throw new Error(
      `${command} was not found: the tests on a real schema registry need Java 17 or newer, Maven and tar ` +
        "(Debian: apt install openjdk-17-jre-headless maven; macOS: brew install openjdk maven)",
    );
  }
}

function execute(command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", timeout: FETCH_MS_MAX });
  if (status !== 0)
    throw new Error(`${command} ${args.join(" ")} failed: ${`${stdout}${stderr}`.slice(-2000)}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

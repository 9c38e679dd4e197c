import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

const MAIN = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");
export const EXAMPLE = join(import.meta.dirname, "..", "..", "examples", "lanl");
/** The one data file of the example; the directory holds others, and a run says that it skips them. */
export const EXAMPLE_FILE = join(EXAMPLE, "auth.txt.gz");

/** No process of a test may outlive this, unless it says so. */
const TIMEOUT_MS = 120_000;

export type Finished = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export type StartOptions = {
  readonly env?: Record<string, string>;
  /** A descriptor that takes the place of the pipe from its standard output. */
  readonly stdout?: number;
  /** It is ended after that in any case; two minutes if left out. */
  readonly timeoutMs?: number | undefined;
  /** What is started in place of the command line. */
  readonly main?: string | undefined;
  /** A module that is loaded into the process before anything else. */
  readonly faulty?: string | undefined;
};

/** Starts `oddlink` as users do, with no settings from outside. */
export function start(args: readonly string[], options: StartOptions = {}): ChildProcess {
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env, NO_COLOR: "1" };
  delete env["NODE_TEST_CONTEXT"];
  const { main = MAIN, stdout = "pipe", timeoutMs = TIMEOUT_MS, faulty } = options;
  const preloaded = faulty === undefined ? [] : ["--import", faulty];
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...preloaded, main, ...args], {
    env,
    // Others than `oddlink` can be told something.
    stdio: main === MAIN && faulty === undefined ? ["pipe", stdout, "pipe"] : ["pipe", stdout, "pipe", "ipc"],
    timeout: timeoutMs,
  });
}

/** Runs `oddlink` to its end. `input` is written to its standard input. */
export async function run(
  args: readonly string[],
  options: StartOptions & { readonly input?: string | Uint8Array } = {},
): Promise<Finished> {
  const child = start(args, options);
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr!.on("data", (chunk: Buffer) => errors.push(chunk));
  // A process that ends before it has read everything is not an error of the test's.
  child.stdin!.on("error", () => {});
  child.stdin!.end(options.input ?? "");
  const code = await ended(child);
  return { code, stdout: Buffer.concat(output).toString(), stderr: Buffer.concat(errors).toString() };
}

/** Exit code, or null if a signal ended it. */
export function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("close", (code) => resolve(code));
    child.once("error", reject);
  });
}

/** A folder that is gone after the test, also when it fails. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "oddlink-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

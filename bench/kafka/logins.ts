import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const EXAMPLE = join(import.meta.dirname, "..", "..", "examples", "lanl", "auth.txt.gz");
/** The example is a small organisation; so many of them, each with users and hosts of its own, make a large one. */
const DEPARTMENTS = 60;
const OUTCOMES: Readonly<Record<string, string>> = { Success: "success", Fail: "failure" };

/** Logins of the example as JSON lines of 190 bytes or so, those of the departments in turn, each with its time first. */
export function loginLines(): string[] {
  const rows = gunzipSync(readFileSync(EXAMPLE))
    .toString()
    .trimEnd()
    .split("\n")
    .map((row) => row.split(","))
    .filter(([, , , , , , , orientation]) => orientation === "LogOn");
  return rows.flatMap((row) =>
    Array.from({ length: DEPARTMENTS }, (_, department) => loginLine(row, department)),
  );
}

function loginLine(row: readonly string[], department: number): string {
  const [, user, targetUser, sourceHost, targetHost, authType, logonType, , outcome] = row;
  const account = (name: string): string => name.replace(/\$?@/, (end) => `-${department}${end}`);
  const known = (type: string): string => (type === "?" ? "" : type);
  return JSON.stringify({
    // The generator puts the time here.
    timeMs: 1_000_000_000_000,
    user: account(user!),
    targetUser: account(targetUser!),
    sourceHost: `${sourceHost}-${department}`,
    targetHost: `${targetHost}-${department}`,
    authType: known(authType!),
    logonType: known(logonType!),
    outcome: OUTCOMES[outcome!] ?? "unknown",
  });
}

export type Generation = {
  /** Folder of the jars of this bench. */
  readonly jars: string;
  readonly brokers: string;
  readonly topic: string;
  /** Of lines that `loginLines` made. */
  readonly file: string;
  /** Line to begin with, in a file that comes round and round. */
  readonly first: number;
  readonly count: number;
  /** Logins a second; undefined for as fast as can be. */
  readonly rate?: number | undefined;
  /** How long what is generated lasts by the times of its logins, the last of which is now. Undefined: each is now. */
  readonly spanMs?: number | undefined;
  /** Ends it before all are written. */
  readonly signal?: AbortSignal;
};

/** Writes logins to a topic, in a process of its own, and returns when all are written, or it was ended. */
export async function generate(options: Generation): Promise<void> {
  const { jars, brokers, topic, file, first, count, rate = 0, spanMs, signal } = options;
  const program = join(import.meta.dirname, "Generator.java");
  const times = spanMs === undefined ? [] : [Math.round(Date.now() - spanMs), spanMs / count];
  const numbers = [first, count, rate, ...times].map(String);
  const child = spawn(
    "java",
    ["-Xmx768m", "-cp", join(jars, "*"), program, brokers, topic, file, ...numbers],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  signal?.addEventListener("abort", kill);
  const [code] = (await once(child, "close")) as [number | null];
  process.off("exit", kill);
  if (code !== 0 && signal?.aborted !== true) throw new Error(`the generator ended with ${code}`);
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const STOP_MS_MAX = 5_000;
const POLL_MS = 200;

/** Processes that a cluster consists of; all are ended, whatever became of it. */
export class Processes {
  readonly #folder: string;
  readonly #running: { readonly name: string; readonly child: ChildProcess }[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Starts a program, with a log of its own. */
  start(command: string, name: string, args: readonly string[]): void {
    const log = openSync(this.#logOf(name), "a");
    const child = spawn(command, args, { cwd: this.#folder, stdio: ["ignore", log, log] });
    this.#running.push({ name, child });
  }

  /** Waits until something is so. @throws {Error} with the end of a log if a process ended first, or it takes too long */
  async until(what: string, isSo: () => boolean | Promise<boolean>, msMax: number): Promise<void> {
    const deadlineMs = Date.now() + msMax;
    while (!(await isSo())) {
      const ended = this.#running.find(({ child }) => child.exitCode !== null || child.signalCode !== null);
      if (ended !== undefined) throw new Error(`${ended.name} ended:\n${this.#endOf(ended.name)}`);
      if (Date.now() > deadlineMs) throw new Error(`no ${what} after ${msMax} ms`);
      await sleep(POLL_MS);
    }
  }

  /** Ends them by their ids, the last one first. */
  async stop(): Promise<void> {
    for (const { child } of this.#running.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) continue;
      child.kill("SIGTERM");
      const ended = once(child, "exit").then(() => true);
      if (!(await Promise.race([ended, sleep(STOP_MS_MAX, false)]))) {
        child.kill("SIGKILL");
        await ended;
      }
    }
  }

  #logOf(name: string): string {
    return join(this.#folder, `${name}.log`);
  }

  #endOf(name: string): string {
    return readFileSync(this.#logOf(name), "utf8").slice(-2000);
  }
}

/** A port on loopback that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type Sample, samplesOf } from "../metrics/samples.ts";
import type { RunningWorker } from "./worker-cluster.ts";

/** What workers do is done within this, also on a busy machine. */
export const WAIT_MS_MAX = 60_000;

/** Asks until there is an answer. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  waitMsMax = WAIT_MS_MAX,
): Promise<T> {
  const deadlineMs = performance.now() + waitMsMax;
  for (;;) {
    const found = await ask().catch(() => undefined);
    if (found !== undefined) return found;
    assert.ok(performance.now() < deadlineMs, `waited in vain for ${what}`);
    await sleep(50);
  }
}

/** Where a process serves health and metrics alone. */
export function managementOf({ output }: RunningWorker): Promise<string> {
  return until("an address", async () => /management: (http:\/\/[^/]+)/.exec(output.stderr)?.[1]);
}

/** What a process says of itself by now. */
export async function scrape(url: string): Promise<Sample[]> {
  return samplesOf(await (await fetch(`${url}/metrics`)).text());
}

/** Where a worker serves. */
export function urlOf({ output }: RunningWorker): Promise<string> {
  return until("an address", async () => /http: (http:\/\/[^/]+)/.exec(output.stderr)?.[1]);
}

import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import { constants, getPriority } from "node:os";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

const MODULE = new URL("../../../src/engine/training/background-thread.ts", import.meta.url);

test("a thread that steps back has a lower priority, and nobody else has", async (t) => {
  if (process.platform !== "linux") return t.skip("threads have a priority of their own on Linux alone");
  const before = getPriority();
  const source = `
    const { parentPort } = require("node:worker_threads");
    const { readlinkSync } = require("node:fs");
    import(${JSON.stringify(MODULE.href)}).then(({ stepBack }) => {
      stepBack();
      parentPort.postMessage(Number(readlinkSync("/proc/thread-self").split("/").at(-1)));
      parentPort.once("message", () => {});
    });`;
  const worker = new Worker(source, { eval: true });
  t.after(() => worker.terminate());
  const thread = await new Promise<number>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  assert.equal(getPriority(thread), Math.max(before, constants.priority.PRIORITY_BELOW_NORMAL));
  assert.equal(getPriority(), before);
  assert.notEqual(Number(readlinkSync("/proc/thread-self").split("/").at(-1)), thread);
});

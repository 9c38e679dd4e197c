/**
 * Loaded into a process that uses kafkajs (`node --import`): ends or stops it at one request, exactly there.
 *
 *   FAILPOINT="REQUEST before|after COUNT SIGNAL"
 *
 * Before: the request is not sent. After: it is done at the broker, and the process does not live to know it.
 */
import { createRequire } from "node:module";

type Request = (...args: unknown[]) => Promise<unknown>;

const require = createRequire(import.meta.url);
const { prototype } = require("kafkajs/src/broker/index.js") as { prototype: Record<string, Request> };
const [request, when, count, signal] = (process.env["FAILPOINT"] ?? "").split(" ");
if (request) {
  const send = prototype[request];
  if (send === undefined) throw new Error(`kafkajs has no request ${request}`);
  let calls = 0;
  prototype[request] = async function (this: unknown, ...args) {
    const isIt = ++calls === Number(count);
    if (isIt && when === "before") fail();
    const answer = await send.apply(this, args);
    if (isIt && when === "after") fail();
    return answer;
  };
}

/** SIGKILL leaves nobody to go on from here; who was stopped does so when it is woken. */
function fail(): void {
  process.send?.("failed");
  process.kill(process.pid, signal);
}

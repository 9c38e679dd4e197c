/** One of the threads beside that which trains: does its part of each command, until it is told to stop. */
import { workerData } from "node:worker_threads";
import { type KernelThreadData, STEP, STOP } from "./commands.ts";
import { KernelPass } from "./kernel-pass.ts";
import { ThreadBarrier } from "./thread-barrier.ts";

const { words, command, phaseMsMax, ...options } = workerData as KernelThreadData;
const barrier = new ThreadBarrier(words, options.threads, phaseMsMax);
const pass = new KernelPass({ ...options, barrier });
barrier.wait();
for (;;) {
  // As long as it takes: between two steps links are drawn, and measured.
  barrier.wait(Number.POSITIVE_INFINITY);
  const [kind, graph, links, step] = command as unknown as readonly [number, number, number, number];
  if (kind === STOP) break;
  if (kind === STEP) pass.step(graph, links, step);
  else pass.forward();
}

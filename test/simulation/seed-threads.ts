import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const THREADS_MAX = 4;

type Job = { readonly seedModule: string; readonly seeds: readonly number[] };

/**
 * Runs `runSeed(seed)` of a module for many seeds, in threads: there the hooks of the test runner, which follow every promise,
 * do not make a simulation several times slower.
 *
 * @param module what exports `runSeed`; its results must be plain data
 * @returns the results in the order of the seeds
 */
export async function runSeeds<Result>(module: URL, seeds: readonly number[]): Promise<Result[]> {
  const threads = Math.min(THREADS_MAX, availableParallelism(), seeds.length);
  const shares = Array.from({ length: threads }, (_, i) => seeds.filter((_, j) => j % threads === i));
  const results = await Promise.all(shares.map((share) => runThread<Result>(module.href, share)));
  return seeds.map((_, j) => results[j % threads]![Math.floor(j / threads)]!);
}

function runThread<Result>(seedModule: string, seeds: readonly number[]): Promise<Result[]> {
  return new Promise((resolve, reject) => {
    const job: Job = { seedModule, seeds };
    const worker = new Worker(new URL(import.meta.url), { workerData: job, execArgv: [] });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`a thread ended with ${code}`)));
  });
}

if (!isMainThread && (workerData as Job | undefined)?.seedModule !== undefined) {
  const { seedModule, seeds } = workerData as Job;
  const { runSeed } = (await import(seedModule)) as { runSeed: (seed: number) => Promise<unknown> };
  const results: unknown[] = [];
  for (const seed of seeds) results.push(await runSeed(seed));
  parentPort!.postMessage(results);
}

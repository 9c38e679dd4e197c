import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const THREADS_MAX = 64;

type Job = { readonly seedModule: string; readonly argument: unknown };

export type SeedOptions<Result> = {
  /** As many as there are cores by default. */
  readonly threads?: number;
  /** Plain data that is passed with each seed. */
  readonly argument?: unknown;
  /** Told of each result as it comes, in no order. */
  readonly onResult?: (result: Result) => void;
  /** Asked before each seed: once true, no further one is begun. */
  readonly isEnough?: () => boolean;
};

/**
 * Runs `runSeed(seed, argument)` of a module for many seeds, in threads: there the hooks of the test runner, which follow every promise,
 * do not make a simulation several times slower. Each thread takes the next seed when it is done with one.
 *
 * @param module what exports `runSeed`; its results must be plain data
 * @returns the results in the order of the seeds, without those of seeds that were not begun
 */
export async function runSeeds<Result>(
  module: URL,
  seeds: readonly number[],
  options: SeedOptions<Result> = {},
): Promise<Result[]> {
  const { argument, onResult, isEnough } = options;
  const count = Math.min(options.threads ?? availableParallelism(), THREADS_MAX, seeds.length);
  const results: Result[] = [];
  let begun = 0;
  let isBroken = false;
  const next = (): number | undefined => {
    if (isBroken || begun === seeds.length || isEnough?.() === true) return undefined;
    return begun++;
  };
  const onDone = (place: number, result: Result): void => {
    results[place] = result;
    onResult?.(result);
  };
  const job: Job = { seedModule: module.href, argument };
  const runs = Array.from({ length: count }, () => runThread(job, seeds, next, onDone));
  // All threads are waited for, or those that are left would go on behind the back of who asked.
  for (const run of runs) run.catch(() => (isBroken = true));
  const failed = (await Promise.allSettled(runs)).find(({ status }) => status === "rejected");
  if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
  return results.filter(() => true);
}

/** Runs seeds one after the other until there is no next one. */
function runThread<Result>(
  job: Job,
  seeds: readonly number[],
  next: () => number | undefined,
  onDone: (place: number, result: Result) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: job, execArgv: [] });
    let place: number | undefined;
    const goOn = (): void => {
      place = next();
      worker.postMessage(place === undefined ? undefined : seeds[place]);
    };
    worker.on("message", (result: Result) => {
      try {
        onDone(place!, result);
        goOn();
      } catch (error) {
        reject(error);
        void worker.terminate();
      }
    });
    worker.once("error", reject);
    worker.once("exit", (code) =>
      code === 0 && place === undefined ? resolve() : reject(new Error(`a thread ended with ${code}`)),
    );
    goOn();
  });
}

if (!isMainThread && (workerData as Job | undefined)?.seedModule !== undefined) {
  const { seedModule, argument } = workerData as Job;
  const { runSeed } = (await import(seedModule)) as {
    runSeed: (seed: number, argument: unknown) => Promise<unknown>;
  };
  parentPort!.on("message", async (seed: number | undefined) => {
    if (seed === undefined) parentPort!.close();
    else parentPort!.postMessage(await runSeed(seed, argument));
  });
}

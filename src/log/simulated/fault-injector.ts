import type { SimulatedCluster } from "./cluster.ts";
import { FAULT_INTERVAL_MS, FaultBudget, type FaultName, type FaultPlan } from "./fault-plan.ts";
import type { CutWay } from "./network.ts";
import { pickOne, type RandomStream, uniform } from "./random-streams.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

const BROKER_DOWN_MS_MAX = 5000;
const TAIL_DELAY_MS_MAX = 5000;
const TAIL_SLOW_FOR_MS_MAX = 10_000;
const STORM_REBALANCES_MAX = 6;
const STORM_GAP_MS_MAX = 1500;
const CUT_WAYS: readonly CutWay[] = ["both ways", "to the broker", "from the broker"];
const CLOCK_WRONG_MS_MAX = 3_600_000;

/** Lets the faults of a plan happen that no request provokes, until it is stopped. */
export class FaultInjector {
  readonly budget: FaultBudget;
  readonly #cluster: SimulatedCluster;
  readonly #random: RandomStream;
  readonly #onKilled: (process: SimulatedProcess) => void;
  #isStopped = false;

  /** @param onKilled told of each process that was killed, to start another one if it likes */
  constructor(
    cluster: SimulatedCluster,
    plan: FaultPlan,
    random: RandomStream,
    onKilled: (process: SimulatedProcess) => void,
  ) {
    this.#cluster = cluster;
    this.#random = random;
    this.#onKilled = onKilled;
    this.budget = new FaultBudget(plan, random);
    this.#schedule();
  }

  /** True if no fault has struck so far. */
  get isIdle(): boolean {
    return Object.values(this.budget.counts).every((count) => count === 0);
  }

  /** Kills a process now, one that runs or any of those, whatever the plan says. */
  forceKill(process = pickOne(this.#random, this.#running())): void {
    if (process?.state !== "running") return;
    this.budget.force("kill");
    this.#kill(process);
  }

  /** No new fault; who is paused goes on now, and what was begun otherwise ends by itself. */
  stop(): void {
    this.#isStopped = true;
    for (const process of this.#cluster.processes()) process.resume();
  }

  #schedule(): void {
    this.#cluster.time.schedule(FAULT_INTERVAL_MS, () => {
      if (this.#isStopped) return;
      this.#strike();
      this.#schedule();
    });
  }

  #strike(): void {
    const cluster = this.#cluster;
    this.#on("kill", this.#running(), (process) => this.#kill(process));
    this.#on("pause", this.#running(), (process) => this.#pause(process));
    this.#on("brokerRestart", ["broker"], () =>
      cluster.restartBroker(uniform(this.#random, 20, BROKER_DOWN_MS_MAX)),
    );
    this.#on("slowTail", cluster.tails(), ({ process, topic, partitions }) => {
      const delayMs = uniform(this.#random, 0, TAIL_DELAY_MS_MAX);
      const forMs = uniform(this.#random, 0, TAIL_SLOW_FOR_MS_MAX);
      cluster.slowTail(process.name, topic, this.#random.nextInt(partitions), delayMs, forMs);
    });
    this.#on("compaction", cluster.compactedPartitions(), (log) => {
      const span = log.lastStableOffset - log.low;
      const isWhole = this.#random.nextFloat() < 0.5;
      const bound = isWhole ? log.lastStableOffset : log.low + this.#random.nextInt(span + 1);
      cluster.compact(log.topic, log.partition, bound);
    });
    this.#on("rebalanceStorm", cluster.groups(), (group) => {
      let atMs = 0;
      for (let i = 1 + this.#random.nextInt(STORM_REBALANCES_MAX); i > 0; i--) {
        cluster.time.schedule(atMs, () => cluster.rebalance(group));
        atMs += uniform(this.#random, 0, STORM_GAP_MS_MAX);
      }
    });
    this.#on("consumerCrash", this.#running(), (process) => {
      const consumer = pickOne(this.#random, cluster.consumersOf(process));
      consumer?.crash(new Error("simulated crash of a consumer"));
    });
    this.#on("cutOff", this.#running(), (process) => {
      const way = pickOne(this.#random, CUT_WAYS)!;
      cluster.cutOff(process.name, way, this.#awayMs());
    });
    this.#on("clockJump", this.#running(), (process) =>
      process.setClock(uniform(this.#random, -CLOCK_WRONG_MS_MAX, CLOCK_WRONG_MS_MAX)),
    );
  }

  #running(): SimulatedProcess[] {
    return this.#cluster.processes().filter(({ state }) => state === "running");
  }

  #on<T>(name: FaultName, targets: readonly T[], happen: (target: T) => void): void {
    if (targets.length === 0 || !this.budget.strikes(name)) return;
    happen(pickOne(this.#random, targets)!);
  }

  #kill(process: SimulatedProcess): void {
    process.kill();
    this.#onKilled(process);
  }

  #pause(process: SimulatedProcess): void {
    const forMs = this.#awayMs();
    process.pause();
    this.#cluster.time.schedule(forMs, () => process.resume());
  }

  /** A third each: shorter than the session, about as long as it, longer than a transaction may last. */
  #awayMs(): number {
    const { sessionTimeoutMs, transactionTimeoutMs } = this.#cluster.timings;
    const longestMs = [0.9 * sessionTimeoutMs, 1.5 * sessionTimeoutMs, 1.5 * transactionTimeoutMs];
    return uniform(this.#random, 1, pickOne(this.#random, longestMs)!);
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import { ended } from "../processes/oddlink.ts";
import type { KafkaBroker } from "./kafka-broker.ts";
import { LosingProxy } from "./losing-proxy.ts";
import type { RunningWorker, Scope, Summary, WorkerCluster } from "./worker-cluster.ts";
import type { Death, WorkerFaults } from "./worker-faults.ts";

export const SLOTS = 4;
/** A worker that has ended has a successor after this. */
const RESTART_MS = 100;
/** A worker that was asked to stop has done so by then, or it is stuck. */
const STOP_MS_MAX = 30_000;
/** What a worker says that has met a bug, or does not trust the state. Brokers that are away may end one: it has a successor. */
const UNEXPECTED = /^Node\.js v|^oddlink: .*(stored|graph-state)/m;

export type Slot = {
  readonly place: number;
  /** Between its worker and the broker. */
  readonly proxy: LosingProxy;
  worker: RunningWorker | undefined;
  /** True while there is to be a worker: one that ends has a successor. */
  isWanted: boolean;
};

/** Up to four workers, each behind a proxy of its own, and somebody who starts those anew that have ended. */
export class WorkerSlots {
  readonly slots: readonly Slot[];
  /** What workers said that ended by themselves, with a code other than 0. */
  readonly failures: string[] = [];
  /** What workers said that did not stop when they were asked to. */
  readonly stuck: string[] = [];
  readonly #cluster: WorkerCluster;
  readonly #faults: WorkerFaults;
  #nextDeath: Death | undefined;

  /** @param proxies in front of the broker, one for each slot; see `proxiesOf` */
  constructor(cluster: WorkerCluster, proxies: readonly LosingProxy[], faults: WorkerFaults) {
    this.#cluster = cluster;
    this.#faults = faults;
    this.slots = proxies.map((proxy, place) => ({ place, proxy, worker: undefined, isWanted: false }));
  }

  get running(): Slot[] {
    return this.slots.filter(({ worker }) => worker !== undefined);
  }

  /** Starts or stops workers, the stopped ones in good order, until there are so many. */
  async scaleTo(count: number): Promise<void> {
    const surplus = this.slots.slice(count).map((slot) => this.stop(slot));
    for (const slot of this.slots.slice(0, count)) this.start(slot);
    await Promise.all(surplus);
  }

  start(slot: Slot): void {
    slot.isWanted = true;
    if (slot.worker !== undefined) return;
    const death = this.#nextDeath;
    this.#nextDeath = undefined;
    const worker = this.#cluster.startFaulty(
      { ...this.#faults, ...(death === undefined ? {} : { death }) },
      { ODDLINK_KAFKA_BROKERS: `127.0.0.1:${slot.proxy.port}` },
    );
    slot.worker = worker;
    void ended(worker.process).then(async (code) => {
      slot.worker = undefined;
      if (code !== null && code !== 0) this.failures.push(`${worker.name}: ${code}: ${worker.output.stderr}`);
      await sleep(RESTART_MS);
      if (slot.isWanted) this.start(slot);
    });
  }

  /**
   * Asks a worker to stop, and waits.
   *
   * @returns what it said in the end; nothing if it had not come so far as to hear that it is to stop
   */
  async stop(slot: Slot): Promise<Summary | undefined> {
    slot.isWanted = false;
    const { worker } = slot;
    if (worker === undefined) return undefined;
    const { process, output, name } = worker;
    const timer = setTimeout(() => {
      this.stuck.push(`${name}: ${output.stderr}`);
      process.kill("SIGKILL");
    }, STOP_MS_MAX);
    process.kill("SIGTERM");
    const code = await ended(process);
    clearTimeout(timer);
    return code === 0 ? (JSON.parse(output.stdout) as Summary) : undefined;
  }

  /** Ends a worker at once, and waits until it is gone; it has a successor. */
  async kill({ worker }: Slot): Promise<void> {
    if (worker === undefined) return;
    const gone = ended(worker.process);
    worker.process.kill("SIGKILL");
    await gone;
  }

  /** Kills all of them, and nobody comes after them. */
  async end(): Promise<void> {
    for (const slot of this.slots) slot.isWanted = false;
    await Promise.all(this.running.map((slot) => this.kill(slot)));
  }

  /** The next worker that starts dies there. */
  killNext(death: Death): void {
    this.#nextDeath = death;
  }

  /** Makes a worker kill itself. @returns false if it did not come there in time */
  async killAt({ worker }: Slot, death: Death, limitMs: number): Promise<boolean> {
    if (worker === undefined) return false;
    const gone = ended(worker.process).then(() => true);
    worker.process.send?.(death, () => {});
    return Promise.race([gone, sleep(limitMs, false)]);
  }

  /** What those said that are running, and those that failed. */
  get lastWords(): string[] {
    const running = this.running.map(({ worker }) => `${worker!.name} is running: ${worker!.output.stderr}`);
    return [...this.failures, ...running];
  }

  /** Failures that no broker's being away explains. */
  get unexpected(): string[] {
    return this.failures.filter((failure) => UNEXPECTED.test(failure));
  }
}

/** Listens for a proxy for each slot. */
export function listenForSlots(t: Scope): Promise<LosingProxy[]> {
  return Promise.all(Array.from({ length: SLOTS }, () => LosingProxy.listen(t)));
}

/** Tells the proxies where the broker is. */
export function connectSlots(proxies: readonly LosingProxy[], broker: KafkaBroker): void {
  for (const [place, proxy] of proxies.entries()) proxy.forwardTo(broker.proxiedPort(place));
}

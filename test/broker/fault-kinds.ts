import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../src/model/random.ts";
import { ended } from "../processes/oddlink.ts";
import type { Feeder } from "./feeder.ts";
import type { KafkaBroker } from "./kafka-broker.ts";
import { END_TXN, type Link, PRODUCE } from "./losing-proxy.ts";
import type { WorkerCluster } from "./worker-cluster.ts";
import type { Death, FaultPoint } from "./worker-faults.ts";
import type { Slot, WorkerSlots } from "./worker-slots.ts";

/** What faults are done to. */
export type Scene = {
  readonly random: Random;
  readonly broker: KafkaBroker;
  readonly cluster: WorkerCluster;
  readonly slots: WorkerSlots;
  readonly feeder: Feeder;
  /** Of a worker: silent for longer, it has its partitions taken. */
  readonly sessionMs: number;
  /** Users who come at once for the first time. */
  readonly strangers: number;
  /** Publishes one more model. */
  publishEpoch(): Promise<void>;
  /** Hands what is in the topic of dead letters to the verifier, once. */
  collectDeadLetters(): Promise<void>;
};

/**
 * What a fault tells of itself when it has begun: how long it goes on, which the partitions may stand still longer for, and
 * when all of it is over.
 */
export type Injected = {
  readonly lastsMs: number;
  readonly over: Promise<unknown>;
  /** What it has become, where it did not go as it was meant to. */
  readonly name?: string;
};

export type FaultKind = {
  readonly name: string;
  inject(scene: Scene): Promise<Injected>;
};

/** How long a worker may take to come to a point, ms. */
const POINT_MS_MAX = 8000;
const POINT_PASSES_MAX = 4;
/** Segments after which a worker dies in its restore. */
const RESTORE_PASSES_MAX = 20;
const BROKER_PAUSE_MS = 2000;
const CUT_MS = 2000;
const SLOW_MS = 2500;
const SLOW_DELAY_MS = 100;
const MISSING_MS = 1500;
const SETTLE_MS = 300;
const LOSSES = 2;

const AT_RANDOM = "kill -9 at random";
const BEGUN: Injected = { lastsMs: 0, over: Promise.resolve() };

/** Kills at a point that workers come to as they commit. */
const killedAt = (point: FaultPoint): FaultKind => ({
  name: `kill -9 ${point}`,
  async inject(scene) {
    const death = { point, pass: 1 + scene.random.nextInt(POINT_PASSES_MAX) };
    return killAt(scene, oneOf(scene), death);
  },
});

const badLink = (name: string, link: Link): FaultKind => ({
  name,
  async inject(scene) {
    const { proxy } = oneOf(scene);
    proxy.link = link;
    const over = sleep(CUT_MS).then(() => {
      proxy.link = "whole";
    });
    return { lastsMs: CUT_MS, over };
  },
});

const lost = (name: string, request: number): FaultKind => ({
  name,
  async inject(scene) {
    const { proxy } = oneOf(scene);
    proxy.lose("answer", request, LOSSES);
    for (let waitedMs = 0; proxy.losses > 0 && waitedMs < POINT_MS_MAX; waitedMs += 20) await sleep(20);
    return BEGUN;
  },
});

export const FAULT_KINDS: readonly FaultKind[] = [
  {
    name: AT_RANDOM,
    async inject(scene) {
      await sleep(scene.random.nextInt(SETTLE_MS));
      await scene.slots.kill(oneOf(scene));
      return BEGUN;
    },
  },
  ...(["before-produce", "after-produce", "after-offsets", "before-commit", "after-commit"] as const).map(
    killedAt,
  ),
  {
    name: "kill -9 mid-restore",
    async inject(scene) {
      const { slots, random } = scene;
      slots.killNext({ point: "mid-restore", pass: 1 + random.nextInt(RESTORE_PASSES_MAX) });
      const slot = oneOf(scene);
      await slots.kill(slot);
      await dies(slot);
      return BEGUN;
    },
  },
  killedAt("mid-merge"),
  killedAt("after-sum"),
  {
    name: "kill -9 mid-adoption",
    async inject(scene) {
      const slot = oneOf(scene);
      const dead = killAt(scene, slot, { point: "mid-adoption", pass: 1 + scene.random.nextInt(2) });
      await scene.publishEpoch();
      return dead;
    },
  },
  {
    name: "zombie",
    async inject(scene) {
      const { worker } = oneOf(scene);
      worker?.process.kill("SIGSTOP");
      const lastsMs = 2 * scene.sessionMs;
      const over = sleep(lastsMs).then(() => worker?.process.kill("SIGCONT"));
      return { lastsMs, over };
    },
  },
  {
    name: "double handover",
    async inject(scene) {
      await killAt(scene, oneOf(scene), { point: "after-produce", pass: 1 });
      await sleep(scene.sessionMs + SETTLE_MS);
      await killAt(scene, oneOf(scene), { point: "after-commit", pass: 1 });
      return BEGUN;
    },
  },
  {
    name: "broker kill -9",
    async inject({ broker }) {
      await broker.kill();
      await broker.start();
      return BEGUN;
    },
  },
  {
    name: "broker paused",
    async inject({ broker }) {
      broker.pause();
      await sleep(BROKER_PAUSE_MS);
      broker.resume();
      return BEGUN;
    },
  },
  badLink("link cut", "cut"),
  badLink("link half-open", "half-open"),
  {
    name: "link slow",
    async inject(scene) {
      const { proxy } = oneOf(scene);
      proxy.delayMs = SLOW_DELAY_MS;
      const over = sleep(SLOW_MS).then(() => {
        proxy.delayMs = 0;
      });
      return { lastsMs: SLOW_MS, over };
    },
  },
  lost("answer to commit lost", END_TXN),
  lost("answer to records lost", PRODUCE),
  {
    name: "scaled 1, 4, 2",
    async inject({ slots, sessionMs }) {
      for (const count of [1, 4, 2]) {
        await slots.scaleTo(count);
        await sleep(sessionMs);
      }
      return BEGUN;
    },
  },
  {
    name: "rolling restart",
    async inject({ slots }) {
      for (const slot of slots.running) {
        await slots.stop(slot);
        slots.start(slot);
      }
      return BEGUN;
    },
  },
  {
    name: "new users at once",
    async inject({ feeder, strangers }) {
      feeder.addStrangers(strangers);
      return BEGUN;
    },
  },
  {
    name: "dead-letter topic gone",
    async inject(scene) {
      const { slots, cluster } = scene;
      // Stopped in good order first: what is written to a topic while somebody deletes it, nobody can save.
      const count = slots.running.length;
      await slots.scaleTo(0);
      await scene.collectDeadLetters();
      await cluster.deleteDeadLetters();
      await slots.scaleTo(count);
      await sleep(MISSING_MS);
      await cluster.createDeadLetters();
      return BEGUN;
    },
  },
  {
    name: "login that breaks scoring",
    async inject({ feeder, cluster, random }) {
      feeder.addPoison(random.nextInt(cluster.partitions));
      return BEGUN;
    },
  },
];

function oneOf({ slots, random }: Scene): Slot {
  const { running } = slots;
  return running[random.nextInt(running.length)] ?? slots.slots[0]!;
}

/** A worker that does not come there, having nothing to do, is killed where it is. */
async function killAt({ slots }: Scene, slot: Slot, death: Death): Promise<Injected> {
  if (await slots.killAt(slot, death, POINT_MS_MAX)) return BEGUN;
  await slots.kill(slot);
  return { ...BEGUN, name: AT_RANDOM };
}

/** Waits until the worker that comes next in a slot is gone too. */
async function dies(slot: Slot): Promise<void> {
  for (let waitedMs = 0; slot.worker === undefined && waitedMs < POINT_MS_MAX; waitedMs += 20)
    await sleep(20);
  if (slot.worker === undefined) return;
  const timer = setTimeout(() => slot.worker?.process.kill("SIGKILL"), POINT_MS_MAX);
  await ended(slot.worker.process);
  clearTimeout(timer);
}

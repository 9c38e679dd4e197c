/**
 * Claims: a refresh by warm start, of a graph of 17,000 entities, 140,000 links and 40 relations, takes 5 seconds on two cores
 * while logins are scored, and their 99th percentile is at most 20 % worse meanwhile; and putting an epoch in force makes a
 * login wait for 20 ms at most.
 *
 *   npx node bench/refresh.ts [--rate 1000] [--rounds 5] [--quiet-seconds 5]
 *
 * Logins are scored and added by the engine's own `Scoring`, at a fixed rate whether it keeps up or not; latency is the time from
 * when a login was due. Each round has a quiet part, and one in which an epoch is trained from the one before, encoded, read
 * back as from the log, and put in force. What a quiet part has is the opponent.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { loadConfig } from "../src/config/load.ts";
import { EpochReader } from "../src/engine/epoch-records.ts";
import { Scoring } from "../src/engine/scoring.ts";
import { trainEpoch } from "../src/engine/training/train-epoch.ts";
import type { Login } from "../src/ingest/login.ts";
import type { Epoch } from "../src/model/epoch.ts";
import { decodeInThread } from "../src/model/epoch-thread.ts";
import { Random } from "../src/model/random.ts";
import { login, loginBytes } from "../test/graph-state/logins.ts";
import { printTable, text } from "./table.ts";

const { values: options } = parseArgs({
  options: {
    rate: { type: "string", default: "1000" },
    rounds: { type: "string", default: "5" },
    "quiet-seconds": { type: "string", default: "5" },
  },
});
const LOGINS_PER_SECOND = Number(options.rate);
const ROUNDS = Number(options.rounds);
const QUIET_MS = Number(options["quiet-seconds"]) * 1000;
const GOAL_REFRESH_SECONDS = 5;
const GOAL_SWAP_MS = 20;
const GOAL_P99_RATIO = 1.2;

const USERS = 7_000;
const HOSTS = 10_000;
const LINKS = 140_000;
const AUTH_TYPES = 13;
const MS_PER_HOUR = 3_600_000;
const DAYS = 10;
const START_MS = 20_000 * 24 * MS_PER_HOUR;
const SEED = 1;

const random = new Random(SEED, "bench/refresh");

/** Most entities have few links and some have many, as in any network. */
function popular(count: number): number {
  return Math.floor(count * random.nextFloat() ** 3);
}

function drawn(timeMs: number): Login {
  const user = popular(USERS);
  return login({
    timeMs,
    user: `U${user}`,
    sourceHost: `C${random.nextFloat() < 0.8 ? user : popular(HOSTS)}`,
    targetHost: `C${popular(HOSTS)}`,
    authType: `A${popular(AUTH_TYPES)}`,
  });
}

const config = loadConfig({
  environment: process.env,
  flags: {
    links: ["user-sourceHost", "user-targetHost", "sourceHost-targetHost"].map((pair) => {
      const [from, to] = pair.split("-");
      return { from, to, relation: "authType" };
    }),
    seed: SEED,
  },
});
const scoring = new Scoring(config, () => true);
let offset = 0;

/** One login as the engine has it. */
function take(drawnLogin: Login): void {
  const bytes = loginBytes(drawnLogin);
  scoring.advance(drawnLogin.timeMs);
  scoring.score(bytes, 0);
  scoring.add(bytes, 0, offset++);
}

/** Milliseconds that each login was late, at a fixed rate until `isOver`. */
async function paced(isOver: () => boolean): Promise<number[]> {
  const lateMs: number[] = [];
  const startedMs = performance.now();
  for (let i = 0; !isOver(); ) {
    const dueMs = startedMs + (i * 1000) / LOGINS_PER_SECOND;
    const waitMs = dueMs - performance.now();
    if (waitMs > 1) await sleep(1);
    else if (waitMs > 0) await nextTurn();
    else {
      take(drawn(eventTimeMs));
      eventTimeMs += 1000 / LOGINS_PER_SECOND;
      lateMs.push(performance.now() - dueMs);
      // Other work has its turn as it has between the batches of the engine.
      if (++i % 64 === 0) await nextTurn();
    }
  }
  return lateMs;
}

/**
 * Puts an epoch in force as a worker does with one that it reads from the log. Logins are scored meanwhile.
 *
 * @returns the longest time for which none was, from the first record on until the epoch is in force, milliseconds
 */
async function adopt(epoch: Epoch): Promise<number> {
  const publisher = new EpochReader({ onEpoch: () => {}, onUnusable: () => {} });
  const records = publisher.publication(epoch);
  const reader = new EpochReader({
    decode: decodeInThread,
    onEpoch: (decoded) => {
      scoring.adopt(decoded);
      take(drawn(eventTimeMs));
    },
    onUnusable: (error) => {
      throw error;
    },
  });
  await nextTurn();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (const record of records) reader.read(record);
  await reader.settled();
  await nextTurn();
  delay.disable();
  return delay.max / 1e6;
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))]!;

let eventTimeMs = START_MS;
while (scoring.graph.linkCount < LINKS) {
  take(drawn(eventTimeMs));
  eventTimeMs += (DAYS * 24 * MS_PER_HOUR) / (LINKS / 2);
}
const { linkCount, entityCount } = scoring.graph;
console.log(`${text(entityCount)} entities, ${text(linkCount)} pairs; the first epoch, from nothing`);
let epoch = await trainEpoch(scoring.graph, config, 1, eventTimeMs);
const { manifest } = epoch;
console.log(
  `${text(manifest.linkCount)} links, ${manifest.relationNames.length} relations, ${manifest.losses.length} steps`,
);
await adopt(epoch);

const quiet: number[] = [];
const busy: number[] = [];
const refreshSeconds: number[] = [];
const steps: number[] = [];
const stallMs: number[] = [];
const swapMs: number[] = [];
for (let round = 1; round <= ROUNDS; round++) {
  const untilMs = performance.now() + QUIET_MS;
  quiet.push(quantile(await paced(() => performance.now() >= untilMs), 0.99));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const startedMs = performance.now();
  let isDone = false;
  const training = trainEpoch(scoring.graph, config, round + 1, eventTimeMs, { previous: epoch })
    .then(async (trained) => {
      swapMs.push(await adopt(trained));
      epoch = trained;
      refreshSeconds.push((performance.now() - startedMs) / 1000);
      steps.push(trained.manifest.losses.length);
    })
    .finally(() => {
      isDone = true;
    });
  busy.push(quantile(await paced(() => isDone), 0.99));
  await training;
  delay.disable();
  stallMs.push(delay.max / 1e6);
}

console.log(`${LOGINS_PER_SECOND} logins/s, ${steps.join(", ")} steps`);
printTable("", [
  { name: "refresh by warm start, s", values: refreshSeconds, goal: { value: GOAL_REFRESH_SECONDS } },
  { name: "p99 of a login without it, ms", values: quiet },
  { name: "p99 of a login beside it, ms", values: busy },
  {
    name: "ratio of the two",
    values: busy.map((ms, i) => ms / quiet[i]!),
    goal: { value: GOAL_P99_RATIO },
  },
  { name: "longest stall beside it, ms", values: stallMs },
  {
    name: "longest stall while it is read and put in force, ms",
    values: swapMs,
    goal: { value: GOAL_SWAP_MS },
  },
]);

/**
 * Claim: 200 clients on the stream of alerts, and one that reads nothing, do not make logins wait: the 99th percentile of a login is that
 * of the same rounds without them, within 20 %.
 *
 *   npx node bench/listeners.ts [--rate 1000] [--alerts 50] [--rounds 5] [--seconds 5]
 *
 * Logins are scored and added by the engine's own `Scoring`, at a fixed rate whether it keeps up or not, and alerts are told of at a fixed rate;
 * latency is the time from when a login was due. The listeners are another process. Rounds without them are the opponent, taken in turn.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { toFinding } from "../src/alerts/finding.ts";
import { Verdicts } from "../src/alerts/verdicts.ts";
import { loadConfig } from "../src/config/load.ts";
import { openConsole } from "../src/console/console.ts";
import { IncidentFeed } from "../src/console/incident-feed.ts";
import { Scoring } from "../src/engine/scoring.ts";
import { emptyTotals } from "../src/engine/totals.ts";
import { Random } from "../src/model/random.ts";
import { STOLEN } from "../test/alerts/odd-logins.ts";
import { WELL } from "../test/console/console-stage.ts";
import { login, loginBytes } from "../test/graph-state/logins.ts";
import { printTable } from "./table.ts";

const { values: options } = parseArgs({
  options: {
    rate: { type: "string", default: "1000" },
    alerts: { type: "string", default: "50" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "5" },
  },
});
const LOGINS_PER_SECOND = Number(options.rate);
const ALERTS_PER_SECOND = Number(options.alerts);
const ROUNDS = Number(options.rounds);
const ROUND_MS = Number(options.seconds) * 1000;
const LISTENERS = 200;
const GOAL_P99_RATIO = 1.2;
const USERS = 5000;
const WARM_UP_LOGINS = 200_000;
const START_MS = 20_000 * 86_400_000;
const FINDING = toFinding(STOLEN);

/** Opens so many connections, reads all but one of them, and says when they are there. */
const LISTENER_SCRIPT = `
const { request } = require("node:http");
let open = 0;
for (let i = 0; i <= ${LISTENERS}; i++) {
  const asked = request(process.argv[1], { agent: false }, (response) => {
    if (i < ${LISTENERS}) response.resume();
    else response.pause();
    response.on("error", () => {});
    if (++open > ${LISTENERS}) process.stdout.write("ready");
  });
  asked.on("error", () => {});
  asked.end();
}
`;

const config = loadConfig({ environment: {}, flags: { "training.mode": "off" } });
const scoring = new Scoring(config, () => true);
const random = new Random(1, "bench/listeners");
const feed = new IncidentFeed();
const served = await openConsole({
  host: "127.0.0.1",
  port: 0,
  feed,
  operations: WELL,
  engine: {
    graph: scoring.graph,
    totals: emptyTotals(),
    epoch: undefined,
    knownEpochs: [],
    threshold: 0,
    partitions: [],
    isRestored: true,
    isRebuilding: false,
    verdicts: new Verdicts(),
    judge: async () => {},
    groupPeaks: () => scoring.groupPeaks(),
    probe: (probed) => scoring.probe(probed),
  },
  onBug: (error) => {
    throw error;
  },
});

let offset = 0;
let eventTimeMs = START_MS;
let alerts = 0;

function take(): void {
  const user = random.nextInt(USERS);
  const taken = login({
    timeMs: eventTimeMs,
    user: `U${user}`,
    sourceHost: `C${user}`,
    targetHost: `S${random.nextInt(USERS)}`,
  });
  const bytes = loginBytes(taken);
  scoring.advance(taken.timeMs);
  scoring.score(bytes, 0);
  scoring.add(bytes, 0, offset++);
  eventTimeMs += 1000 / LOGINS_PER_SECOND;
}

/** 99th percentile of the milliseconds that logins were late. */
async function round(): Promise<number> {
  const lateMs: number[] = [];
  const startedMs = performance.now();
  let told = 0;
  for (let i = 0; performance.now() - startedMs < ROUND_MS; ) {
    const dueMs = startedMs + (i * 1000) / LOGINS_PER_SECOND;
    const waitMs = dueMs - performance.now();
    if (waitMs > 1) await sleep(1);
    else if (waitMs > 0) await nextTurn();
    else {
      take();
      if (told < (i * ALERTS_PER_SECOND) / LOGINS_PER_SECOND) {
        told++;
        feed.add({ ...FINDING, metadata: { ...FINDING.metadata, uid: `a${alerts++}` } });
      }
      lateMs.push(performance.now() - dueMs);
      // Other work has its turn as it has between the batches of the engine.
      if (++i % 64 === 0) await nextTurn();
    }
  }
  return lateMs.toSorted((a, b) => a - b)[Math.floor(0.99 * lateMs.length)]!;
}

async function listeners(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["-e", LISTENER_SCRIPT, `${served.url}/api/v1/events`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout!, "data");
  return child;
}

for (let i = 0; i < WARM_UP_LOGINS; i++) take();
await round();
const without: number[] = [];
const beside: number[] = [];
for (let i = 0; i < ROUNDS; i++) {
  without.push(await round());
  const child = await listeners();
  beside.push(await round());
  child.kill("SIGKILL");
  await once(child, "close");
}
await served.close();

printTable(
  `${LOGINS_PER_SECOND} logins/s, ${ALERTS_PER_SECOND} alerts/s, ${LISTENERS} listeners and a stuck one`,
  [
    { name: "p99 of a login without them, ms", values: without },
    { name: "p99 of a login beside them, ms", values: beside },
    {
      name: "ratio of the two",
      values: beside.map((ms, i) => ms / without[i]!),
      goal: { value: GOAL_P99_RATIO },
    },
  ],
);

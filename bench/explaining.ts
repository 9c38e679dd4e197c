/**
 * Claim: what an alert is compared with (nearest normal login, expected hosts, last times) takes at most a millisecond.
 *
 *   npx node bench/explaining.ts [LOGINS] [ROUNDS]    default 1,000,000 and 5
 *
 * A graph of generated logins of 10,000 accounts, an epoch of the default width that nobody trained, and one target that all accounts log on to. Asked
 * are odd logins of known accounts from strange hosts, and such to the hub; measured is the mean time of one, beside that of reasons and usual values.
 */
import { loadConfig } from "../src/config/load.ts";
import { Scoring } from "../src/engine/scoring.ts";
import { digestOf } from "../src/graph-state/digest.ts";
import type { Login } from "../src/ingest/login.ts";
import { Random } from "../src/model/random.ts";
import { trainingInput } from "../src/model/training/training-input.ts";
import { login, loginBytes } from "../test/graph-state/logins.ts";
import { untrainedEpoch } from "../test/model/epochs.ts";
import { printTable } from "./table.ts";

const LOGINS = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = Number(process.argv[3] ?? 5);
const USERS = 10_000;
const SERVERS = 2_000;
const ASKED = 500;
const GOAL_US = 1_000;
const DIMENSIONS = 32;
const START_MS = 20_000 * 86_400_000;
const STEP_MS = Math.floor((20 * 86_400_000) / LOGINS);

const random = new Random(1, "explaining");
const config = loadConfig({ environment: {}, flags: { "training.mode": "off" } });
const scoring = new Scoring(config, () => true);
for (let i = 0; i < LOGINS; i++) {
  const user = random.nextInt(USERS);
  const isHub = random.nextFloat() < 0.1;
  const server = (user * 7 + random.nextInt(20) * (1 + random.nextInt(20))) % SERVERS;
  const bytes = loginBytes(
    login({
      timeMs: START_MS + i * STEP_MS,
      user: `U${user}`,
      sourceHost: random.nextFloat() < 0.8 ? `W${user}` : `T${(user + random.nextInt(8)) % 500}`,
      targetHost: isHub ? "hub" : `S${server}`,
      authType: random.nextFloat() < 0.7 ? "Kerberos" : "NTLM",
    }),
  );
  scoring.advance(START_MS + i * STEP_MS);
  scoring.graph.names.find(bytes, scoring.facts.ids);
  scoring.graph.apply(bytes, scoring.facts.ids);
}
scoring.adopt(untrainedEpoch(1, 1, trainingInput(scoring.graph), DIMENSIONS));

const nowMs = START_MS + LOGINS * STEP_MS;
const odd = (what: (i: number) => Partial<Login>) =>
  Array.from({ length: ASKED }, (_, i) =>
    loginBytes(login({ timeMs: nowMs, authType: "NTLM", user: `U${i * 13}`, ...what(i) })),
  );
const kinds = {
  "from another's host": odd((i) => ({ sourceHost: `W${i * 13 + 7}`, targetHost: `S${(i * 31) % SERVERS}` })),
  "from a shared host": odd((i) => ({ sourceHost: `T${i}`, targetHost: `S${(i * 31) % SERVERS}` })),
  "from a new host": odd((i) => ({ sourceHost: `X${i}`, targetHost: `S${(i * 31) % SERVERS}` })),
  "to a hub": odd((i) => ({ sourceHost: `X${i}`, targetHost: "hub" })),
  "of a stranger to a hub": odd((i) => ({ user: `stranger${i}`, sourceHost: `X${i}`, targetHost: "hub" })),
};

const digest = digestOf(scoring.graph);
const compared = new Map(Object.keys(kinds).map((kind) => [kind, [] as number[]]));
const probed = new Map(Object.keys(kinds).map((kind) => [kind, [] as number[]]));
for (let round = 0; round <= ROUNDS; round++) {
  for (const [kind, asked] of Object.entries(kinds)) {
    let [spentMs, probedMs] = [0, 0];
    for (const bytes of asked) {
      // Reads the facts, as an alert has done it by then.
      const beganMs = performance.now();
      scoring.probe(bytes);
      const betweenMs = performance.now();
      scoring.comparer.compare(bytes, scoring.facts);
      probedMs += betweenMs - beganMs;
      spentMs += performance.now() - betweenMs;
    }
    // The first round warms up.
    if (round === 0) continue;
    compared.get(kind)!.push((spentMs / asked.length) * 1_000);
    probed.get(kind)!.push((probedMs / asked.length) * 1_000);
  }
}
if (digestOf(scoring.graph) !== digest) throw new Error("explaining has changed the graph");
console.log(`${scoring.graph.linkCount} links of ${scoring.graph.entityCount} entities\n`);
printTable("us to compare one login", [
  ...[...compared].map(([name, values]) => ({ name, values, goal: { value: GOAL_US } })),
  ...[...probed].map(([name, values]) => ({
    name: `${name}: scored, with reasons, usual values and this`,
    values,
  })),
]);

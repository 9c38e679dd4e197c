import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { Engine } from "../../src/engine/engine.ts";
import { RollBack, rolledBackText } from "../../src/engine/roll-back.ts";
import { WholeMerging } from "../../src/engine/segment-merging.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import { findSources } from "../../src/ingest/sources.ts";
import { EmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import { type Epoch, promoted } from "../../src/model/epoch.ts";
import { trainingInput } from "../../src/model/training/training-input.ts";
import { REAL_TIME } from "../../src/time.ts";
import { flatEpoch, untrainedEpoch } from "../model/epochs.ts";
import { temporaryFolder } from "../processes/oddlink.ts";

const HOURS = 105;
/** Trainings are due 60, 72, 84 and 96 hours after the first login; under the third epoch every login is odd. */
const BAD = 3;

/** Eight users on their own hosts, one of them every ten minutes. */
function writeLogins(folder: string): string {
  const file = join(folder, "auth.txt");
  const rows = Array.from({ length: HOURS * 6 }, (_, i) => {
    const user = i % 8;
    return `${i * 600},U${user}@D,U${user}@D,C${user},C${100 + (i % 3)},Kerberos,Network,LogOn,Success`;
  });
  writeFileSync(file, `${rows.join("\n")}\n`);
  return file;
}

/** @param dieAfter logins after which it dies, without having committed what it is at */
async function runOn(
  folder: string,
  name: string,
  { flags = {}, dieAfter = Number.POSITIVE_INFINITY }: { flags?: object; dieAfter?: number } = {},
) {
  const config = loadConfig({
    environment: {},
    flags: {
      "training.firstAfterHours": 60,
      "training.linksMin": 1,
      detector: "link",
      // Every link is predicted, also one that is known.
      familiarAfterHours: 720,
      ...flags,
    },
  });
  const trained: (readonly [number: number, previous: number | undefined])[] = [];
  const takenBack: string[] = [];
  const log = await EmbeddedLog.open({
    sources: await findSources([writeLogins(folder)]),
    store: join(folder, name),
    recordBytesMax: 1 << 20,
  });
  let scored = 0;
  const engine = new Engine({
    config,
    log,
    time: REAL_TIME,
    merging: (state) => new WholeMerging(state),
    train: async (graph, _config, number, trainedAtMs, _signal, previous) => {
      trained.push([number, previous?.manifest.number]);
      return flatEpoch(number, trainedAtMs, trainingInput(graph), number === BAD ? 1e-6 : 1);
    },
    onScored: () => {
      if (++scored > dieAfter) throw new Error("killed");
    },
    onRolledBack: (epoch) => takenBack.push(rolledBackText(epoch)),
  });
  try {
    await engine.run().catch((error: Error) => {
      if (error.message !== "killed") throw error;
    });
    const epochs = [...log.store.values("epochs")].map(({ key, value }) => [
      key,
      Buffer.from(value).toString("hex"),
    ]);
    const findings = [...log.store.findings()].map(({ finding }) => JSON.parse(finding));
    return { engine, trained, takenBack, epochs, findings };
  } finally {
    await log.close();
  }
}

test("an epoch under which too much would alert is taken back, and the next training goes on from the one that came back", async (t) => {
  const { engine, trained, takenBack } = await runOn(temporaryFolder(t), "store.db");
  assert.deepEqual(trained, [
    [1, undefined],
    [2, 1],
    [BAD, 2],
    [5, 4],
  ]);
  assert.deepEqual(takenBack, [
    "epoch 3 is taken back, epoch 4 is what epoch 2 was: 15 incidents would have alerted in the 3 hours after it, " +
      "more than 10 is too many for alertsPerDay 5",
  ]);
  assert.deepEqual([engine.totals.epochs, engine.totals.rollBacks, engine.totals.epochsRejected], [5, 1, 0]);
});

test("killed again and again, a replay takes the same epoch back at the same place", async (t) => {
  const folder = temporaryFolder(t);
  const through = await runOn(folder, "through.db");
  let last: Awaited<ReturnType<typeof runOn>> | undefined;
  let runs = 0;
  while (last?.engine.totals.consumed !== HOURS * 6 && runs < 40)
    last = await runOn(folder, "killed.db", { dieAfter: 20 + 20 * ++runs });
  assert.ok(last !== undefined && runs > 5, `${runs}`);
  assert.deepEqual(last.epochs, through.epochs);
  assert.deepEqual(last.findings, through.findings);
  assert.deepEqual(last.engine.totals, through.engine.totals);
});

for (const [what, flags] of [
  ["a fixed threshold", { threshold: 0.05 }],
  ["the gate off", { "training.gate": false }],
] as const) {
  test(`with ${what} nothing is taken back`, async (t) => {
    const { engine, trained } = await runOn(temporaryFolder(t), "store.db", { flags });
    assert.equal(engine.totals.rollBacks, 0);
    assert.deepEqual(
      trained.map(([number]) => number),
      [1, 2, BAD, 4],
    );
  });
}

test("an epoch that was in the shadow is judged by what comes after its promotion", () => {
  const config = loadConfig({ environment: {}, flags: {} });
  const graph = new Graph({ window: { days: 30, maxLinks: 10_000 } });
  graph.originMs = 0;
  for (let hour = 101; hour <= 102; hour++)
    for (let i = 0; i < 10; i++) graph.histograms.get("incident-peaks").record(hour, 200);
  const due = (last: Epoch): Epoch | undefined => {
    const rollBack = new RollBack(config);
    rollBack.adopted(untrainedEpoch(1));
    rollBack.adopted(last);
    return rollBack.due(graph, 103, 9);
  };
  assert.equal(due(untrainedEpoch(2)), undefined, "it was trained days before");
  const rolledBack = due(promoted(untrainedEpoch(2), 3, 100 * 3_600_000));
  assert.deepEqual([rolledBack?.manifest.number, rolledBack?.manifest.rolledBack?.from], [9, 3]);
});

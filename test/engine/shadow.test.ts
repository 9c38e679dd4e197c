import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { DetectionFinding } from "../../src/alerts/detection-finding.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Engine } from "../../src/engine/engine.ts";
import { WholeMerging } from "../../src/engine/segment-merging.ts";
import { findSources } from "../../src/ingest/sources.ts";
import { EmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import { sealEpoch } from "../../src/model/epoch.ts";
import { trainingInput } from "../../src/model/training/training-input.ts";
import { REAL_TIME } from "../../src/time.ts";
import { flatEpoch } from "../model/epochs.ts";
import { temporaryFolder } from "../processes/oddlink.ts";

const EXAMPLE = join(import.meta.dirname, "..", "..", "examples", "lanl", "auth.txt.gz");
const RECORDS = 13_999;

/**
 * A run on the example with a first epoch that finds nothing odd. The next ones find every link odd that is not known yet.
 *
 * @param challengers epochs that are trained after the first, into its shadow
 * @param dieAfter logins after which it dies, without having committed what it is at
 */
async function runOn(
  folder: string,
  name: string,
  { challengers = 2, isShadow = true, dieAfter = Number.POSITIVE_INFINITY, alertsPerDay = 0 } = {},
) {
  const config = loadConfig({
    environment: {},
    flags: {
      "training.shadow": isShadow,
      // Alerts of surprise come about with either.
      ...(alertsPerDay > 0 ? { alertsPerDay } : { threshold: 0.004 }),
      "outputs.scored": join(folder, `${name}.scored.jsonl`),
    },
  });
  const log = await EmbeddedLog.open({
    sources: await findSources([EXAMPLE]),
    store: join(folder, `${name}.db`),
    alertsShadowFile: join(folder, `${name}.shadow.jsonl`),
    recordBytesMax: 1 << 20,
  });
  const noted: number[] = [];
  let scored = 0;
  const engine = new Engine({
    config,
    log,
    time: REAL_TIME,
    merging: (state) => new WholeMerging(state),
    train: async (graph, _config, number, trainedAtMs, _signal, previous) => {
      const isFirst = previous === undefined;
      const input = trainingInput(graph);
      const epoch = flatEpoch(number, trainedAtMs, input, isFirst || number > 1 + challengers ? 1 : 1e-6);
      return sealEpoch({ ...epoch, manifest: { ...epoch.manifest, isChallenger: !isFirst } });
    },
    onScored: () => {
      if (++scored > dieAfter) throw new Error("killed");
    },
    onChallenger: ({ manifest }) => noted.push(manifest.number),
  });
  try {
    await engine.run().catch((error: Error) => {
      if (error.message !== "killed") throw error;
    });
    const findings = (table: "alerts" | "alerts_shadow") =>
      [...log.store.findings(0, table)].map(({ finding }) => JSON.parse(finding) as DetectionFinding);
    const epochs = [...log.store.values("epochs")].map(({ key }) => key);
    return { engine, noted, alerts: findings("alerts"), shadow: findings("alerts_shadow"), epochs };
  } finally {
    await log.close();
  }
}

const epochOf = (finding: DetectionFinding) =>
  (finding.evidences[0].data["epoch"] as { number: number }).number;

test("an epoch in the shadow scores and is told of, alerts nobody, and changes nothing of what the one in force does", async (t) => {
  const folder = temporaryFolder(t);
  const { engine, noted, alerts, shadow, epochs } = await runOn(folder, "shadow");
  assert.deepEqual([engine.epoch!.manifest.number, engine.totals.epochs], [1, 1]);
  assert.deepEqual(noted, [2, 3]);
  assert.equal(engine.totals.alertsShadow, shadow.length);
  assert.ok(shadow.length > 20, `${shadow.length}`);
  assert.deepEqual([...new Set(shadow.map(epochOf))], [2, 3]);
  for (const { is_alert, metadata, finding_info } of shadow) {
    assert.equal(is_alert, false);
    assert.deepEqual(metadata.labels, ["shadow"]);
    assert.notEqual(finding_info.analytic.name, "presence");
  }
  const uids = [...alerts, ...shadow].map(({ metadata }) => metadata.uid);
  assert.equal(new Set(uids).size, uids.length);
  const incidents = new Set(shadow.map(({ finding_info }) => finding_info.uid));
  assert.ok(alerts.every(({ finding_info }) => !incidents.has(finding_info.uid)));
  const file = readFileSync(join(folder, "shadow.shadow.jsonl"), "utf8").trimEnd().split("\n");
  assert.deepEqual(
    file.map((line) => JSON.parse(line)),
    shadow,
  );
  // The one in force, and the one in its shadow.
  assert.deepEqual(
    epochs.filter((key) => key.endsWith("/manifest")).map((key) => Number(key.slice(0, 8))),
    [1, 2, 3],
  );

  const without = await runOn(folder, "without", { challengers: 0 });
  assert.equal(without.shadow.length < shadow.length, true);
  assert.ok(alerts.length > 8, "not presence alone");
  assert.deepEqual(without.alerts, alerts);
});

test("no budget counts what is raised in the shadow", async (t) => {
  const folder = temporaryFolder(t);
  const alertsPerDay = 50;
  const { alerts, shadow, engine } = await runOn(folder, "shadow", { alertsPerDay });
  const without = await runOn(folder, "without", { alertsPerDay, challengers: 0 });
  assert.ok(shadow.length > without.shadow.length && alerts.length > 8, `${shadow.length}, ${alerts.length}`);
  assert.deepEqual(without.alerts, alerts);
  assert.equal(without.engine.threshold, engine.threshold);
});

test("who has not turned the shadow on neither scores with such an epoch nor adopts it", async (t) => {
  const { engine, shadow, noted } = await runOn(temporaryFolder(t), "off", { isShadow: false });
  assert.deepEqual([engine.epoch!.manifest.number, shadow.length, noted], [1, 0, []]);
});

test("killed again and again, what is raised in the shadow is the same, each once", async (t) => {
  const folder = temporaryFolder(t);
  const through = await runOn(folder, "through");
  let last: Awaited<ReturnType<typeof runOn>> | undefined;
  let runs = 0;
  while (last?.engine.totals.consumed !== RECORDS && runs < 14)
    last = await runOn(folder, "killed", { dieAfter: 500 * ++runs });
  assert.ok(last !== undefined && runs > 3, `${runs}`);
  assert.deepEqual(last.shadow, through.shadow);
  assert.deepEqual(last.alerts, through.alerts);
  assert.deepEqual(last.engine.totals, through.engine.totals);
});

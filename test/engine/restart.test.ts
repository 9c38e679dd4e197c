import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { Engine } from "../../src/engine/engine.ts";
import { WholeMerging } from "../../src/engine/segment-merging.ts";
import { digestOf } from "../../src/graph-state/digest.ts";
import { findSources } from "../../src/ingest/sources.ts";
import { EmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import { REAL_TIME } from "../../src/time.ts";
import { halfYear } from "./half-year.ts";

type Result = {
  readonly digest: string;
  readonly findings: string[];
  readonly segments: number;
  readonly consumed: number;
};

async function runOn(file: string, store: string, mergeBytesMin: number): Promise<Result> {
  const config = loadConfig({
    environment: {},
    flags: { "training.mode": "off", "surprise.warmupHours": 1, "surprise.learnLogins": 20, alertsPerDay: 3 },
  });
  const log = await EmbeddedLog.open({ sources: await findSources([file]), store, recordBytesMax: 1 << 20 });
  try {
    const engine = new Engine({
      config,
      log,
      time: REAL_TIME,
      merging: (state) => new WholeMerging(state, mergeBytesMin),
      train: async () => {
        throw new Error("no training here");
      },
    });
    await engine.run();
    let segments = 0;
    log.follow("graph-state", () => segments++);
    return {
      digest: digestOf(engine.graph),
      findings: [...log.store.findings()].map(({ finding }) => finding),
      segments,
      consumed: engine.totals.consumed,
    };
  } finally {
    await log.close();
  }
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "oddlink-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

for (const [what, mergeBytesMin] of [
  ["kept", 1 << 30],
  ["merged now and then", 20_000],
  ["merged as often as can be", 0],
] as const) {
  test(`with segments ${what}, restarts over half a year change neither the graph nor an alert`, async (t) => {
    const folder = folderOf(t);
    const file = join(folder, "auth.txt");
    const rows = halfYear();
    writeFileSync(file, `${rows.join("\n")}\n`);
    const through = await runOn(file, join(folder, "through.db"), 1 << 30);
    assert.ok(through.findings.length > 10);

    let restarted: Result | undefined;
    const growing = join(folder, "growing", "auth.txt");
    for (let end = 300; restarted === undefined || restarted.consumed < rows.length; end += 300) {
      // The same file as it grows: each run is a restart.
      mkdirSync(join(folder, "growing"), { recursive: true });
      writeFileSync(growing, `${rows.slice(0, end).join("\n")}\n`);
      restarted = await runOn(growing, join(folder, "restarted.db"), mergeBytesMin);
    }
    assert.equal(restarted.digest, through.digest);
    assert.deepEqual(restarted.findings, through.findings);
    if (mergeBytesMin < 1 << 30) assert.ok(restarted.segments < through.segments / 2, "they were merged");
  });
}

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
import { Random } from "../../src/model/random.ts";
import { REAL_TIME } from "../../src/time.ts";

const DAY_SECONDS = 86_400;

/** Half a year of an organisation in which some links are always alive, some come and go, and some are weak. */
function halfYear(): string[] {
  const random = new Random(5, "half a year");
  const rows: string[] = [];
  for (let seconds = 0; seconds < 180 * DAY_SECONDS; seconds += 2 * 3600) {
    const user = random.nextInt(4);
    const season = Math.floor(seconds / (40 * DAY_SECONDS));
    const host = random.nextFloat() < 0.7 ? user : 10 + season * 5 + random.nextInt(5);
    const isWeak = random.nextFloat() < 0.1;
    const late = random.nextFloat() < 0.05 ? random.nextInt(3 * DAY_SECONDS) : 0;
    const time = Math.max(0, seconds - late);
    const auth = isWeak ? "NTLM" : "Kerberos";
    rows.push(
      `${time},U${user}@D,U${user}@D,C${host},C${100 + random.nextInt(6)},${auth},Network,LogOn,Success`,
    );
  }
  return rows;
}

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

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { Engine } from "../../src/engine/engine.ts";
import { WholeMerging } from "../../src/engine/segment-merging.ts";
import { digestOf } from "../../src/graph-state/digest.ts";
import { findSources } from "../../src/ingest/sources.ts";
import { EmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import { REAL_TIME } from "../../src/time.ts";
import { temporaryFolder } from "../processes/oddlink.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2026, 0);

/** A month of logins up to this very moment. */
const LOGINS = Array.from({ length: 1500 }, (_, i) =>
  JSON.stringify({
    timeMs: NOW_MS - (1499 - i) * HOUR_MS * 0.5,
    user: `U${i % 6}`,
    sourceHost: `C${i % 17 === 0 ? i % 40 : i % 6}`,
    targetHost: `C${100 + (i % 7)}`,
    authType: i % 19 === 0 ? "NTLM" : "Kerberos",
  }),
);

/** Runs with a clock that says what `shiftMs` makes of it, asked for the `n`th time. */
async function runOn(t: TestContext, shiftMs: (n: number) => number) {
  const folder = temporaryFolder(t);
  const file = join(folder, "logins.jsonl");
  writeFileSync(file, `${LOGINS.join("\n")}\n`);
  const log = await EmbeddedLog.open({ sources: await findSources([file]), recordBytesMax: 1 << 20 });
  let asked = 0;
  const engine = new Engine({
    config: loadConfig({
      environment: {},
      flags: { "training.mode": "off", "surprise.warmupHours": 1, "surprise.learnLogins": 20 },
    }),
    log,
    time: { ...REAL_TIME, now: () => NOW_MS + shiftMs(asked++) },
    merging: (state) => new WholeMerging(state),
    train: () => Promise.reject(new Error("no training here")),
  });
  try {
    await engine.run();
    const findings = [...log.store.findings()].map(({ finding }) => finding);
    return { findings, digest: digestOf(engine.graph), totals: engine.totals, asked };
  } finally {
    await log.close();
  }
}

test("a clock that jumps by an hour, back and forth, changes neither the graph nor an alert", async (t) => {
  const { asked, ...steady } = await runOn(t, () => 0);
  assert.ok(asked > LOGINS.length / 2, "the clock is asked");
  assert.ok(steady.findings.length > 3, "there are alerts");
  for (const shiftMs of [
    (n: number) => (n % 100 < 50 ? 0 : HOUR_MS),
    (n: number) => (n % 100 < 50 ? 0 : -HOUR_MS),
    (n: number) => (n < 500 ? HOUR_MS : -HOUR_MS),
  ]) {
    const { asked: _, ...jumping } = await runOn(t, shiftMs);
    assert.deepEqual(jumping, steady);
  }
});

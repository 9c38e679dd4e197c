import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { DetectionFinding } from "../../src/alerts/detection-finding.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Engine } from "../../src/engine/engine.ts";
import { WholeMerging } from "../../src/engine/segment-merging.ts";
import { findSources } from "../../src/ingest/sources.ts";
import { EmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import { Random } from "../../src/model/random.ts";
import { REAL_TIME } from "../../src/time.ts";

const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3600;

type Row = readonly [second: number, text: string];

function row(second: number, user: string, source: string, target: string): Row {
  return [second, `${second},${user}@D,${user}@D,${source},${target},Kerberos,Network,LogOn,Success`];
}

/** Thirty people at an ordinary pace: a few logins at once when they come, then one now and then. */
function ordinary(days: number): Row[] {
  const random = new Random(7, "ordinary days");
  const rows: Row[] = [];
  for (let day = 0; day < days; day++) {
    for (let person = 0; person < 30; person++) {
      let second = day * DAY_SECONDS + 8 * HOUR_SECONDS + random.nextInt(HOUR_SECONDS);
      for (let n = 0; n < 40; n++) {
        rows.push(row(second, `U${person}`, `WS${person}`, `SRV${random.nextInt(6)}`));
        second += n < 6 ? 2 + random.nextInt(10) : random.nextInt(1500);
      }
    }
  }
  return rows;
}

/** Workstation 17 tries many hosts within a few minutes. */
function scan(second: number, logins: number): Row[] {
  return Array.from({ length: logins }, (_, n) =>
    row(second + Math.floor(n / 4), "U17", "WS17", `T${n % 400}`),
  );
}

function textOf(rows: readonly Row[]): string {
  return rows
    .toSorted(([a], [b]) => a - b)
    .map(([, text]) => `${text}\n`)
    .join("");
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "oddlink-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** All findings of a file that is read once. */
async function allOf(
  t: TestContext,
  rows: readonly Row[],
  flags?: Readonly<Record<string, unknown>>,
): Promise<DetectionFinding[]> {
  const folder = folderOf(t);
  const file = join(folder, "auth.txt");
  writeFileSync(file, textOf(rows));
  return findingsOf(file, join(folder, "store.db"), flags);
}

/** Findings of a file, in the order in which they were raised; those of a store with the runs before. */
async function findingsOf(
  file: string,
  store: string,
  flags: Readonly<Record<string, unknown>> = {},
): Promise<DetectionFinding[]> {
  const config = loadConfig({ environment: {}, flags: { "training.mode": "off", ...flags } });
  const log = await EmbeddedLog.open({ sources: await findSources([file]), store, recordBytesMax: 1 << 20 });
  try {
    const engine = new Engine({
      config,
      log,
      time: REAL_TIME,
      merging: (state) => new WholeMerging(state, 1 << 20),
      train: async () => {
        throw new Error("no training here");
      },
    });
    await engine.run();
    return [...log.store.findings()].map(({ finding }) => JSON.parse(finding) as DetectionFinding);
  } finally {
    await log.close();
  }
}

const ofVolume = (findings: readonly DetectionFinding[]): DetectionFinding[] =>
  findings.filter(({ finding_info }) => finding_info.analytic.name === "volume");
const incidentsOf = (findings: readonly DetectionFinding[]): number =>
  new Set(findings.map(({ finding_info }) => finding_info.uid)).size;

/** Logins that are usual within half an hour, as the analyst reads it. */
function usualOf({ message }: DetectionFinding): number {
  const [, times] = /usual: (less than once|once|\d+ times)/.exec(message)!;
  return times === "less than once" ? 0 : times === "once" ? 1 : Number.parseInt(times!, 10);
}

async function volumeOf(
  t: TestContext,
  rows: readonly Row[],
  flags?: Readonly<Record<string, unknown>>,
): Promise<DetectionFinding[]> {
  return ofVolume(await allOf(t, rows, flags));
}

test("days at an ordinary pace raise no volume alert", async (t) => {
  assert.deepEqual(await volumeOf(t, ordinary(6)), []);
});

test("a scan of 400 hosts raises one volume incident of its source, and few alerts", async (t) => {
  const findings = await volumeOf(t, [...ordinary(4), ...scan(3.5 * DAY_SECONDS, 1600)]);
  assert.equal(incidentsOf(findings), 1);
  assert.ok(findings.length >= 1 && findings.length <= 8, `${findings.length} alerts`);
  const [first] = findings;
  assert.equal(first!.finding_info.title, "Unusual number of logins from WS17");
  assert.match(first!.message, /WS17 logged on to \d+ hosts, \d+ times within 30 minutes; usual: /);
  assert.equal(first!.finding_info.analytic.uid, "default/volume");
  const { signals } = first!.evidences[0].data as { signals: Record<string, number> };
  assert.ok(signals.volume! < 1e-6, `${signals.volume}`);
});

test("a target that many sources flood is one incident", async (t) => {
  const flood = Array.from({ length: 2000 }, (_, n) =>
    row(Math.floor(3.5 * DAY_SECONDS + n / 10), "U3", `WS${n % 30}`, "SRV0"),
  );
  const findings = await volumeOf(t, [...ordinary(4), ...flood]);
  const titles = new Set(findings.map(({ finding_info }) => finding_info.title));
  assert.ok(titles.has("Unusual number of logins to SRV0"), [...titles].join());
  assert.ok(incidentsOf(findings) <= 3, `${incidentsOf(findings)} incidents`);
});

test("of a flooded target the host is named that most of the logins come from, and nobody else is to be stopped", async (t) => {
  const flood = Array.from({ length: 2000 }, (_, n) =>
    row(Math.floor(3.5 * DAY_SECONDS + n / 10), "U3", n % 5 === 0 ? `WS${n % 30}` : "WS17", "SRV0"),
  );
  const findings = await volumeOf(t, [...ordinary(4), ...flood]);
  const ofTarget = findings.filter(({ finding_info }) => /logins to SRV0/.test(finding_info.title));
  assert.ok(ofTarget.length > 0);
  for (const { message, remediation } of ofTarget) {
    assert.match(message, /SRV0 was logged on to from \d+ hosts?, [^;]*most often from WS\d+ \(\d+\)/);
    assert.match(remediation.desc, /what logs on to SRV0 so often/);
  }
  assert.match(ofTarget.at(-1)!.message, /most often from WS17/);
});

test("a scan that comes again day after day is told every day, as one story", async (t) => {
  const days = [3, 4, 5, 6, 7];
  const scans = days.flatMap((day) => scan((day + 0.5) * DAY_SECONDS, 1600));
  const findings = await volumeOf(t, [...ordinary(8), ...scans]);
  const daysOf = findings.map(({ time }) => Math.floor(time / (1000 * DAY_SECONDS)));
  assert.deepEqual([...new Set(daysOf)], days);
  assert.equal(incidentsOf(findings), 1);
});

test("what came in a burst does not become usual: a scan of hours leaves what its source is used to as it was", async (t) => {
  const hours = Array.from({ length: 11 }, (_, hour) => scan(3 * DAY_SECONDS + hour * HOUR_SECONDS, 12_000));
  const findings = await volumeOf(t, [...ordinary(4), ...hours.flat()], { "volume.alertsPerDay": 10 });
  const slotOf = ({ time }: DetectionFinding): number => Math.floor(time / (4000 * HOUR_SECONDS));
  const slots = new Map(findings.map((finding) => [slotOf(finding), usualOf(finding)]));
  assert.equal(slots.size, 3, "told every four hours");
  assert.equal(incidentsOf(findings), 1);
  // 40 logins a day and what the first minutes let in, not the 132,000 of the scan.
  for (const usual of slots.values()) assert.ok(usual <= 3, `${usual} in half an hour`);
});

test("a scan with a stolen account is the presence tier's, and each of its alerts shows the burst too", async (t) => {
  const rows = [...ordinary(4), ...scan(3.5 * DAY_SECONDS, 400)].map(
    ([second, text]): Row => [
      second,
      text.includes(",T") ? text.replace(",WS17,", ",WS5,").replace("Kerberos", "NTLM") : text,
    ],
  );
  const findings = await allOf(t, rows);
  const scanned = findings.filter(({ message }) => message.includes(" from WS5 to T"));
  assert.equal(scanned.length, 400);
  assert.deepEqual(
    new Set(scanned.map(({ finding_info }) => finding_info.analytic.name)),
    new Set(["presence"]),
  );
  const { signals, reasons } = scanned.at(-1)!.evidences[0].data as {
    signals: Record<string, number>;
    reasons: { feature: string }[];
  };
  assert.ok(signals.presence! <= 1e-9 && signals.volume! < 1e-6);
  assert.deepEqual(
    reasons.slice(0, 2).map(({ feature }) => feature),
    ["strongEvidence", "sourceLogins"],
  );
  // What the host does next, with its owner's account, is still in the burst: that is the channel's one alert.
  assert.ok(ofVolume(findings).length <= 1);
});

test("volume alone as the detector raises the same incident under the budget of a run", async (t) => {
  const rows = [...ordinary(4), ...scan(3.5 * DAY_SECONDS, 1600)];
  const findings = await volumeOf(t, rows, { detector: "volume", alertsPerDay: 2 });
  assert.equal(incidentsOf(findings), 1);
  assert.deepEqual(await volumeOf(t, rows, { withoutSignal: "volume" }), []);
});

test("restarts in the middle of a scan change no alert", async (t) => {
  const folder = folderOf(t);
  const file = join(folder, "auth.txt");
  const text = textOf([...ordinary(4), ...scan(3.5 * DAY_SECONDS, 1600)]);
  writeFileSync(file, text);
  const through = await findingsOf(file, join(folder, "through.db"));
  assert.ok(ofVolume(through).length > 1, "a scan that grows");

  const lines = text.split("\n").slice(0, -1);
  const begin = lines.findIndex((line) => line.includes(",T0,"));
  const ends = [begin + 1, begin + 2, begin + 7, begin + 20, begin + 150, begin + 800, lines.length];
  // By the name of a file its records are told apart, and so are incidents.
  const growing = join(folder, "growing", "auth.txt");
  mkdirSync(join(folder, "growing"));
  let restarted: DetectionFinding[] = [];
  for (const end of ends) {
    // The same file as it grows: each run is a restart.
    writeFileSync(growing, `${lines.slice(0, end).join("\n")}\n`);
    restarted = await findingsOf(growing, join(folder, "restarted.db"));
  }
  const said = (findings: readonly DetectionFinding[]): unknown[] =>
    findings.map(({ message, finding_info, evidences, count }) => {
      const { signals, reasons } = evidences[0].data;
      return [message, finding_info.uid, finding_info.title, count, signals, reasons];
    });
  assert.deepEqual(said(restarted), said(through));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAIN } from "../../../src/cli/terminal/screen.ts";
import { type RunSummary, renderSummary } from "../../../src/cli/terminal/summary.ts";

function summary(changes: Partial<RunSummary> = {}): RunSummary {
  return {
    read: 20_003,
    consumed: 20_003,
    scored: 13_999,
    evidence: 5_800,
    ignored: 200,
    rejected: 3,
    duplicate: 1,
    alerts: 12,
    alertsShadow: 0,
    suppressed: 0,
    suppressedByRule: {},
    incidents: 4,
    epochs: 2,
    epochsRejected: 0,
    rollBacks: 0,
    seconds: 2.44,
    loginsPerSecond: 8197.9,
    stopped: false,
    graph: { entities: 1204, links: 9876, digest: "3f2a9c1d" },
    ignoredReasons: { "auth-map": 50, "log-off": 150, header: 0 },
    rejectedReasons: { "invalid-time": 2, "no-user": 1 },
    alertsBySignal: { surprise: 3, presence: 9 },
    resolution: {},
    sinks: {},
    decades: [...new Array(14).fill(0), 3, 9, 40, 350, 2100, 11_497],
    threshold: 1e-5,
    written: ["out/alerts.jsonl: 12 alerts (OCSF, JSON lines)"],
    notes: ["Nothing else was kept; with --store FILE a run can be continued."],
    ...changes,
  };
}

test("a run ends with what was read, found, learnt and written", () => {
  assert.deepEqual(renderSummary(summary(), PLAIN).split("\n"), [
    "Records  20,003 read in 2.4 s, 8,198 records/s",
    "  scored     13,999",
    "  evidence    5,800  added to the graph, not scored",
    "  ignored       200  log-off 150, auth-map 50",
    "  rejected        3  invalid-time 2, no-user 1",
    "  duplicate       1",
    "  together   20,003  adds up: every record is in one of the five",
    "Alerts   12 in 4 incidents: presence 9, surprise 3",
    "Model    2 epochs adopted",
    "Graph    1,204 entities, 9,876 links, digest 3f2a9c1d",
    "Scores   logins by score, the oddest first; bars grow with the logarithm",
    "  1e-6 .. 1e-5 |#######                                                 3",
    "  --- threshold 1.0e-5: alerts are above this line ---",
    "  1e-5 .. 1e-4 |############                                            9",
    "  1e-4 .. 1e-3 |####################                                   40",
    "  1e-3 .. 1e-2 |###############################                       350",
    "  1e-2 .. 1e-1 |#########################################           2,100",
    "  1e-1 .. 1    |################################################## 11,497",
    "Written",
    "  out/alerts.jsonl: 12 alerts (OCSF, JSON lines)",
    "Notes",
    "  Nothing else was kept; with --store FILE a run can be continued.",
  ]);
});

test("a run that goes on says what it read itself, and what it and the runs before read together", () => {
  const lines = renderSummary(summary({ read: 1003, loginsPerSecond: 411 }), PLAIN).split("\n");
  assert.deepEqual(lines.slice(0, 3), [
    "Records  1,003 read in 2.4 s, 411 records/s",
    "In all   20,003 with the runs before; so is what follows",
    "  scored     13,999",
  ]);
});

test("records that vanished, or were counted twice, are shouted about", () => {
  assert.match(
    renderSummary(summary({ duplicate: 0 }), PLAIN),
    /DOES NOT ADD UP: the five are 20,002, 1 missing/,
  );
  assert.match(
    renderSummary(summary({ duplicate: 3 }), PLAIN),
    /DOES NOT ADD UP: the five are 20,005, 2 too many/,
  );
});

test("an empty run is told without lists", () => {
  const text = renderSummary(
    summary({
      read: 0,
      consumed: 0,
      scored: 0,
      evidence: 0,
      ignored: 0,
      rejected: 0,
      duplicate: 0,
      alerts: 0,
      incidents: 0,
      epochs: 0,
      loginsPerSecond: 0,
      ignoredReasons: {},
      rejectedReasons: {},
      alertsBySignal: {},
      decades: new Array(20).fill(0),
      threshold: null,
      written: [],
      notes: [],
    }),
    PLAIN,
  );
  assert.match(text, /^Records {2}0 read in 2\.4 s\n/);
  assert.match(text, /\nAlerts {3}0 in 0 incidents\nModel {4}no epoch adopted\n/);
  assert.match(text, /\n {2}no scores yet$/);
});

test("single things are not in the plural, long runs are not in seconds", () => {
  const text = renderSummary(
    summary({ incidents: 1, epochs: 1, seconds: 4000, graph: { entities: 1, links: 1, digest: "0" } }),
    PLAIN,
  );
  assert.match(text, /in 1 h 6 min, /);
  assert.match(text, /1 incident: /);
  assert.match(text, /1 epoch adopted/);
  assert.match(text, /1 entity, 1 link, digest 0/);
});

test("the rarest of many reasons are summed up", () => {
  const reasons = Object.fromEntries("abcdefgh".split("").map((name, i) => [name, 10 - i]));
  assert.match(
    renderSummary(summary({ rejectedReasons: reasons }), PLAIN),
    / {2}a 10, b 9, c 8, d 7, e 6, f 5, other 7\n/,
  );
});

test("headings are bold and the histogram fits on a narrow terminal", () => {
  const text = renderSummary(summary(), { isLive: true, columns: 40, hasColor: true });
  assert(text.startsWith("\u001b[1mRecords\u001b[22m"));
  for (const line of text.split("\n").filter((each) => each.includes("|"))) assert(line.length <= 40);
});

test("a file's name can't repaint the screen", () => {
  const text = renderSummary(summary({ written: ["out\u001b[2J.jsonl"], notes: [] }), PLAIN);
  assert.match(text, /out\\u\{1b\}\[2J\.jsonl/);
});

test("a worker that was stopped says how much of what it read has to be read again", () => {
  const [, kept] = renderSummary(summary({ read: 20_009 }), PLAIN).split("\n");
  assert.equal(kept, "Kept     20,003, which follow; 6 were not committed and are read again");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { SCORE_BINS_PER_NAT } from "../../src/alerts/group-peaks.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Scoring } from "../../src/engine/scoring.ts";
import { loginBytes } from "../graph-state/logins.ts";
import { DAY_MS, ordinary, START_MS } from "./office.ts";

const DAYS = 4;
const HOUR_MS = 3_600_000;
const SLOT_MS = HOUR_MS / 2;

/** Some days of an office, and the oddest score of each user, source and half hour that was below a bound, presence left out. */
function scored(flags: Record<string, unknown>, bound: number) {
  const config = loadConfig({
    environment: {},
    flags: { "training.mode": "off", "surprise.warmupHours": 1, "surprise.learnLogins": 20, ...flags },
  });
  const scoring = new Scoring(config, () => true);
  const oddest = new Map<string, { readonly score: number; readonly endMs: number }>();
  let offset = 0;
  let lastMs = 0;
  for (const login of ordinary(START_MS + DAYS * DAY_MS)) {
    const bytes = loginBytes(login);
    scoring.advance(login.timeMs);
    const { score, signal } = scoring.score(bytes, 0);
    const slot = Math.floor(login.timeMs / SLOT_MS);
    const key = `${login.user}/${login.sourceHost}/${slot}`;
    const before = oddest.get(key)?.score ?? 1;
    if (signal === "surprise" && score < bound)
      oddest.set(key, { score: Math.min(before, score), endMs: (slot + 1) * SLOT_MS });
    scoring.add(bytes, 0, offset++);
    lastMs = login.timeMs;
  }
  scoring.advance(lastMs + HOUR_MS);
  // Whole days, and the hour left out that is not over.
  const hour = Math.floor((lastMs + HOUR_MS) / HOUR_MS);
  const { days } = scoring.groupPeaks();
  const ended = [...oddest.values()].filter(
    ({ endMs }) => endMs >= (hour - days * 24) * HOUR_MS && endMs < hour * HOUR_MS,
  );
  return { scoring, hours: { from: hour - days * 24, to: hour }, oddest: ended.map(({ score }) => score) };
}

function below(counts: readonly number[], place: number): number {
  return counts.slice(place).reduce((sum, count) => sum + count, 0);
}

test("with a fixed threshold, what another one would have given is what is counted of the incidents that ended", () => {
  const { scoring, oddest } = scored({ threshold: 0.01 }, 0.05);
  const { counts, days, scoreMax, alertsPerDay } = scoring.groupPeaks();
  assert.deepEqual([scoreMax, alertsPerDay], [0.05, null]);
  assert.ok(oddest.length > 20, `${oddest.length} incidents`);
  assert.equal(below(counts, 0), oddest.length);
  for (const place of [16, 24, 32]) {
    // The peak of an incident is kept to a thousandth of a nat.
    const bound = Math.exp(-place / SCORE_BINS_PER_NAT);
    const [low, high] = [bound * 0.999, bound * 1.001].map(
      (score) => oddest.filter((one) => one < score).length,
    );
    const count = below(counts, place);
    assert.ok(low! <= count && count <= high!, `${count} below ${bound}, ${low} to ${high}`);
  }
  assert.ok(days >= DAYS - 2 && days <= DAYS, `${days} days`);
});

test("with a budget they are those that the budget goes by", () => {
  const { scoring, hours } = scored({ alertsPerDay: 5 }, 0.05);
  const { counts, scoreMax, alertsPerDay } = scoring.groupPeaks();
  assert.deepEqual([scoreMax, alertsPerDay], [0.05, 5]);
  const held = scoring.graph.histograms.get("incident-peaks").all("incident-peaks");
  assert.equal(
    below(counts, 0),
    held
      .filter(({ hour }) => hour >= hours.from && hour < hours.to)
      .flatMap((hour) => hour.counts)
      .reduce((sum, count) => sum + count, 0),
  );
});

test("a fixed threshold above where budgets go has its incidents counted up to itself", () => {
  assert.equal(scored({ threshold: 0.3 }, 0.3).scoring.groupPeaks().scoreMax, 0.3);
});

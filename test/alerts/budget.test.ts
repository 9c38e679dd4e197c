import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AlertPolicy } from "../../src/alerts/alert-policy.ts";
import { AlertBudget, BUDGET_SCORE_MAX } from "../../src/alerts/budget.ts";
import { Facts } from "../../src/graph-state/facts.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import { Random } from "../../src/model/random.ts";
import { familiarAfterAnHour, login, loginBytes } from "../graph-state/logins.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function emptyGraph(): Graph {
  return new Graph({ window: { days: 30, maxLinks: 100_000 } });
}

type Incident = { readonly timeMs: number; readonly score: number };

/** Incidents of one login each: decided about when they come, counted half an hour later. */
class Stream {
  readonly graph: Graph = emptyGraph();
  readonly budget: AlertBudget;
  /** Alerts by day. */
  readonly alerts: number[] = [];
  readonly #open: Incident[] = [];

  constructor(alertsPerDay: number) {
    this.budget = new AlertBudget(this.graph, alertsPerDay);
  }

  add(incident: Incident): boolean {
    const { timeMs, score } = incident;
    this.graph.advance(timeMs);
    while (this.#open.length > 0 && this.#open[0]!.timeMs + 30 * MINUTE_MS <= timeMs) {
      this.budget.closed(-Math.log(this.#open.shift()!.score), timeMs);
    }
    const isAlert = score < this.budget.threshold(timeMs);
    if (isAlert) this.budget.issue(timeMs);
    const day = Math.floor(timeMs / DAY_MS);
    for (let begun = this.alerts.length; begun <= day; begun++) this.alerts.push(0);
    if (isAlert) this.alerts[day]!++;
    if (score < BUDGET_SCORE_MAX) this.#open.push(incident);
    return isAlert;
  }

  /** @param hours of the day, from and to, in which they come evenly */
  addDay(day: number, scores: readonly number[], hours: readonly [number, number] = [0, 24]): number {
    const apartMs = ((hours[1] - hours[0]) * HOUR_MS) / scores.length;
    for (const [i, score] of scores.entries()) {
      this.add({ timeMs: day * DAY_MS + hours[0] * HOUR_MS + (i + 0.5) * apartMs, score });
    }
    return this.alerts[day]!;
  }
}

/** Scores below 0.05 as tail probabilities are: uniform; `odder` divides them. */
function scores(random: Random, count: number, odder = 1): number[] {
  return Array.from({ length: count }, () => (random.nextUint32() / 2 ** 32) * (BUDGET_SCORE_MAX / odder));
}

/** A day of more odd logins than any budget allows. */
const FLOOD = new Array<number>(200).fill(1e-7);

/** Share of the days from `from` on that are within a fifth of the budget. */
function heldShare(stream: Stream, alertsPerDay: number, from: number): number {
  const days = stream.alerts.slice(from);
  return days.filter((alerts) => Math.abs(alerts - alertsPerDay) <= 0.2 * alertsPerDay).length / days.length;
}

describe("the budget is held within a fifth", () => {
  for (const alertsPerDay of [10, 50]) {
    test(`at ${alertsPerDay} a day, over weekdays and weekends, when incidents become more and odder`, () => {
      const stream = new Stream(alertsPerDay);
      const random = new Random(alertsPerDay, "scores");
      for (let day = 0; day < 60; day++) {
        const growth = 1 + day / 30;
        const count = (day % 7 < 5 ? 300 : 120) * growth;
        stream.addDay(day, scores(random, Math.round(count), day < 30 ? 1 : 5), [6, 22]);
      }
      assert(heldShare(stream, alertsPerDay, 1) >= 0.9, stream.alerts.join(" "));
    });
  }

  test("from the third day on, when incidents become a thirtieth", () => {
    const stream = new Stream(10);
    const random = new Random(1, "scores");
    for (let day = 0; day < 20; day++) stream.addDay(day, scores(random, 300, 10));
    for (let day = 20; day < 40; day++) stream.addDay(day, scores(random, 100));
    assert(heldShare(stream, 10, 22) >= 0.8, stream.alerts.join(" "));
  });
});

test("a week without logins does not loosen the threshold", () => {
  const stream = new Stream(10);
  const random = new Random(2, "scores");
  for (let day = 0; day < 15; day++) stream.addDay(day, scores(random, 300));
  const before = stream.budget.threshold(15 * DAY_MS + 1);
  stream.add({ timeMs: 22 * DAY_MS, score: 0.9 });
  const after = stream.budget.threshold(22 * DAY_MS + 1);
  assert(after < 2 * before, `${before} ${after}`);
});

test("no day has more than a fifth above N, however odd its logins", () => {
  const stream = new Stream(10);
  const random = new Random(1, "scores");
  for (let day = 0; day < 5; day++) stream.addDay(day, scores(random, 300));
  for (let day = 5; day < 15; day++) assert(stream.addDay(day, FLOOD) <= 12);
});

test("what a quiet day left over is spent on the next two days and no later", () => {
  const stream = new Stream(10);
  for (let day = 0; day < 6; day++) stream.addDay(day, FLOOD);
  assert.equal(stream.addDay(6, []) ?? 0, 0);
  const after = [7, 8, 9, 10].map((day) => stream.addDay(day, FLOOD));
  assert.deepEqual(after, [12, 12, 10, 10]);

  for (const day of [11, 12, 13]) stream.addDay(day, [0.9]);
  assert.deepEqual(
    [14, 15, 16].map((day) => stream.addDay(day, FLOOD)),
    [12, 12, 10],
  );
});

test("a restored budget has the same threshold as one that ran on, at any moment of the day", () => {
  const stream = new Stream(10);
  const restored = emptyGraph();
  const random = new Random(3, "scores");
  let isAlerting = false;
  for (let day = 0; day < 20; day++) {
    for (const [i, score] of scores(random, 150).entries()) {
      const timeMs = (day + i / 150) * DAY_MS;
      isAlerting = stream.add({ timeMs, score }) || isAlerting;
      if (i % 37 !== 0) continue;
      for (const part of stream.graph.takeDelta(1e6)) restored.addPart(part);
      const again = new AlertBudget(restored, 10);
      const later = timeMs + (i % 7) * 5 * MINUTE_MS;
      assert.equal(again.threshold(later), stream.budget.threshold(later));
    }
  }
  assert(isAlerting);
});

test("the budget is cluster-wide: what another worker issued is taken off at once", () => {
  const stream = new Stream(10);
  const random = new Random(4, "scores");
  for (let day = 0; day < 3; day++) stream.addDay(day, scores(random, 300));
  const other = emptyGraph();
  const timeMs = 3 * DAY_MS + HOUR_MS;
  assert(stream.budget.threshold(timeMs) > 0);
  other.advance(timeMs);
  const others = new AlertBudget(other, 10);
  for (let i = 0; i < 12; i++) others.issue(timeMs);
  for (const part of other.takeDelta(1e6)) stream.graph.addPart(part);
  assert.equal(stream.budget.threshold(timeMs), 0);
});

test("budgets with other histograms do not count each other's alerts", () => {
  const stream = new Stream(10);
  const random = new Random(5, "scores");
  for (let day = 0; day < 3; day++) stream.addDay(day, scores(random, 300));
  const timeMs = 3 * DAY_MS + HOUR_MS;
  const before = stream.budget.threshold(timeMs);
  const volume = new AlertBudget(stream.graph, 10, "volume/");
  for (let i = 0; i < 20; i++) volume.issue(timeMs);
  volume.closed(9, timeMs);
  assert.equal(stream.budget.threshold(timeMs), before);
  assert.equal(volume.threshold(timeMs), 0);
});

describe("where there is little that is odd", () => {
  test("ordinary logins never alert, however much of the budget is left", () => {
    const stream = new Stream(1000);
    const random = new Random(6, "scores");
    for (let day = 0; day < 10; day++) {
      const all = [...scores(random, 20), ...new Array<number>(2000).fill(0.06)];
      stream.addDay(day, all);
      assert(stream.budget.threshold((day + 0.999) * DAY_MS) <= BUDGET_SCORE_MAX);
    }
    assert(stream.alerts.every((alerts) => alerts <= 20));
    assert(stream.alerts.slice(2).every((alerts) => alerts > 10));
  });

  test("what is left in the evening is not spent on whatever comes next", () => {
    const stream = new Stream(5);
    const random = new Random(7, "scores");
    for (let day = 0; day < 10; day++) stream.addDay(day, scores(random, 400));
    // Below 0.0025 come 20 a day, four times the budget.
    const last = stream.budget.threshold(11 * DAY_MS - MINUTE_MS);
    assert(last > 0.001 && last < 0.004, String(last));
  });
});

test("nothing alerts in the first half day, and the day has the budget of what is left of it", () => {
  const stream = new Stream(20);
  const random = new Random(8, "scores");
  stream.addDay(0, scores(random, 200), [0, 12]);
  assert.deepEqual(stream.alerts, [0]);
  stream.addDay(0, new Array<number>(100).fill(1e-7), [12.6, 23.9]);
  assert(stream.alerts[0]! > 5 && stream.alerts[0]! <= 10, String(stream.alerts[0]));
});

test("presence alerts when the budget is spent, and takes nothing from it", () => {
  const stream = new Stream(10);
  for (let day = 0; day < 3; day++) stream.addDay(day, FLOOD);
  const policy = new AlertPolicy(stream.graph, familiarAfterAnHour(stream.graph), stream.budget, () => true);
  const at = (timeMs: number, user: string) => {
    stream.graph.advance(timeMs);
    policy.advance();
    return loginBytes(login({ timeMs, user, evidence: "weak" }));
  };
  const start = 3 * DAY_MS + HOUR_MS;
  for (let i = 0; i < 100; i++) {
    const timeMs = start + i * MINUTE_MS;
    assert(policy.decide("presence", 1e-11, at(timeMs, `P${i}`), new Facts(), 0).isAlert);
  }
  let alerts = 0;
  for (let i = 100; i < 1300; i++) {
    const odd = at(start + i * MINUTE_MS, `U${i}`);
    if (policy.decide("surprise", 1e-7 / i, odd, new Facts(), 0).isAlert) alerts++;
  }
  assert.equal(alerts, 10);
  assert.equal(policy.threshold(), 0);
  const timeMs = start + 1300 * MINUTE_MS;
  assert(policy.decide("presence", 1e-11, at(timeMs, "P1300"), new Facts(), 0).isAlert);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { BudgetAccumulator } from "../../src/evaluation/budget-holding.ts";

const DAY_MS = 86_400_000;

/** A stream of logins once an hour, with so many alerts on each day. */
function stream(alertsPerDay: number | null, days: readonly number[], startMs = 0): BudgetAccumulator {
  const budget = new BudgetAccumulator(alertsPerDay, startMs);
  for (const [day, alerts] of days.entries()) {
    for (let hour = 0; hour < 24; hour++) budget.pass(startMs + day * DAY_MS + (hour * DAY_MS) / 24);
    for (let i = 0; i < alerts; i++) budget.alert(startMs + day * DAY_MS + i);
  }
  return budget;
}

test("mean error, days and weeks within a fifth, by hand", () => {
  // The last day is not over: it counts for nothing.
  const result = stream(10, [10, 8, 12, 7, 13, 10, 10, 20, 20, 99]).result();
  assert.equal(result.days, 9);
  assert.equal(result.alerts, 110);
  assert.equal(result.meanError, 110 / 90 - 1);
  assert.equal(result.daysWithin20Percent, 5 / 9);
  assert.equal(result.weeks, 1);
  assert.equal(result.weeksWithin20Percent, 1);
});

test("days count from the start of the scored period, and one without logins is a day too", () => {
  const budget = new BudgetAccumulator(5, 1000);
  budget.pass(1000);
  budget.alert(1000 + DAY_MS - 1);
  budget.alert(1000 + DAY_MS);
  budget.pass(1000 + 3 * DAY_MS);
  assert.deepEqual(budget.alertsByDay(), [1, 1, 0, 0]);
  assert.equal(budget.result().days, 3);
});

test("presence stands outside: it is told of, and does not fill the budget", () => {
  const budget = stream(5, [5, 5]);
  budget.presenceAlert(0, "a", true);
  budget.presenceAlert(1, "a", false);
  const result = budget.result();
  assert.equal(result.meanError, 0);
  assert.equal(result.presenceAlerts, 2);
  assert.equal(result.presenceIncidents, 1);
});

test("presence incidents without a labelled login count on the day of their first alert", () => {
  const budget = stream(5, [5, 5, 5]);
  budget.presenceAlert(1, "labelled later", false);
  budget.presenceAlert(2, "two days", false);
  budget.presenceAlert(3, "first day", false);
  budget.presenceAlert(DAY_MS + 1, "labelled later", true);
  budget.presenceAlert(DAY_MS + 1, "labelled later", false);
  budget.presenceAlert(DAY_MS + 2, "two days", false);
  budget.presenceAlert(2 * DAY_MS, "on the day that is not over", false);
  const result = budget.result();
  assert.equal(result.presenceIncidents, 4);
  assert.deepEqual(result.presenceIncidentsWithoutLabelPerDay, { mean: 1, most: 2 });
  assert.equal(stream(5, [5]).result().presenceIncidentsWithoutLabelPerDay, null);
});

test("nothing is said of less than a day, of less than a week, or without a budget", () => {
  const short = stream(5, [5]).result();
  assert.deepEqual([short.days, short.meanError, short.daysWithin20Percent], [0, null, null]);
  const week = stream(5, [5, 5, 5]).result();
  assert.deepEqual([week.daysWithin20Percent, week.weeksWithin20Percent], [1, null]);
  const fixed = stream(null, [5, 5, 5]).result();
  assert.deepEqual([fixed.alerts, fixed.meanError, fixed.daysWithin20Percent], [10, null, null]);
  assert.equal(new BudgetAccumulator(5, undefined).result().days, 0);
});

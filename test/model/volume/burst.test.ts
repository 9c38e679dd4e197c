import assert from "node:assert/strict";
import { test } from "node:test";
import { expectedPerMinute, MEMORY_MINUTES, nats, WEIGHTS } from "../../../src/model/volume/burst.ts";

test("so many logins are as odd as a geometric distribution with the expected mean says", () => {
  const mean = MEMORY_MINUTES * expectedPerMinute(5000, 20_000);
  const stop = 1 / (1 + mean);
  let atLeast = 1;
  for (let count = 0; count < 12; count++) {
    assert.ok(Math.abs(nats(count, 5000, 20_000) + Math.log(atLeast)) < 1e-9);
    atLeast -= stop * (1 - stop) ** count;
  }
});

test("the same logins are the odder, the calmer a key was and the longer it is known", () => {
  assert.ok(nats(20, 100, 10_000) > nats(20, 200, 10_000));
  assert.ok(nats(20, 100, 20_000) > nats(20, 100, 10_000));
  assert.ok(nats(21, 100, 10_000) > nats(20, 100, 10_000));
});

test("a new key is expected to be as busy as one that was used ten times in a day", () => {
  assert.equal(expectedPerMinute(0, 0), 10 / 1440);
});

test("weights fade by age and are one for a login just now", () => {
  assert.equal(WEIGHTS[0], 1);
  for (let age = 1; age < WEIGHTS.length; age++) assert.ok(WEIGHTS[age]! < WEIGHTS[age - 1]!);
});

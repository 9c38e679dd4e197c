import assert from "node:assert/strict";
import { test } from "node:test";
import { reasonOf, renderReplay, timeOf } from "../../src/cli/replay.ts";

test("counts are shown by reason, most first, with those that came back", () => {
  const counts = new Map([
    ["invalid-time", { sent: 1, replayedBefore: 0, passedOver: 4 }],
    ["invalid-json", { sent: 3, replayedBefore: 2, passedOver: 0 }],
  ]);
  assert.equal(
    renderReplay(counts, "logins", false),
    "invalid-json: 3, 2 of them replayed before\ninvalid-time: 1, 4 older ones passed over\n" +
      "sent to logins: 4, 2 of them replayed before, 4 older ones passed over\n",
  );
  assert.equal(renderReplay(new Map(), "logins", true), "would be sent to logins: 0\n");
});

test("a reason that no dead letter can have is refused, and those that there are are named", () => {
  for (const name of ["invalid-json", "scoring-failed", "unknown"]) assert.equal(reasonOf(name), name);
  for (const name of ["nonsense", "", "Invalid-JSON"])
    assert.throws(() => reasonOf(name), /reasons are .*invalid-json, .*unknown$/);
});

test("times are read as UTC unless they say otherwise", () => {
  assert.equal(timeOf("2026-01-31"), Date.UTC(2026, 0, 31));
  assert.equal(timeOf("2026-01-31T08:00"), Date.UTC(2026, 0, 31, 8));
  assert.equal(timeOf("2026-01-31T08:00:00.5+01:00"), Date.UTC(2026, 0, 31, 7, 0, 0, 500));
  assert.equal(timeOf("1700000000000"), 1_700_000_000_000);
  for (const text of ["", "yesterday", "1", "2026-13-01", "2026-01-31T08"])
    assert.throws(() => timeOf(text), /expected a time/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MINUTES_KEPT, RecentMinutes } from "../../src/graph-state/recent-minutes.ts";

const WEIGHTS = Float64Array.from({ length: MINUTES_KEPT }, (_, age) => 0.5 ** age);

test("sums are those of the logins themselves, each faded by its age, whatever the order in which they came", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 90 })), { minLength: 1, maxLength: 80 }),
      fc.nat({ max: 40 }),
      fc.nat({ max: 40 }),
      (logins, later, late) => {
        const recent = new RecentMinutes();
        const newest = Math.max(...logins.map(([, minute]) => minute)) + later;
        let now = 0;
        for (const [key, minute] of logins) {
          now = Math.max(now, minute);
          recent.moveTo(now);
          if (recent.isKept(minute)) recent.add(key, minute, 1);
        }
        recent.moveTo(newest);
        const asked = newest - late;
        for (const key of [0, 1, 2]) {
          const counts = new Map<number, number>();
          for (const [other, minute] of logins) {
            if (other === key && minute > newest - MINUTES_KEPT)
              counts.set(minute, (counts.get(minute) ?? 0) + 1);
          }
          let wanted = 0;
          for (const [minute, count] of counts) {
            if (minute <= asked && asked - minute < MINUTES_KEPT) wanted += count * 0.5 ** (asked - minute);
          }
          // Powers of two add without an error.
          assert.equal(recent.sum(key, asked, WEIGHTS), wanted);
          const listed = [...counts].sort(([a], [b]) => b - a).flat();
          assert.deepEqual(recent.of(key), listed);
          assert.equal(recent.has(key), counts.size > 0);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("what fell silent takes no room", () => {
  const recent = new RecentMinutes();
  for (let minute = 0; minute < 1000; minute++) {
    recent.moveTo(minute);
    for (let n = 0; n < 5; n++) recent.add(minute * 5 + n, minute, 1);
  }
  assert.equal(recent.size, 5 * MINUTES_KEPT);
});

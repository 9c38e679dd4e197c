import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestOf } from "../../src/graph-state/digest.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import { decodeSegment, encodeSegment, type GraphPart } from "../../src/graph-state/segment.ts";
import { addLogin, arbitraryLogin, PART_BYTES_MAX } from "../graph-state/logins.ts";

const DAY_MS = 86_400_000;
const window = { days: 30, maxLinks: 1_000_000 };
const newGraph = () => new Graph({ window });

/** A part as it comes back from a log. */
function stored(part: GraphPart): GraphPart {
  return decodeSegment(encodeSegment({ group: "", piece: 0, isLast: true, ranges: [], ...part }));
}

/** The same digest for the same sums: the one idea of the design. */
test("any cut into partitions and batches, summed in any order, gives the graph that saw all logins itself", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(arbitraryLogin(0, 29 * DAY_MS), fc.nat({ max: 3 }), fc.boolean()), {
        maxLength: 120,
      }),
      fc.infiniteStream(fc.nat()),
      (logins, choices) => {
        const whole = newGraph();
        const workers = new Map<number, Graph>();
        const parts: GraphPart[] = [];
        for (const [login, partition, isCut] of logins) {
          addLogin(whole, login);
          const worker = workers.get(partition) ?? newGraph();
          workers.set(partition, worker);
          addLogin(worker, login);
          if (isCut) parts.push(...worker.takeDelta(PART_BYTES_MAX).map(stored));
        }
        for (const worker of workers.values()) parts.push(...worker.takeDelta(PART_BYTES_MAX).map(stored));

        // Merge random pairs in random order, so that sums of sums are covered too.
        while (parts.length > 1) {
          const [a] = parts.splice(choices.next().value % parts.length, 1);
          const [b] = parts.splice(choices.next().value % parts.length, 1);
          const sum = newGraph();
          sum.addPart(a!);
          sum.addPart(b!);
          for (const part of sum.toParts(PART_BYTES_MAX)) parts.push(stored(part));
        }
        const restored = newGraph();
        for (const part of parts) restored.addPart(part);
        // And split: any split is a valid one.
        const split = newGraph();
        for (const part of restored.toParts(300)) split.addPart(stored(part));
        assert.equal(digestOf(split), digestOf(whole));
        assert.equal(digestOf(restored), digestOf(whole));
        assert.equal(restored.linkCount, whole.linkCount);
        assert.equal(restored.entityCount, whole.entityCount);
      },
    ),
    { numRuns: 200 },
  );
});

test("segments cut at steps of the window restore the very graph that ran, expiry included", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(arbitraryLogin(0, 2 * DAY_MS), fc.nat({ max: 9 * DAY_MS }), fc.boolean()), {
        maxLength: 80,
      }),
      (logins) => {
        const running = newGraph();
        const parts: GraphPart[] = [];
        let clockMs = 100 * DAY_MS;
        for (const [login, gapMs, isCut] of logins) {
          // Time mostly goes on, sometimes a login is up to two days late.
          clockMs += gapMs;
          const timed = { ...login, timeMs: clockMs - login.timeMs };
          if (running.window.wouldStep(timed.timeMs) || isCut)
            parts.push(...running.takeDelta(PART_BYTES_MAX));
          addLogin(running, timed);
        }
        parts.push(...running.takeDelta(PART_BYTES_MAX));
        const restored = newGraph();
        for (const part of parts) restored.addPart(stored(part));
        assert.equal(digestOf(restored), digestOf(running));
        assert.equal(restored.entityCount, running.entityCount);
      },
    ),
    { numRuns: 200 },
  );
});

test("graphs that differ in one login have different digests", () => {
  fc.assert(
    fc.property(fc.array(arbitraryLogin(0, DAY_MS), { minLength: 1, maxLength: 30 }), (logins) => {
      const all = newGraph();
      const butOne = newGraph();
      for (const login of logins) addLogin(all, login);
      for (const login of logins.slice(1)) addLogin(butOne, login);
      assert.notEqual(digestOf(all), digestOf(butOne));
    }),
  );
});

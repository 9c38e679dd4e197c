import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Graph } from "../../src/graph-state/graph.ts";
import { minuteOf } from "../../src/graph-state/recent-logins.ts";
import { MINUTES_KEPT } from "../../src/graph-state/recent-minutes.ts";
import { decodeSegment, encodeSegment, type GraphPart } from "../../src/graph-state/segment.ts";
import type { Login } from "../../src/ingest/login.ts";
import { loginBytes, PART_BYTES_MAX } from "../graph-state/logins.ts";

const HOUR_MS = 3_600_000;
const HOSTS = ["C0", "C1", "C2", "C3"];
const newGraph = () => new Graph({ window: { days: 30, maxLinks: 1_000_000 } });

type Made = { readonly timeMs: number; readonly source: string; readonly target: string; isBurst: boolean };

const arbitraryMade: fc.Arbitrary<Made> = fc.record({
  timeMs: fc.integer({ min: 0, max: HOUR_MS }),
  source: fc.constantFrom(...HOSTS),
  target: fc.constantFrom(...HOSTS),
  isBurst: fc.boolean(),
});

function add(graph: Graph, { timeMs, source, target, isBurst }: Made): void {
  const login: Login = {
    timeMs,
    user: "U1",
    targetUser: "U1",
    sourceHost: source,
    targetHost: target,
    authType: "NTLM",
    logonType: "Network",
    outcome: "success",
    evidence: "weak",
  };
  const bytes = loginBytes(login);
  const ids = new Int32Array(6);
  graph.advance(timeMs);
  graph.names.find(bytes, ids);
  graph.apply(bytes, ids, undefined, isBurst);
}

/** A part as it comes back from a log. */
function stored(part: GraphPart): GraphPart {
  return decodeSegment(encodeSegment({ group: "", piece: 0, isLast: true, ranges: [], ...part }));
}

/** All that the volume signal reads: minutes of each pair, source and target, and bursts of each link and node. */
function volumeOf(graph: Graph): unknown {
  const kind = graph.kinds.find(({ name }) => name === "sourceHost-targetHost")!;
  const { links, recent, names } = graph;
  const all: [string, ...unknown[]][] = [];
  for (let row = 0; row < links.rowCount; row++) {
    if (!links.isUsed(row) || links.kindOf(row) !== kind.index || links.relationOf(row) !== 0) continue;
    const [from, to] = [links.fromOf(row), links.toOf(row)];
    const nameOf = (id: number): string => names.entities[kind.fromKind]!.nameOf(id);
    all.push([
      `${nameOf(from)} ${nameOf(to)}`,
      links.statistics.burstsOf(row),
      graph.fromNodes[kind.index]!.statistics.burstsOf(from),
      graph.toNodes[kind.index]!.statistics.burstsOf(to),
      recent.pairs.of(row),
      recent.sources.of(from),
      recent.targets.of(to),
    ]);
  }
  return all.sort(([a], [b]) => (a < b ? -1 : 1));
}

test("any cut into partitions and batches, summed in any order, gives the minutes and bursts of the graph that saw all", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(arbitraryMade, fc.nat({ max: 2 }), fc.boolean()), { maxLength: 80 }),
      fc.infiniteStream(fc.nat()),
      (made, choices) => {
        // In the order of time: a login later than the minutes kept is counted or not by what was read before it.
        const logins = made.toSorted(([a], [b]) => a.timeMs - b.timeMs);
        const whole = newGraph();
        const workers = new Map<number, Graph>();
        const parts: GraphPart[] = [];
        for (const [login, partition, isCut] of logins) {
          add(whole, login);
          const worker = workers.get(partition) ?? newGraph();
          workers.set(partition, worker);
          add(worker, login);
          if (isCut) parts.push(...worker.takeDelta(PART_BYTES_MAX).map(stored));
        }
        for (const worker of workers.values()) parts.push(...worker.takeDelta(PART_BYTES_MAX).map(stored));
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
        const split = newGraph();
        for (const part of restored.toParts(300)) split.addPart(stored(part));
        const kind = whole.kinds.find(({ name }) => name === "sourceHost-targetHost")!;
        let bursts = 0;
        for (let row = 0; row < whole.links.rowCount; row++) {
          if (whole.links.kindOf(row) === kind.index && whole.links.relationOf(row) === 0)
            bursts += whole.links.statistics.burstsOf(row);
        }
        const wanted = logins.filter(([{ isBurst, source, target }]) => isBurst && source !== target);
        assert.equal(bursts, wanted.length);
        assert.deepEqual(volumeOf(restored), volumeOf(whole));
        assert.deepEqual(volumeOf(split), volumeOf(whole));
      },
    ),
    { numRuns: 200 },
  );
});

test("a link that is forgotten takes its minutes with it", () => {
  const graph = new Graph({ window: { days: 1 / 24, maxLinks: 1_000_000 } });
  const kind = graph.kinds.find(({ name }) => name === "sourceHost-targetHost")!;
  add(graph, { timeMs: 0, source: "C0", target: "C1", isBurst: false });
  graph.takeDelta(PART_BYTES_MAX);
  const row = graph.links.find(kind.index, 0, 0, 1);
  assert.deepEqual(graph.recent.pairs.of(row), [0, 1]);
  graph.recent.forget(row, 0, 1);
  assert.deepEqual(graph.recent.pairs.of(row), []);
  assert.equal(graph.recent.sources.sum(0, 0, new Float64Array(MINUTES_KEPT).fill(1)), 0);
  assert.equal(graph.recent.targets.sum(1, 0, new Float64Array(MINUTES_KEPT).fill(1)), 0);
});

test("a login that is later than the minutes kept is not counted", () => {
  const graph = newGraph();
  add(graph, { timeMs: HOUR_MS, source: "C0", target: "C1", isBurst: false });
  add(graph, { timeMs: HOUR_MS - MINUTES_KEPT * 60_000, source: "C0", target: "C2", isBurst: false });
  add(graph, { timeMs: HOUR_MS - 60_000, source: "C0", target: "C3", isBurst: false });
  assert.deepEqual(graph.recent.sources.of(0), [minuteOf(HOUR_MS), 1, minuteOf(HOUR_MS) - 1, 1]);
});

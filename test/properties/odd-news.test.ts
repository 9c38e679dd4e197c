import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Graph } from "../../src/graph-state/graph.ts";
import { OddNews } from "../../src/graph-state/odd-news.ts";
import { decodeSegment, encodeSegment, type GraphPart } from "../../src/graph-state/segment.ts";
import { login, loginBytes, PART_BYTES_MAX } from "../graph-state/logins.ts";

const DAY_MS = 86_400_000;
const USERS = ["U0", "U1", "U2"];
/** Wide enough that nothing is forgotten. */
const newGraph = () => new Graph({ window: { days: 60, maxLinks: 1_000_000 } });

type Made = { readonly timeMs: number; readonly user: string; readonly target: string };

const arbitraryMade: fc.Arbitrary<Made> = fc.record({
  timeMs: fc.integer({ min: 0, max: 40 * DAY_MS }),
  user: fc.constantFrom(...USERS),
  target: fc.constantFrom("C1", "C2", "C3", "C4"),
});

/** Adds a login, which is odd news if it makes the link of user and target. */
function add(graph: Graph, { timeMs, user, target }: Made): boolean {
  const bytes = loginBytes(login({ timeMs, user, sourceHost: "C0", targetHost: target }));
  const ids = new Int32Array(6);
  const rows = new Int32Array(64);
  const kind = graph.kinds.find(({ name }) => name === "user-targetHost")!;
  graph.advance(timeMs);
  graph.names.find(bytes, ids);
  graph.resolvePairs(bytes, ids, rows);
  graph.apply(bytes, ids, rows);
  const isNews = rows[kind.index]! < 0;
  if (isNews) graph.markOddNews(kind, ids);
  return isNews;
}

function stored(part: GraphPart): GraphPart {
  return decodeSegment(encodeSegment({ group: "", piece: 0, isLast: true, ranges: [], ...part }));
}

function fadedOf(graph: Graph, timeMs: number): number[] {
  return USERS.map((user) => {
    const name = Buffer.from(user);
    return graph.oddNews.faded(graph.names.entities[0]!.find(name, 0, name.length), timeMs);
  });
}

test("odd news of a user are what its links say, faded by their age, in whatever order segments are summed", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(arbitraryMade, fc.nat({ max: 2 }), fc.boolean()), { maxLength: 60 }),
      fc.infiniteStream(fc.nat()),
      (made, choices) => {
        const workers = [newGraph(), newGraph(), newGraph()];
        const firstMs = new Map<string, number>();
        const counts = new Map<string, number>();
        const parts: GraphPart[] = [];
        for (const [one, worker, isCut] of made) {
          const key = `${one.user} ${one.target}`;
          const graph = workers[worker]!;
          if (graph.window.wouldStep(one.timeMs)) parts.push(...graph.takeDelta(PART_BYTES_MAX));
          if (add(graph, one)) counts.set(key, (counts.get(key) ?? 0) + 1);
          firstMs.set(key, Math.min(firstMs.get(key) ?? one.timeMs, one.timeMs));
          if (isCut) parts.push(...graph.takeDelta(PART_BYTES_MAX));
        }
        for (const graph of workers) parts.push(...graph.takeDelta(PART_BYTES_MAX));

        const sum = newGraph();
        while (parts.length > 0) {
          const [part] = parts.splice(choices.next().value! % parts.length, 1);
          sum.addPart(stored(part!));
        }
        const nowMs = 41 * DAY_MS;
        const wanted = USERS.map((user) => {
          let total = 0;
          for (const [key, count] of counts) {
            const age = 41 - Math.floor(firstMs.get(key)! / DAY_MS);
            if (key.startsWith(`${user} `) && age < 28) total += count * 0.5 ** (age / 7);
          }
          return total;
        });
        for (const [i, faded] of fadedOf(sum, nowMs).entries()) {
          assert.ok(Math.abs(faded - wanted[i]!) < 1e-9, `${USERS[i]}: ${faded}, wanted ${wanted[i]}`);
        }
      },
    ),
  );
});

test("news that turn out to be older take nothing else with them", () => {
  const news = new OddNews();
  const day = (n: number): number => n * DAY_MS;
  news.add(1, day(4), 1);
  // So late that the fourth day is forgotten; and then it was the fourteenth after all.
  news.add(1, day(32), 1);
  news.remove(1, day(32), 1);
  news.add(1, day(14), 1);
  // What is known of the fourth day is told once more, as when a segment adds to its link.
  news.remove(1, day(4), 1);
  news.add(1, day(4), 1);
  assert.equal(news.faded(1, day(14)), 1);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { labelPlaces } from "../../../src/cli/report-page/label-places.ts";
import { layout } from "../../../src/cli/report-page/layout.ts";

const SIZE = { width: 900, height: 400 };
const MARGIN = { width: 60, height: 20 };

const graphs = fc.integer({ min: 1, max: 30 }).chain((count) => {
  const node = fc.integer({ min: 0, max: count - 1 });
  const links = fc.array(fc.record({ from: node, to: node }), { maxLength: 60 });
  return fc.tuple(
    fc.constant(count),
    links.map((all) => all.filter(({ from, to }) => from !== to)),
  );
});

test("any graph lies within its drawing, at the same places every time", () => {
  fc.assert(
    fc.property(graphs, ([count, links]) => {
      const points = layout(count, links, SIZE, MARGIN);
      assert.equal(points.length, count);
      for (const { x, y } of points) assert.ok(x >= 60 && x <= 840 && y >= 20 && y <= 380, `${x} ${y}`);
      assert.deepEqual(layout(count, links, SIZE, MARGIN), points);
    }),
    { numRuns: 20 },
  );
});

test("no two nodes lie on each other", () => {
  const links = Array.from({ length: 39 }, (_, i) => ({ from: 0, to: i + 1 }));
  const points = layout(40, links, SIZE, MARGIN);
  for (const [i, a] of points.entries())
    for (const b of points.slice(i + 1)) assert.ok(Math.hypot(a.x - b.x, a.y - b.y) > 14);
});

test("labels keep off each other where there is room, and inside the drawing", () => {
  const nodes = [
    { x: 880, y: 100 },
    { x: 450, y: 200 },
    { x: 480, y: 200 },
  ];
  const [edge, left, right] = labelPlaces(["a long name", "left", "right"], nodes, [], SIZE, 3);
  assert.equal(edge!.anchor, "end");
  assert.notDeepEqual([left!.anchor, left!.y], ["start", 204], "there is a node in the way");
  assert.deepEqual([right!.anchor, right!.y], ["start", 204]);
});

test("a neighbour's label that could only lie on others is left out, one of an alert never", () => {
  const nodes = Array.from({ length: 40 }, (_, i) => ({ x: 450 + (i % 3), y: 200 }));
  const labels = labelPlaces(
    nodes.map((_, i) => `entity number ${i}`),
    nodes,
    [],
    SIZE,
    12,
  );
  assert.ok(labels.slice(0, 12).every((label) => label !== undefined));
  assert.ok(labels.slice(12).some((label) => label === undefined));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { CLUSTERS_MAX, cluster, type Points } from "../../../src/console/embedding-map/k-means.ts";
import { Random } from "../../../src/model/random.ts";

/** Points around centres that are far from each other, in turn. */
function around(centres: readonly (readonly number[])[], count: number, spread: number): Points {
  const random = new Random(7, "points");
  const dimensions = centres[0]!.length;
  const values = Float32Array.from(
    Array.from({ length: count }, (_, i) => centres[i % centres.length]!).flatMap((centre) =>
      centre.map((value) => value + random.nextWithin(spread)),
    ),
  );
  return { values, count, dimensions };
}

test("points around three centres make three clusters, the largest first", () => {
  const even = around(
    [
      [0, 0, 9],
      [9, 0, 0],
      [0, 9, 0],
      [0, 0, 9],
    ],
    200,
    0.5,
  );
  const { clusterOf, count } = cluster(even, 1);
  assert.equal(count, 3);
  // Every first and fourth point is of the largest.
  assert.deepEqual([...clusterOf.subarray(0, 4)].toSorted(), [0, 0, 1, 2]);
  assert.equal(clusterOf[0], 0);
  for (let i = 4; i < even.count; i++) assert.equal(clusterOf[i], clusterOf[i % 4]);
});

test("the same points have the same clusters, and never more than there are colours", () => {
  const points = around([[0, 0]], 300, 1);
  const first = cluster(points, 1);
  assert.deepEqual(cluster(points, 1), first);
  assert.ok(first.count >= 2 && first.count <= CLUSTERS_MAX);
  assert.ok(first.clusterOf.every((one) => one < first.count));
});

test("points that can't be told apart, and very few of them, are no trouble", () => {
  for (const count of [0, 1, 2, 3, 20]) {
    const { clusterOf, count: clusters } = cluster(
      { values: new Float32Array(2 * count).fill(1), count, dimensions: 2 },
      1,
    );
    assert.equal(clusterOf.length, count);
    assert.equal(clusters, Math.min(1, count));
  }
});

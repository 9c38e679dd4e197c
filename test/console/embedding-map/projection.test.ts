import assert from "node:assert/strict";
import { test } from "node:test";
import { project } from "../../../src/console/embedding-map/projection.ts";
import { Random } from "../../../src/model/random.ts";

const DIMENSIONS = 8;

/** Two groups of directions, with lengths that say nothing. */
function twoGroups(count: number) {
  const random = new Random(3, "groups");
  const values = Float32Array.from({ length: count * DIMENSIONS }, (_, i) => {
    const isOfGroup = i % DIMENSIONS === Math.floor(i / DIMENSIONS) % 2;
    return (isOfGroup ? 4 : 0) + random.nextWithin(0.5);
  });
  for (let i = 0; i < count; i++) {
    const scale = 1 + 9 * random.nextFloat();
    for (let d = 0; d < DIMENSIONS; d++) values[i * DIMENSIONS + d]! *= scale;
  }
  return { values, count, dimensions: DIMENSIONS };
}

test("who is alike comes to lie together, in the same place each time", () => {
  const points = twoGroups(60);
  const told: number[] = [];
  const { places, clusterOf, clusters } = project(points, 1, (share) => told.push(share));
  assert.equal(clusters, 2);
  // The nearest neighbour of each point on the map is of its group.
  for (let i = 0; i < points.count; i++) {
    assert.equal(clusterOf[i], clusterOf[i % 2]);
    const distances = Array.from({ length: points.count }, (_, j) =>
      i === j
        ? Number.POSITIVE_INFINITY
        : Math.hypot(places[2 * i]! - places[2 * j]!, places[2 * i + 1]! - places[2 * j + 1]!),
    );
    assert.equal(distances.indexOf(Math.min(...distances)) % 2, i % 2);
  }
  assert.ok(places.every((place) => place >= 0 && place <= 1));
  assert.equal(Math.max(...places), 1);
  assert.deepEqual(
    told,
    told.toSorted((a, b) => a - b),
  );
  assert.ok(told.length > 5 && told.every((share) => share >= 0 && share < 1));
  const again = project(points, 1, () => {});
  assert.deepEqual(again.places, places);
  assert.deepEqual(again.clusterOf, clusterOf);
});

test("very few entities have a map too", () => {
  for (const count of [1, 2, 3, 4, 5]) {
    const { places } = project(twoGroups(count), 1, () => {});
    assert.equal(places.length, 2 * count);
    assert.ok(places.every(Number.isFinite), `${count}: ${places}`);
  }
});

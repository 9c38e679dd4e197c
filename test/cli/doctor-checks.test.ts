import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Check,
  clockCheck,
  gpuCheck,
  lagCheck,
  nodeCheck,
  renderChecks,
  stateProblems,
} from "../../src/cli/doctor-checks.ts";
import { suppressionsChecks } from "../../src/cli/suppression-words.ts";

const offsets = (...ends: number[]) =>
  ends.map((end, partition) => ({ partition, low: 5, high: end + 1, stable: end }));

test("lag is counted from what was committed, or from the log start, and the worst partition is named", () => {
  const check = lagCheck(offsets(10, 30, 5), [8, 10, undefined], 2, "fail");
  assert.equal(check.status, "ok");
  assert.equal(
    check.found,
    "22 records behind in 3 partitions, most in partition 1: 20; 2 workers in the group",
  );
  assert.match(lagCheck(offsets(10), [undefined], 1, "fail").found, /^nothing was read yet, 5 records/);
  assert.equal(lagCheck(offsets(10), [8], 0, "fail").status, "warn", "nobody reads");
  assert.equal(lagCheck(offsets(10), [10], 0, "fail").status, "ok");
});

test("records that were deleted unread are a failure unless they are to be skipped", () => {
  assert.equal(lagCheck(offsets(10, 10), [4, 10], 1, "fail").status, "FAIL");
  assert.match(lagCheck(offsets(10, 10), [4, 10], 1, "skip").found, /partition 0 \(up to 5\)/);
  assert.equal(lagCheck(offsets(10, 10), [4, 10], 1, "skip").status, "warn");
});

test("graph-state must hold what was committed, no less and no more, give or take what is being committed", () => {
  assert.deepEqual(stateProblems([5, undefined], [5, undefined], [5, undefined]), []);
  assert.deepEqual(stateProblems([5], [7], [9]), []);
  assert.deepEqual(stateProblems([undefined], [7], [9]), []);
  assert.deepEqual(stateProblems([5], [4], [9]).length, 1);
  assert.deepEqual(stateProblems([5], [10], [9]).length, 1);
  assert.deepEqual(stateProblems([5], [undefined], [5]), [
    "partition 0: offsets below 5 committed, nothing held",
  ]);
  assert.deepEqual(stateProblems([undefined], [5], [undefined]), [
    "partition 0: nothing committed, those below 5 held",
  ]);
});

test("a clock is judged by what the difference is at least", () => {
  assert.deepEqual(clockCheck([-4, 20]), {
    name: "clock",
    status: "ok",
    found: "no difference to the broker within 20 ms",
  });
  assert.match(clockCheck([1500, 1600]).found, /at least 1500 ms ahead of/);
  assert.equal(clockCheck([1500, 1600]).status, "ok");
  assert.match(clockCheck([-9000, -8000]).found, /at least 8000 ms behind/);
  assert.equal(clockCheck([-9000, -8000]).status, "warn");
  assert.equal(clockCheck(undefined).status, "skip");
});

test("versions of Node before 22.18 are refused, and a card that is not used is named", () => {
  for (const version of ["22.17.9", "20.20.0", "18.0.0"]) assert.equal(nodeCheck(version).status, "FAIL");
  for (const version of ["22.18.0", "24.0.0"]) assert.equal(nodeCheck(version).status, "ok");
  const simd = { backend: "simd", device: "gpu" } as const;
  assert.match(gpuCheck(undefined, false, simd).found, /^none; training runs on the CPU$/);
  assert.match(gpuCheck("H200", true, simd).found, /^H200, not used/);
});

test("a GPU that training needs is there with its package, or the check fails", () => {
  const tfjs = { backend: "tfjs", device: "gpu" } as const;
  const { status, found } = gpuCheck("H200", true, tfjs);
  assert.deepEqual([status, found], ["ok", "H200, with @tensorflow/tfjs-node-gpu"]);
  assert.match(gpuCheck("H200", false, tfjs).remedy!, /^npm install @tensorflow\/tfjs-node-gpu/);
  assert.equal(gpuCheck(undefined, true, tfjs).status, "FAIL");
  assert.equal(gpuCheck(undefined, false, { ...tfjs, device: "js" }).status, "ok");
});

test("checks are lines with their columns aligned", () => {
  assert.equal(
    renderChecks([
      { name: "node", status: "ok", found: "24" },
      { name: "brokers", status: "FAIL", found: "none", remedy: "look" },
      { name: "lag", status: "skip", found: "not checked" },
    ]),
    "ok    node     24\nFAIL  brokers  none; look\n-     lag      not checked\n",
  );
});

test("rules that have ended are said, and where there are none nothing is", () => {
  const rule = { id: "a", owner: "soc", reason: "known", match: { user: "ann" } };
  const nowMs = Date.parse("2027-01-01T00:00:00Z");
  const [over, inForce] = [
    { ...rule, until: "2026-12-31" },
    { ...rule, id: "b", until: "2027-01-01" },
  ];
  assert.deepEqual(suppressionsChecks([], nowMs), []);
  assert.deepEqual(
    suppressionsChecks([inForce], nowMs).map(({ status }) => status),
    ["ok"],
  );
  const [{ status, found }] = suppressionsChecks([over, inForce], nowMs) as [Check];
  assert.deepEqual([status, found], ["warn", "rules in force: 1; ended: a (soc)"]);
});

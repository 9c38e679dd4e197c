import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { EXAMPLE, run, temporaryFolder } from "./oddlink.ts";

const LABELS = join(EXAMPLE, "labels", "redteam.txt");
const EVALUATE = ["evaluate", EXAMPLE, "--labels", LABELS, "--train", "off"];

test("three seeds by default, pseudonyms by default, and the report says so", async () => {
  const { code, stdout, stderr } = await run([...EVALUATE, "--json"]);
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout);
  assert.deepEqual(report.seeds, [1, 2, 3]);
  assert.equal(report.renaming, "random-key");
  assert.deepEqual(report.labels, { lines: 7, distinct: 7, matched: 7 });
  for (const figures of [report, report.incidents, report.baselines["degree-sum"].incidents]) {
    assert.deepEqual(Object.keys(figures.recallAtAlertsPerDay), ["1", "5", "10", "50"]);
    assert.deepEqual(Object.keys(figures.recallAtShare), ["0.001", "0.005", "0.01"]);
  }
  assert.equal(report.spread.budget.meanError.mean, report.budget.meanError);
});

test("--seed makes the key, and with it the figures, the same every time; --keep-names is said", async () => {
  const args = [...EVALUATE, "--seeds", "1", "--json", "--seed", "7"];
  const [first, second] = [await run(args), await run(args)];
  assert.equal(first.stdout, second.stdout);
  assert.equal(JSON.parse(first.stdout).renaming, "seed-key");
  const { stdout } = await run([...EVALUATE, "--seeds", "1", "--keep-names"]);
  assert.match(stdout, /Names of users and hosts: as they are \(--keep-names\)/);
});

test("--ablation adds a table of its own, and the same figures to the file", async (t) => {
  const file = join(temporaryFolder(t), "report.json");
  const args = [...EVALUATE, "--seeds", "1", "--ablation", "--report", file];
  const { code, stdout, stderr } = await run(args);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Ablation, by login .*\ndefault .*\npresence alone .*\nsurprise alone/m);
  assert.match(stdout, /^default without link /m);
  const { ablation, averagePrecision } = JSON.parse(readFileSync(file, "utf8"));
  assert.equal(ablation.default.averagePrecision, averagePrecision);
});

for (const [what, args, expected] of [
  [
    "the notebook as a detector of run",
    ["run", EXAMPLE, "--detector", "notebook"],
    /comparator.*oddlink evaluate --detector notebook/s,
  ],
  ["the notebook without a scored period", [...EVALUATE, "--detector", "notebook"], /say with --from/],
  [
    "an ablation of the notebook",
    [...EVALUATE, "--detector", "notebook", "--from", "150885", "--ablation"],
    /notebook has none/,
  ],
  ["a relation that there is none of", [...EVALUATE, "--notebook-relation", "user"], /Allowed choices/],
] as const) {
  test(`${what} is wrong use: exit 2, said in words`, async () => {
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, expected);
    assert.equal(stdout, "");
  });
}

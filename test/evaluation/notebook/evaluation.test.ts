import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Evaluated } from "../../../src/evaluation/evaluation.ts";
import type { NotebookRelation } from "../../../src/evaluation/notebook/comparator.ts";
import { evaluateNotebook } from "../../../src/evaluation/notebook/evaluation.ts";
import { NOTEBOOK } from "../../../src/evaluation/notebook/training.ts";
import { spreadOverSeeds } from "../../../src/evaluation/spread.ts";
import { Random } from "../../../src/model/random.ts";
import { evaluateLines, LINES, shuffled } from "../example-log.ts";

const folder = mkdtempSync(join(tmpdir(), "oddlink-notebook-"));
after(() => rmSync(folder, { recursive: true }));

/** Far less than the notebook did: what is tested here does not hang on how well it learns. */
const SMALL = { ...NOTEBOOK, dimensions: 8, positives: 300, epochs: 2, stepsPerEpoch: 5 };
const FROM_S = 150_885;
const isBefore = (line: string) => Number(line.slice(0, line.indexOf(","))) < FROM_S;

function notebook(
  lines: readonly string[],
  relation: NotebookRelation = "constant",
  seed = 1,
): Promise<Evaluated> {
  return evaluateLines(folder, lines, { seed }, { fromMs: FROM_S * 1000 }, (input) =>
    evaluateNotebook({ ...input, relation, model: SMALL }),
  );
}

test("causal trains on what came before, seed mode on everything, and both rank the same logins", async () => {
  const { figures, drawing } = await notebook(LINES);
  const { causal, seedMode } = figures.notebook!;
  assert.equal(figures.positives, 7);
  assert.equal(seedMode.ranking.positives, 7);
  assert.equal(seedMode.ranking.scored, figures.scored);
  assert.equal(seedMode.trainingRows, causal.trainingRows + figures.scored);
  assert.ok(causal.nodes < seedMode.nodes);
  assert.deepEqual([causal.relations, seedMode.relations], [1, 1]);
  assert.equal(seedMode.unseen, 0);
  assert.ok(causal.unseen > 0 && causal.below003.alerts >= causal.unseen, "an unseen host scores lowest");
  assert.equal(figures.raised.alerts, causal.below003.alerts);
  assert.ok(Object.keys(figures.baselines).length >= 8);
  assert.ok(drawing.baselines["notebook, seed mode"] !== undefined);
});

test("another future does not change what the causal one learnt, and does what seed mode learnt", async () => {
  const past = LINES.filter(isBefore);
  const future = LINES.filter((line) => !isBefore(line));
  const one = (await notebook(LINES)).figures.notebook!;
  const other = (await notebook([...past, ...shuffled(future, new Random(1, "future")).slice(100)])).figures
    .notebook!;
  assert.equal(other.causal.loss, one.causal.loss);
  assert.equal(other.causal.nodes, one.causal.nodes);
  assert.notEqual(other.seedMode.loss, one.seedMode.loss);
});

test("relations may be auth types, alone or with logon types", async () => {
  const authType = (await notebook(LINES, "authType")).figures.notebook!;
  const both = (await notebook(LINES, "authType::logonType")).figures.notebook!;
  assert.ok(authType.causal.relations > 1);
  assert.ok(both.causal.relations > authType.causal.relations);
});

test("or topics of how both are spelt, at most fifteen, learnt from what came before the scored period", async () => {
  const both = (await notebook(LINES, "authType::logonType")).figures.notebook!;
  const topics = (await notebook(LINES, "topic")).figures.notebook!;
  assert.ok(topics.causal.relations > 1);
  assert.ok(topics.causal.relations <= Math.min(15, both.causal.relations));
  // A type that came later has a topic all the same.
  assert.equal(topics.seedMode.relations, topics.causal.relations);
});

test("figures have a spread over seeds", async () => {
  const runs = [await notebook(LINES, "constant", 1), await notebook(LINES, "constant", 2)];
  const spread = spreadOverSeeds(runs.map(({ figures }) => figures));
  const { loss } = spread.notebook!.causal;
  assert.ok(loss.min < loss.max);
});

test("without a scored period, or anything before it, there is nothing to train on", async () => {
  const without = (fromMs: number | undefined) =>
    evaluateLines(folder, LINES.slice(0, 500), {}, fromMs === undefined ? {} : { fromMs }, (input) =>
      evaluateNotebook({ ...input, relation: "constant", model: SMALL }),
    );
  await assert.rejects(without(undefined), { code: "USAGE" });
  await assert.rejects(without(0), { code: "USAGE", message: /no login with two hosts comes before/ });
});

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { configSchema, DETECTORS } from "../../src/config/schema.ts";
import { ablationVariants } from "../../src/evaluation/ablation.ts";
import { type Evaluated, evaluate } from "../../src/evaluation/evaluation.ts";
import { keyOfSeed, Renaming, randomKey } from "../../src/evaluation/renaming.ts";
import { Random } from "../../src/model/random.ts";
import { evaluateLines, LABELS, LINES, type StreamOptions, shuffled } from "./example-log.ts";

const folder = mkdtempSync(join(tmpdir(), "oddlink-evaluation-"));
after(() => rmSync(folder, { recursive: true }));

/** Scores of the detector and of each baseline, login by login. */
type Scores = { readonly rows: readonly (readonly number[])[]; readonly evaluated: Evaluated };

async function scores(
  lines: readonly string[],
  settings: Record<string, unknown>,
  options: StreamOptions = {},
): Promise<Scores> {
  const rows: number[][] = [];
  const evaluated = await evaluateLines(folder, lines, settings, options, (input) =>
    evaluate({ ...input, onScored: (score, baselines) => rows.push([score, ...baselines]) }),
  );
  return { rows, evaluated };
}

const SMALL_TRAINING = { mode: "replay", steps: 5, firstAfterHours: 12, everyHours: 12 };

describe("another future does not change a score", () => {
  // Past the first epoch of a model, and past the labelled attack: there is something to be changed.
  const T = 11_000;
  const past = LINES.slice(0, T);
  const future = LINES.slice(T);
  const futures: readonly (readonly [string, readonly string[]])[] = [
    ["shuffled", shuffled(future, new Random(1, "future"))],
    ["left out", []],
    [
      "of nothing but attacks",
      future.map((line) => line.replace(/^(\d+),.*/, "$1,U1@DOM1,U1@DOM1,C9,C8,NTLM,Network,LogOn,Fail")),
    ],
  ];
  for (const detector of ["default", "link"]) {
    test(`of ${detector} or of a baseline, to the last bit`, async () => {
      const settings = { detector, training: SMALL_TRAINING };
      const whole = (await scores(LINES, settings)).rows;
      const before = (await scores(past, settings)).rows.length;
      assert.ok(before > 1000 && before < whole.length);
      if (detector === "link") {
        const trained = whole.slice(0, before).filter(([score]) => score! < 1).length;
        assert.ok(trained > 100, `${trained} logins before T were scored by a trained model`);
      }
      for (const [name, other] of futures) {
        const { rows } = await scores([...past, ...other], settings);
        assert.deepEqual(rows.slice(0, before), whole.slice(0, before), name);
        if (other.length > 0) assert.notDeepEqual(rows.slice(before), whole.slice(before), name);
      }
    });
  }
});

describe("renaming", () => {
  const settings = { training: { mode: "off" } };

  test("changes no score of what is not trained, and no label is lost", async () => {
    const plain = await scores(LINES, settings);
    const renamed = await scores(LINES, settings, { renaming: new Renaming(randomKey()) });
    assert.equal(plain.evaluated.figures.positives, 7);
    assert.deepEqual(renamed.rows, plain.rows);
    assert.deepEqual(renamed.evaluated.figures, plain.evaluated.figures);
  });

  test("under one key gives the same model each time", async () => {
    const run = () =>
      scores(
        LINES.slice(0, 11_000),
        { detector: "link", training: SMALL_TRAINING },
        {
          renaming: new Renaming(keyOfSeed(3)),
        },
      );
    assert.deepEqual((await run()).rows, (await run()).rows);
  });
});

test("labels with scenarios give recall by scenario, for the baselines too", async () => {
  const labels = join(folder, "labels.csv");
  const rows = readFileSync(LABELS, "utf8").trimEnd().split("\n");
  const named = rows.map((row, i) => `${row},${i < 3 ? "early" : '"late, and odd"'}`);
  writeFileSync(labels, `time,targetUser,sourceHost,targetHost,scenario\n${named.join("\n")}\n`);
  const { figures } = (await scores(LINES, { training: { mode: "off" } }, { labels })).evaluated;
  assert.deepEqual(Object.keys(figures.byScenario!), ["early", "late, and odd"]);
  assert.equal(figures.byScenario!["early"]!.positives, 3);
  assert.equal(figures.byScenario!["late, and odd"]!.positives, 4);
  for (const ranking of Object.values(figures.baselines)) {
    assert.equal(ranking.byScenario!["early"]!.positives, 3);
  }
});

test("the weights that surprise has learnt in the end are told, none below zero; none where nothing is learnt", async () => {
  const weightsOf = async (settings: object) =>
    (await scores(LINES, { training: { mode: "off" }, ...settings })).evaluated.figures.contrastWeights;
  const weights = Object.values((await weightsOf({}))!);
  assert.ok(weights.every((weight) => weight >= 0) && weights.some((weight) => weight > 0));
  assert.equal(await weightsOf({ surprise: { contrast: false } }), null);
});

test("what comes before the scored period is warm-up: its labels count for nothing", async () => {
  const { figures } = (await scores(LINES, { training: { mode: "off" } }, { fromMs: 155_400_000 })).evaluated;
  assert.equal(figures.positives, 3);
});

describe("ablation", () => {
  test("has each signal that is a detector alone, and the default without it", () => {
    const variants = ablationVariants(configSchema.parse({ detector: "link" }));
    const alone = DETECTORS.filter((name) => name !== "default");
    assert.deepEqual(
      variants.map(({ name }) => name),
      ["default", ...alone.map((name) => `${name} alone`), ...alone.map((name) => `default without ${name}`)],
    );
    assert.equal(variants[0]!.config.detector, "default");
  });

  test("the default without a signal is not touched by it", async () => {
    const without = async (signal: string | undefined) =>
      (await scores(LINES, { withoutSignal: signal, training: { mode: "off" } })).rows.map(
        ([score]) => score!,
      );
    const [all, noPresence, noSurprise, noLink, noVolume] = [
      await without(undefined),
      await without("presence"),
      await without("surprise"),
      await without("link"),
      await without("volume"),
    ];
    assert.ok(Math.min(...all) < 1e-9);
    assert.ok(Math.min(...noPresence) > 1e-9, "no login has the tier's rank");
    assert.deepEqual(new Set(noSurprise), new Set([1, 1e-9]));
    assert.deepEqual(noLink, all, "link has no weight in the default");
    assert.deepEqual(noVolume, all, "volume is a channel of its own");
  });
});

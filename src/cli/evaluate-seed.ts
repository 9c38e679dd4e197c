import { outputsSchema } from "../config/outputs.ts";
import type { Config } from "../config/schema.ts";
import { trainEpoch } from "../engine/training/train-epoch.ts";
import { OddlinkError } from "../errors.ts";
import { ablationVariants } from "../evaluation/ablation.ts";
import type { ScenarioRanking } from "../evaluation/baseline-rankings.ts";
import { type Evaluated, evaluate, type RenamingMode } from "../evaluation/evaluation.ts";
import type { Labels } from "../evaluation/labels.ts";
import type { NotebookRelation } from "../evaluation/notebook/comparator.ts";
import { evaluateNotebook } from "../evaluation/notebook/evaluation.ts";
import { keyOfSeed, Renaming, randomKey } from "../evaluation/renaming.ts";
import type { StreamInput } from "../evaluation/stream.ts";
import type { Source } from "../ingest/sources.ts";
import { EmbeddedLog } from "../log/embedded/embedded-log.ts";
import { REAL_TIME } from "../time.ts";
import { openResolution } from "./resolution.ts";
import { Progress } from "./terminal/progress.ts";

/** An evaluation looks at scores as they are made, and writes none. */
const NO_OUTPUTS = outputsSchema.parse({});

export type SeedEvaluation = {
  readonly sources: readonly Source[];
  /** Holds the seed. */
  readonly config: Config;
  readonly labels: Labels;
  readonly fromMs: number | undefined;
  readonly renaming: RenamingMode;
  /** Relation of the notebook's model, where that is evaluated in place of a detector. */
  readonly notebook: NotebookRelation | undefined;
  readonly ablation: boolean;
};

/** @throws {OddlinkError} STOPPED: figures of a part of the input would pass for those of the whole */
export async function evaluateSeed(seed: SeedEvaluation, signal: AbortSignal): Promise<Evaluated> {
  const { config, notebook } = seed;
  if (notebook !== undefined) {
    return await withInput(seed, config, signal, "the comparator", (input, progress) =>
      evaluateNotebook({
        ...input,
        relation: notebook,
        onStep: (mode, step, steps) => progress(`training in ${mode}, step ${step} of ${steps}`),
      }),
    );
  }
  const evaluated = await withInput(seed, config, signal, config.detector, evaluate);
  if (!seed.ablation) return evaluated;
  const ablation: Record<string, ScenarioRanking> = {};
  for (const { name, config: variant } of ablationVariants(config)) {
    const { figures } = await withInput(seed, variant, signal, name, evaluate);
    const {
      raised: _raised,
      budget: _budget,
      baselines: _baselines,
      contrastWeights: _weights,
      ...ranking
    } = figures;
    ablation[name] = ranking;
  }
  return { ...evaluated, figures: { ...evaluated.figures, ablation } };
}

async function withInput(
  { sources, labels, fromMs, renaming }: SeedEvaluation,
  config: Config,
  signal: AbortSignal,
  what: string,
  work: (input: StreamInput, progress: (phase: string) => void) => Promise<Evaluated>,
): Promise<Evaluated> {
  const resolution = await openResolution(config);
  const log = await EmbeddedLog.open({ sources, recordBytesMax: config.input.recordBytesMax });
  const progress = new Progress({ stream: process.stderr, now: Date.now });
  const phase = `seed ${config.seed}, ${what}`;
  let records = 0;
  try {
    const evaluated = await work(
      {
        // Names are renamed, and what is measured is what is found, not who is told.
        config: { ...config, outputs: NO_OUTPUTS, suppressions: [] },
        log,
        time: REAL_TIME,
        labels,
        fromMs,
        renaming: renamingOf(renaming, config.seed),
        resolve: resolution.wrap,
        signal,
        train: (graph, options, number, trainedAtMs, trainingSignal, previous) =>
          trainEpoch(graph, options, number, trainedAtMs, {
            previous,
            onProgress: ({ step, steps }) =>
              progress.phase(`${phase}, training epoch ${number}, step ${step} of ${steps}`),
            signal: trainingSignal,
          }).finally(() => progress.phase(phase)),
        onProgress: (count) => {
          records += count;
          progress.update({ ...log.progress(), records });
        },
      },
      (text) => progress.phase(`${phase}, ${text}`),
    );
    if (!signal.aborted) return evaluated;
    throw new OddlinkError("STOPPED", "stopped before the end of the input; no figures were computed");
  } finally {
    progress.done();
    await log.close();
  }
}

function renamingOf(mode: RenamingMode, seed: number): Renaming | undefined {
  if (mode === "off") return undefined;
  return new Renaming(mode === "seed-key" ? keyOfSeed(seed) : randomKey());
}

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Config, configSchema } from "../../src/config/schema.ts";
import { trainEpoch } from "../../src/engine/training/train-epoch.ts";
import type { Evaluated } from "../../src/evaluation/evaluation.ts";
import { readLabels } from "../../src/evaluation/labels.ts";
import type { Renaming } from "../../src/evaluation/renaming.ts";
import type { StreamInput } from "../../src/evaluation/stream.ts";
import { findSources } from "../../src/ingest/sources.ts";
import { EmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import type { Random } from "../../src/model/random.ts";
import { REAL_TIME } from "../../src/time.ts";

const EXAMPLE = join(import.meta.dirname, "..", "..", "examples", "lanl");
/** The records of the example, two days, 7 of them labelled. */
export const LINES = gunzipSync(readFileSync(join(EXAMPLE, "auth.txt.gz")))
  .toString()
  .trimEnd()
  .split("\n");
export const LABELS = join(EXAMPLE, "labels", "redteam.txt");

export type StreamOptions = {
  readonly renaming?: Renaming;
  readonly labels?: string;
  readonly fromMs?: number;
};

/** Evaluates records of LANL's format, which are put in a file of that folder for it. */
export async function evaluateLines(
  folder: string,
  lines: readonly string[],
  settings: Record<string, unknown>,
  options: StreamOptions,
  work: (input: StreamInput) => Promise<Evaluated>,
): Promise<Evaluated> {
  const file = join(folder, "auth.txt");
  writeFileSync(file, `${lines.join("\n")}\n`);
  const config: Config = configSchema.parse(settings);
  const { recordBytesMax } = config.input;
  const log = await EmbeddedLog.open({ sources: await findSources([file]), recordBytesMax });
  try {
    return await work({
      config,
      log,
      time: REAL_TIME,
      labels: await readLabels(options.labels ?? LABELS, { toTimeMs: (text) => Number(text) * 1000 }),
      fromMs: options.fromMs,
      renaming: options.renaming,
      train: (graph, training, number, trainedAtMs, signal) =>
        trainEpoch(graph, training, number, trainedAtMs, { signal }),
      signal: new AbortController().signal,
    });
  } finally {
    await log.close();
  }
}

/** The same times, and at each the record of another, drawn at random. */
export function shuffled(lines: readonly string[], random: Random): string[] {
  const rests = lines.map((line) => line.slice(line.indexOf(",")));
  for (let i = rests.length - 1; i > 0; i--) {
    const j = random.nextInt(i + 1);
    [rests[i], rests[j]] = [rests[j]!, rests[i]!];
  }
  return lines.map((line, i) => line.slice(0, line.indexOf(",")) + rests[i]);
}

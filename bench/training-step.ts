/**
 * Claim: a training step of the back end `simd` takes two thirds of the time of PyTorch's on the CPU, or less: same model, start,
 * links, threads. And it stays below 250 MiB.
 *
 *   npx node bench/training-step.ts --python PYTHON [--threads 2] [--steps 10] [--rounds 3]
 *
 * PYTHON is one that has torch and numpy, say of `python3 -m venv venv && venv/bin/pip install torch numpy`; without it there is
 * no opponent, and only the back ends of this project are timed. The graph has 17,000 entities, 140,000 links of 40 relations
 * (280,000 messages), hubs, and a batch of all links and as many fakes. Rounds alternate; the median of all steps but the first
 * three of a round counts. Losses must be equal to 1e-4.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import type { MessageGraph, TrainingBatch } from "../src/model/backends/backend.ts";
import { type BackendName, loadBackend } from "../src/model/backends/backends.ts";
import { Random } from "../src/model/random.ts";
import { initialParameters, PARAMETER_NAMES, type RgcnShape } from "../src/model/rgcn.ts";
import { NO_DROPOUT } from "../src/model/training/dropout.ts";

const SHAPE: RgcnShape = {
  entities: 17_000,
  relations: 40,
  dimensions: 32,
  weights: "basis",
  bases: 8,
  decoder: "distmult",
};
const LINKS = 140_000;
const OPTIMISER = { learningRate: 0.02, l2: 0.1, clipNorm: 1, dropout: NO_DROPOUT };
const OWN = ["simd", "reference"] as const;
const WARM_UP_STEPS = 3;
const LOSS_TOLERANCE = 1e-4;

type Timed = { readonly losses: readonly number[]; readonly ms: readonly number[]; readonly rssMiB: number };

const options = new Command("training-step")
  .option("--python <path>", "a Python that has torch and numpy")
  .option("--threads <n>", "threads of each", Number, 2)
  .option("--steps <n>", "steps of a round", Number, 10)
  .option("--rounds <n>", "rounds", Number, 3)
  .option("--only <backend>", "time this back end, and print a JSON object")
  .parse()
  .opts<{ python?: string; threads: number; steps: number; rounds: number; only?: BackendName }>();

if (options.only === undefined) compare();
else process.stdout.write(JSON.stringify(await timeOf(options.only)));

function compare(): void {
  const folder = mkdtempSync(join(tmpdir(), "oddlink-bench-"));
  try {
    const opponents = options.python === undefined ? [] : ["torch"];
    if (options.python !== undefined) write(folder);
    const names = [...OWN, ...opponents];
    const ms = new Map<string, number[]>(names.map((name) => [name, []]));
    const rssMiB = new Map<string, number>();
    let losses: readonly number[] | undefined;
    for (let round = 0; round < options.rounds; round++) {
      for (const name of names) {
        const timed = name === "torch" ? torch(folder) : inProcess(name);
        ms.get(name)!.push(...timed.ms.slice(WARM_UP_STEPS));
        rssMiB.set(name, Math.max(timed.rssMiB, rssMiB.get(name) ?? 0));
        losses ??= timed.losses;
        const difference = Math.max(...timed.losses.map((loss, i) => Math.abs(loss - losses![i]!)));
        process.stdout.write(
          `round ${round + 1}  ${name.padEnd(10)} ${median(timed.ms.slice(WARM_UP_STEPS)).toFixed(1)} ms a step, ` +
            `${timed.rssMiB.toFixed(0)} MiB, losses within ${difference.toExponential(1)}\n`,
        );
        if (!(difference < LOSS_TOLERANCE)) throw new Error(`${name} has other losses: ${timed.losses}`);
      }
    }
    const fastest = median(ms.get("simd")!);
    for (const name of names) {
      const own = median(ms.get(name)!);
      process.stdout.write(
        `${name.padEnd(10)} ${own.toFixed(1)} ms a step on ${options.threads} threads, ${rssMiB.get(name)!.toFixed(0)} MiB; ` +
          `${(own / fastest).toFixed(2)} times as long as simd\n`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In a process of its own, for its memory. */
function inProcess(name: string): Timed {
  const own = ["--only", name, "--threads", String(options.threads), "--steps", String(options.steps)];
  return JSON.parse(execFileSync(process.execPath, [import.meta.filename, ...own]).toString());
}

function torch(folder: string): Timed {
  const script = join(import.meta.dirname, "training_step.py");
  const own = [script, folder, String(options.threads), String(options.steps)];
  const timed = JSON.parse(execFileSync(options.python!, own).toString());
  process.stdout.write(
    `         torch ${timed.version}, ms of each way: ${JSON.stringify(timed.tried)}; taken: ${timed.way}\n`,
  );
  return timed;
}

async function timeOf(name: BackendName): Promise<Timed> {
  const { graph, batch } = input();
  const createBackend = await loadBackend(name, "js");
  const backend = createBackend(SHAPE, initialParameters(SHAPE, 1), [graph], {
    ...OPTIMISER,
    batchLinksMax: batch.from.length,
    threads: options.threads,
  });
  const losses: number[] = [];
  const ms: number[] = [];
  for (let step = 0; step < options.steps; step++) {
    const startedMs = performance.now();
    losses.push(backend.step(batch, 0));
    ms.push(performance.now() - startedMs);
  }
  backend.close();
  return { losses, ms, rssMiB: process.resourceUsage().maxRSS / 1024 };
}

function input(): { readonly graph: MessageGraph; readonly batch: TrainingBatch } {
  const random = new Random(1, "graph");
  const end = (): number => Math.floor(SHAPE.entities * random.nextFloat() ** 2);
  const seen = new Set<number>();
  const links: (readonly [number, number, number])[] = [];
  while (links.length < LINKS) {
    const relation = Math.floor(SHAPE.relations * random.nextFloat() ** 2);
    const link = [end(), relation, end()] as const;
    const key = (link[0] * SHAPE.relations + link[1]) * SHAPE.entities + link[2];
    if (seen.has(key)) continue;
    seen.add(key);
    links.push(link);
  }
  const asked = Array.from({ length: 2 * LINKS }, (_, i) => links[i % LINKS]!);
  return {
    graph: {
      from: Int32Array.from(links, ([from]) => from),
      relation: Int32Array.from(links, ([, relation]) => relation),
      to: Int32Array.from(links, ([, , to]) => to),
    },
    batch: {
      from: Int32Array.from(asked, ([from]) => from),
      relation: Int32Array.from(asked, ([, relation]) => relation),
      to: Int32Array.from(asked, ([, , to], i) => (i < LINKS ? to : random.nextInt(SHAPE.entities))),
      label: Float32Array.from(asked, (_, i) => (i < LINKS ? 1 : 0)),
      weight: new Float32Array(2 * LINKS).fill(1),
    },
  };
}

function write(folder: string): void {
  const { graph, batch } = input();
  const start = initialParameters(SHAPE, 1);
  const put = (name: string, array: Int32Array | Float32Array): void =>
    writeFileSync(
      join(folder, `${name}.${array instanceof Int32Array ? "i32" : "f32"}`),
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    );
  writeFileSync(join(folder, "meta.json"), JSON.stringify({ ...SHAPE, ...OPTIMISER }));
  for (const name of ["from", "relation", "to"] as const) put(name, graph[name]);
  put("batchFrom", batch.from);
  put("batchRelation", batch.relation);
  put("batchTo", batch.to);
  put("label", batch.label);
  put("weight", batch.weight);
  for (const name of PARAMETER_NAMES) put(name, start[name]);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

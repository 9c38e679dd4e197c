import type { Finding } from "../verification/verifier.ts";
import { MISTAKES } from "./mistakes.ts";
import { runSchedule } from "./schedule.ts";

/** Within so many schedules each mistake must be found; most are within ten, the rarest shows in one of 150. */
const SEEDS_MAX = 600;

export type MistakeFound = {
  readonly mistake: string;
  /** The first seed for each verdict, with what was found. */
  readonly found: readonly (Finding & { readonly seed: number })[];
  /** Verdicts that no seed gave. */
  readonly missing: readonly string[];
  readonly schedules: number;
};

/** Lets all workers make one mistake, seed after seed, until it is found with all its verdicts. For `runSeeds`: a mistake a seed. */
export async function runSeed(place: number): Promise<MistakeFound> {
  const [mistake, { verdicts }] = Object.entries(MISTAKES)[place]!;
  const missing = new Set(verdicts);
  const found: (Finding & { seed: number })[] = [];
  let seed = 0;
  while (missing.size > 0 && seed < SEEDS_MAX) {
    const { findings } = await runSchedule(++seed, { mistake });
    for (const finding of findings) if (missing.delete(finding.verdict)) found.push({ ...finding, seed });
  }
  return { mistake, found, missing: [...missing], schedules: seed };
}

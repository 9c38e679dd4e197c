import { z } from "zod";
import type { FactReader, Facts } from "../graph-state/facts.ts";
import type { Graph } from "../graph-state/graph.ts";
import { BIN_COUNT, type HourlyHistogram } from "../graph-state/hourly-histograms.ts";
import type { LinkKind } from "../graph-state/link-kinds.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import { Contrast } from "./contrast/contrast.ts";
import { CONTRAST_FEATURES } from "./contrast/features.ts";
import type { LinkSignal } from "./link-signal.ts";
import { OddPast } from "./odd-past.ts";
import { fitTail, type Tail, tailProbability } from "./tail.ts";
import { TrailingHistogram } from "./trailing-histogram.ts";

const MS_PER_HOUR = 3_600_000;

export const surpriseOptionsSchema = z.strictObject({
  warmupHours: z
    .number()
    .min(0)
    .max(24 * 365)
    .default(12)
    .describe("hours after the first login that are not learnt from: everything is new then"),
  learnLogins: z
    .number()
    .int()
    .min(10)
    .max(1e6)
    .default(200)
    .describe("logins to learn from before the first score"),
  baselineLogins: z
    .number()
    .int()
    .min(100)
    .max(1e7)
    .default(4000)
    .describe("newest logins that say what is usual"),
  calibrationDays: z
    .number()
    .min(1)
    .max(90)
    .default(14)
    .describe("days of scores that a score is ranked among"),
  contrast: z
    .boolean()
    .default(true)
    .describe(
      "whether weights are learnt, without labels, from logins against fakes of them; else an untrained sum",
    ),
  usesLinks: z
    .boolean()
    .default(true)
    .describe("whether the graph model's likelihood of each link is among what weights are learnt for"),
  usesPast: z
    .boolean()
    .default(true)
    .describe("whether an odd login counts for more if the same account made odd links in the weeks before"),
});
export type SurpriseOptions = z.infer<typeof surpriseOptionsSchema>;

/** Largest contribution of one feature, in scales above the median. */
const CONTRIBUTION_MAX = 8;
const SCALE_MIN = 0.5;
/** Width of a histogram bin, of features (nats or counts) and of the sum alike. */
const BIN_WIDTH = 0.125;
/** Normal quantiles of .99 and .90: they turn a tail into the scale of a normal distribution. */
const Z_99 = 2.33;
const Z_90 = 1.28;

type Feature = {
  readonly name: string;
  /** Larger = odder; NaN if the login does not have it. */
  readonly value: (facts: Facts) => number;
  /** Least value the histogram can tell apart. */
  readonly least: number;
};

/** The features of the untrained sum, all "larger is odder". */
export const FEATURES: readonly Feature[] = [
  {
    name: "degreeSum",
    value: (f) => (f.isRemote ? -Math.log1p(f.sourceDegree) - Math.log1p(f.targetDegree) : Number.NaN),
    least: -40,
  },
  { name: "authGivenTarget", value: (f) => f.authGivenTarget, least: 0 },
  { name: "sourceGivenUser", value: (f) => f.sourceGivenUser, least: 0 },
  { name: "targetGivenUser", value: (f) => f.targetGivenUser, least: 0 },
  { name: "targetGivenSource", value: (f) => f.targetGivenSource, least: 0 },
  { name: "authGivenUser", value: (f) => f.authGivenUser, least: 0 },
  { name: "newTargetsHour", value: (f) => f.newTargetsHour, least: 0 },
  { name: "newTargetsDay", value: (f) => f.newTargetsDay, least: 0 },
];

/** What a feature adds to the oddness of a login. */
export type Contribution = { readonly feature: string; readonly contribution: number };

/**
 * The surprise signal: how unlike its user's, source's and target's past a login is.
 *
 * Once it is fitted, the contrast says so; see `contrast/`. Before that an untrained sum: each feature's distance above its median, in robust scales and clipped at 8, added up. Median and
 * scale come from the newest closed hours that hold 4,000 logins; the sum is ranked among the sums of the last 14 days,
 * with a fitted tail. All of it lives in hourly histograms, hence in segments.
 */
export class Surprise {
  /** Of each feature of the login scored last, in scales. */
  readonly #contributions = new Float64Array(FEATURES.length);
  readonly #contrast: Contrast | undefined;
  readonly #past: OddPast | undefined;
  #isContrast = false;
  readonly #options: SurpriseOptions;
  readonly #graph: Graph;
  readonly #features: readonly {
    readonly histogram: HourlyHistogram;
    readonly trailing: TrailingHistogram;
  }[];
  readonly #sums: HourlyHistogram;
  readonly #trailingSums: TrailingHistogram;
  readonly #values = new Float64Array(FEATURES.length);
  readonly #medians = new Float64Array(FEATURES.length);
  readonly #scales = new Float64Array(FEATURES.length);
  #hour = -1;
  #isLearnt = false;
  #tail: Tail | undefined;
  #sum = 0;

  constructor(graph: Graph, reader: FactReader, link: LinkSignal, options: SurpriseOptions) {
    this.#graph = graph;
    this.#options = options;
    this.#contrast = options.contrast ? new Contrast(graph, reader, link, options) : undefined;
    this.#past = options.usesPast ? new OddPast(graph, options.calibrationDays) : undefined;
    const limits = { countMin: options.baselineLogins, hoursMax: options.calibrationDays * 24 };
    this.#features = FEATURES.map(({ name }) => {
      const histogram = graph.histograms.get(`feature/${name}`);
      return { histogram, trailing: new TrailingHistogram(histogram, limits) };
    });
    this.#sums = graph.histograms.get("surprise");
    this.#trailingSums = new TrailingHistogram(this.#sums, { ...limits, countMin: Number.POSITIVE_INFINITY });
  }

  /** False while there is too little past to rank a login among; its probability is 1 then. */
  get isCalibrated(): boolean {
    return this.#tail !== undefined;
  }

  /** What made the login scored last odd, the strongest first; in log-odds, or in scales while the sum is untrained. */
  contributions(): Contribution[] {
    const [features, values] = this.#isContrast
      ? [CONTRAST_FEATURES, this.#contrast!.contributions]
      : [FEATURES, this.#contributions];
    return features
      .map(({ name }, k) => ({ feature: name, contribution: values[k]! }))
      .concat(this.#past === undefined ? [] : { feature: "oddPast", contribution: this.#past.added })
      .sort((a, b) => b.contribution - a.contribution);
  }

  /** Odd links that the account of the login scored last made in the weeks before it, faded by their age. */
  get oddPastCount(): number {
    return this.#past?.count ?? 0;
  }

  /** The kind of link that the login scored last makes, if it is odd: it counts when the account is odd again. */
  oddNewsOf(login: LoginBytes, facts: Facts): LinkKind | undefined {
    return this.#past?.newsOf(login, facts);
  }

  /** Weight of each feature, per standard deviation, once they are learnt. */
  weights(): Readonly<Record<string, number>> | undefined {
    const fit = this.#contrast?.fit;
    return fit && Object.fromEntries(CONTRAST_FEATURES.map(({ name }, k) => [name, fit.weights[k]!]));
  }

  /**
   * Tail probability of the login, in (0, 1]; low is odd. The login itself is not learnt from yet. The link signal must have seen
   * it before.
   */
  score(facts: Facts): number {
    const hour = Math.floor(this.#graph.window.watermarkMs / MS_PER_HOUR);
    if (hour !== this.#hour) this.#roll(hour);
    this.#sum = 0;
    for (let i = 0; i < FEATURES.length; i++) {
      const value = FEATURES[i]!.value(facts);
      this.#values[i] = value;
      const z = this.#isLearnt ? (value - this.#medians[i]!) / this.#scales[i]! : 0;
      const contribution = z > 0 ? Math.min(z, CONTRIBUTION_MAX) : 0;
      this.#contributions[i] = contribution;
      this.#sum += contribution;
    }
    const contrast = this.#contrast?.score(facts);
    this.#isContrast = contrast !== undefined;
    const probability = contrast ?? (this.#tail === undefined ? 1 : tailProbability(this.#tail, this.#sum));
    return this.#past === undefined ? probability : this.#past.score(probability, facts);
  }

  /**
   * Learns from the login scored last, before it is added.
   *
   * @param key uniform hash of where it came from
   */
  learn(login: LoginBytes, facts: Facts, key: number): void {
    this.#contrast?.learn(login, facts, key);
    this.#past?.learn();
    const sinceStartMs = this.#graph.window.watermarkMs - this.#graph.originMs;
    if (sinceStartMs < this.#options.warmupHours * MS_PER_HOUR) return;
    for (let i = 0; i < FEATURES.length; i++) {
      const value = this.#values[i]!;
      if (!Number.isNaN(value))
        this.#features[i]!.histogram.record(this.#hour, (value - FEATURES[i]!.least) / BIN_WIDTH);
    }
    if (this.#isLearnt) this.#sums.record(this.#hour, this.#sum / BIN_WIDTH);
  }

  /** An hour closed: what is usual is read anew from the closed hours. */
  #roll(hour: number): void {
    this.#hour = hour;
    this.#isLearnt = false;
    for (let i = 0; i < FEATURES.length; i++) {
      const { trailing } = this.#features[i]!;
      const { least } = FEATURES[i]!;
      trailing.roll(hour);
      // What these logins hardly ever have, or the configured links never show, says nothing about them.
      if (trailing.total < this.#options.learnLogins / 2) {
        this.#scales[i] = Number.POSITIVE_INFINITY;
        continue;
      }
      this.#isLearnt = true;
      const median = trailing.quantile(0.5);
      const scale = Math.max(
        (trailing.quantile(0.99) - median) / Z_99,
        (trailing.quantile(0.9) - median) / Z_90,
      );
      this.#medians[i] = least + median * BIN_WIDTH;
      this.#scales[i] = Math.max(scale * BIN_WIDTH, SCALE_MIN);
    }
    this.#trailingSums.roll(hour);
    this.#tail =
      this.#isLearnt && this.#trailingSums.total >= this.#options.learnLogins
        ? fitTail(BIN_CENTRES, this.#trailingSums.sum)
        : undefined;
  }
}

const BIN_CENTRES = Float64Array.from({ length: BIN_COUNT }, (_, bin) => (bin + 0.5) * BIN_WIDTH);

import type { TrainingBatch } from "../backends/backend.ts";
import { linkClassOf } from "../relation-names.ts";
import { tailProbability } from "../tail.ts";
import { type FakeKind, FakeSampler } from "../training/fake-sampler.ts";
import { heldOutLinks, type TrainedModel } from "../training/trainer.ts";
import type { TrainingGraph } from "../training/training-graph.ts";
import type { TrainingOptions } from "../training/training-options.ts";
import { type Asked, askCandidate, askRunning, type RunningModel } from "./gate-models.ts";
import { GATE_FAKES, type GateFake, type GateVerdict, uncompared } from "./gate-verdict.ts";

/** On fewer links the standard error of a difference of AUCs is a tenth: only what nobody would miss could be seen. */
export const GATE_LINKS_MIN = 30;
/** A difference within so many standard errors is none: of equal epochs one in forty seems worse by more. */
const STANDARD_ERRORS = 2;
/** Fakes of each kind that a link is held against. */
const FAKES_OF_LINK = 4;
/** Where thresholds lie, and how many times as many of the links may lie below; two standard errors of that are noise, and so few. */
const DRIFT_PROBABILITIES = [1e-2, 1e-3] as const;
const DRIFT_RATIO = 3;
const DRIFT_LINKS_MIN = 10;

/** By the column that an end of a link comes from. */
const FAKE_OF_COLUMN: Readonly<Record<string, GateFake>> = {
  user: "user",
  targetUser: "user",
  sourceHost: "source",
  targetHost: "target",
};
/** How the sampler draws each kind. */
const DRAWN_AS: Readonly<Record<GateFake, FakeKind>> = {
  target: "degree",
  source: "degree",
  user: "degree",
  relation: "swappedRelation",
  degreeMatched: "degreeMatched",
  sameRole: "sharedPeer",
};

/**
 * Whether a model that was just trained may take the place of the running one. Both are asked about the same links, which neither
 * has trained on, and about the same fakes of them: those that were held out from the candidate and are newer than what the running
 * one was trained on.
 *
 * It is worse if its mean AUC over the kinds of fakes is below the running one's by more than two standard errors of the difference, which is
 * paired link by link; or if more than three times as many links lie where thresholds do.
 */
export function judge(
  graph: TrainingGraph,
  candidate: TrainedModel,
  running: RunningModel,
  options: TrainingOptions,
): GateVerdict {
  const { number } = running;
  const heldOut = heldOutLinks(graph, options.heldOutShare);
  const all = Int32Array.from(heldOut.keys());
  const unseen = all.filter((link) => heldOut[link] === 1 && graph.linkFirstMs[link]! > running.trainedAtMs);
  if (unseen.length < GATE_LINKS_MIN) {
    const reason = `too little to compare: ${unseen.length} links are newer than epoch ${number} and held out, ${GATE_LINKS_MIN} are needed`;
    return uncompared(reason, number, unseen.length);
  }
  const trained = all.filter((link) => heldOut[link] === 0);
  const asked = [askRunning(graph, trained, running), askCandidate(graph, candidate)] as const;
  const sampler = new FakeSampler(graph, trained, all, options.seed, "fakes of the gate");
  const { aucByFake, difference, standardError } = compareRanks(graph, unseen, sampler, asked);
  const drift = DRIFT_PROBABILITIES.map((probability) => driftOf(graph, unseen, asked, probability));
  const reasons = [
    ...(difference < -STANDARD_ERRORS * standardError
      ? [
          `it tells ${unseen.length} unseen links from fakes worse than epoch ${number}: mean AUC ${(-difference).toFixed(3)} lower, ` +
            `${STANDARD_ERRORS} standard errors are ${(STANDARD_ERRORS * standardError).toFixed(3)}`,
        ]
      : []),
    ...drift
      .filter((d) => d.candidate > allowed(d))
      .map(
        (d) =>
          `${d.candidate} of ${d.links} unseen links are less likely than ${d.probability} under it, ${d.running} under epoch ${number}`,
      ),
  ];
  const isAccepted = reasons.length === 0;
  const signed = `${difference < 0 ? "" : "+"}${difference.toFixed(3)}`;
  return {
    isAccepted,
    reason: isAccepted
      ? `no worse than epoch ${number} on ${unseen.length} unseen links: mean AUC ${signed}`
      : reasons.join("; "),
    running: number,
    links: unseen.length,
    aucByFake,
    difference,
    standardError,
    drift,
  };
}

/** AUCs of both by kind of fake, and the difference of their means with its standard error: links are what is drawn. */
function compareRanks(
  graph: TrainingGraph,
  unseen: Int32Array,
  sampler: FakeSampler,
  asked: readonly [running: Asked, candidate: Asked],
): Pick<GateVerdict, "aucByFake"> & { readonly difference: number; readonly standardError: number } {
  const kinds = GATE_FAKES.map((fake) => ({ fake, wins: winsAgainst(fake, graph, unseen, sampler, asked) }));
  const compared = kinds.filter(({ wins }) => wins.length > 0);
  // What each link adds to the difference: the mean over kinds of its mean within the kind.
  const contributions = new Map<number, number>(Array.from(unseen, (link) => [link, 0]));
  for (const { wins } of compared)
    for (const { link, running, candidate } of wins) {
      const share = (candidate - running) / (wins.length * compared.length);
      contributions.set(link, contributions.get(link)! + share);
    }
  const n = contributions.size;
  const values = [...contributions.values()];
  const difference = values.reduce((sum, value) => sum + value, 0);
  const squares = values.reduce((sum, value) => sum + (value - difference / n) ** 2, 0);
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  return {
    aucByFake: Object.fromEntries(
      compared.map(({ fake, wins }) => [
        fake,
        {
          running: mean(wins.map(({ running }) => running)),
          candidate: mean(wins.map(({ candidate }) => candidate)),
        },
      ]),
    ),
    difference,
    standardError: Math.sqrt((squares * n) / (n - 1)),
  };
}

type Wins = { readonly link: number; running: number; candidate: number };

/** Share of its fakes that each link scores above, half for a tie, under both; links of which no fake can be had are left out. */
function winsAgainst(
  fake: GateFake,
  graph: TrainingGraph,
  unseen: Int32Array,
  sampler: FakeSampler,
  asked: readonly [running: Asked, candidate: Asked],
): Wins[] {
  const links = Array.from(unseen).flatMap((link) => {
    const end = endOf(fake, graph.relationNames[graph.linkRelation[link]!]!);
    return end === "none" ? [] : [{ link, end: end === "either" ? undefined : end }];
  });
  const n = links.length;
  const batch: TrainingBatch = {
    from: new Int32Array(2 * n),
    relation: new Int32Array(2 * n),
    to: new Int32Array(2 * n),
    label: new Float32Array(2 * n),
    weight: new Float32Array(2 * n).fill(1),
  };
  for (const [i, { link }] of links.entries()) {
    batch.from[i] = graph.linkFrom[link]!;
    batch.relation[i] = graph.linkRelation[link]!;
    batch.to[i] = graph.linkTo[link]!;
  }
  const won = ({ logit }: Asked, i: number): number => {
    const at = (j: number): number => logit(batch.from[j]!, batch.relation[j]!, batch.to[j]!);
    const [real, made] = [at(i), at(n + i)];
    return real > made ? 1 : real === made ? 0.5 : 0;
  };
  const sums = links.map(({ link }) => ({ link, running: 0, candidate: 0, fakes: 0 }));
  for (let draw = 0; draw < FAKES_OF_LINK; draw++) {
    sampler.fillWith(batch, n, DRAWN_AS[fake], (i) => links[i]!.end);
    for (const [i, sum] of sums.entries()) {
      if (batch.weight[n + i] === 0) continue;
      sum.fakes++;
      sum.running += won(asked[0], i);
      sum.candidate += won(asked[1], i);
    }
  }
  return sums
    .filter(({ fakes }) => fakes > 0)
    .map(({ link, running, candidate, fakes }) => ({
      link,
      running: running / fakes,
      candidate: candidate / fakes,
    }));
}

/** Which end of a link the fake replaces. */
function endOf(fake: GateFake, relationName: string): "from" | "to" | "either" | "none" {
  if (fake !== "target" && fake !== "source" && fake !== "user") return "either";
  const [from, to] = linkClassOf(relationName).split("-");
  if (FAKE_OF_COLUMN[from!] === fake) return "from";
  return FAKE_OF_COLUMN[to!] === fake ? "to" : "none";
}

type Drift = GateVerdict["drift"][number];

function driftOf(
  graph: TrainingGraph,
  unseen: Int32Array,
  [running, candidate]: readonly [Asked, Asked],
  probability: number,
): Drift {
  const drift = { probability, links: 0, running: 0, candidate: 0 };
  for (const link of unseen) {
    const relation = graph.linkRelation[link]!;
    const name = linkClassOf(graph.relationNames[relation]!);
    const isBelow = ({ calibration, logit }: Asked): boolean =>
      tailProbability(calibration[name]!, -logit(graph.linkFrom[link]!, relation, graph.linkTo[link]!)) <
      probability;
    // A class that the running epoch is not calibrated for says nothing in scoring either.
    if (running.calibration[name] === undefined) continue;
    drift.links++;
    if (isBelow(running)) drift.running++;
    if (isBelow(candidate)) drift.candidate++;
  }
  return drift;
}

/** Three times as many as the running epoch has, or as the probability promises, and what may be chance: counts are Poisson. */
function allowed({ running, links, probability }: Drift): number {
  const expected = DRIFT_RATIO * Math.max(running, links * probability);
  return Math.max(DRIFT_LINKS_MIN, expected + STANDARD_ERRORS * Math.sqrt(expected));
}

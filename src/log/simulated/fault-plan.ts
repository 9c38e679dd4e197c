import { type RandomStream, uniform } from "./random-streams.ts";

/**
 * Everything that can go wrong by itself:
 *
 * - `kill`: a process ends as by SIGKILL.
 * - `pause`: a process stands still as by SIGSTOP, for a moment or for longer than all timeouts, and goes on.
 * - `brokerRestart`: the broker is away for up to seconds.
 * - `slowTail`: what one process reads of one partition outside groups comes up to seconds late, for a while.
 * - `compaction`: a compacted partition is compacted up to some point below its last stable offset.
 * - `rebalanceStorm`: a group gives its partitions out anew several times within seconds.
 * - `consumerCrash`: a membership or a tail ends with `onCrash`.
 * - `answerLost`: a request that may be repeated is carried out, and its answer lost.
 * - `sendRefused`: records are not taken however often they are sent.
 * - `commitLost`: a commit never reaches the broker.
 * - `commitAnswerLost`: a commit takes effect, and its answer is lost.
 * - `commitLate`: a commit takes effect up to seconds after the client has stopped waiting for it, unless fenced first.
 * - `cutOff`: one process and the broker do not hear each other, or one of them not the other, while it works on.
 * - `clockJump`: the wall clock of one process jumps, to be up to an hour wrong.
 */
export const FAULT_NAMES = [
  "kill",
  "pause",
  "brokerRestart",
  "slowTail",
  "compaction",
  "rebalanceStorm",
  "consumerCrash",
  "answerLost",
  "sendRefused",
  "commitLost",
  "commitAnswerLost",
  "commitLate",
  "cutOff",
  "clockJump",
] as const;

export type FaultName = (typeof FAULT_NAMES)[number];

export type FaultRate = {
  /** Probability in [0, 1]: at each request of its kind, or once each `FAULT_INTERVAL_MS` for those of no request. */
  readonly chance: number;
  /** It happens so often at most. */
  readonly countMax: number;
};

export type FaultPlan = Readonly<Record<FaultName, FaultRate>>;

/** How often faults that no request provokes are drawn for. */
export const FAULT_INTERVAL_MS = 100;

/** Chances that make a fault happen every few seconds in a busy cluster of four. */
const USUAL_CHANCES: Readonly<Record<FaultName, number>> = {
  kill: 0.01,
  pause: 0.01,
  brokerRestart: 0.005,
  slowTail: 0.02,
  compaction: 0.05,
  rebalanceStorm: 0.005,
  consumerCrash: 0.002,
  answerLost: 0.003,
  sendRefused: 0.005,
  commitLost: 0.01,
  commitAnswerLost: 0.01,
  commitLate: 0.01,
  cutOff: 0.007,
  clockJump: 0.005,
};

/** Share of the faults that a drawn plan leaves out, so that the others are also seen without them. */
const LEFT_OUT_SHARE = 0.4;
const COUNT_MAX = 8;

export const NO_FAULTS: FaultPlan = planOf(() => ({ chance: 0, countMax: 0 }));

/** A plan of a seed: some faults not at all, the others half to four times as likely as usual. */
export function drawFaultPlan(random: RandomStream): FaultPlan {
  return planOf((name) => {
    const isLeftOut = random.nextFloat() < LEFT_OUT_SHARE;
    const chance = Math.min(1, USUAL_CHANCES[name] * 2 ** uniform(random, -1, 2));
    const countMax = 1 + random.nextInt(COUNT_MAX);
    return isLeftOut ? { chance: 0, countMax: 0 } : { chance, countMax };
  });
}

/** The same plan without some of its faults. */
export function withoutFaults(plan: FaultPlan, names: readonly FaultName[]): FaultPlan {
  return planOf((name) => (names.includes(name) ? NO_FAULTS[name] : plan[name]));
}

function planOf(rateOf: (name: FaultName) => FaultRate): FaultPlan {
  return Object.fromEntries(FAULT_NAMES.map((name) => [name, rateOf(name)])) as Record<FaultName, FaultRate>;
}

/** What is left of a plan: each fault strikes by chance until it has struck as often as it may. */
export class FaultBudget {
  readonly #plan: FaultPlan;
  readonly #random: RandomStream;
  readonly #counts: Record<FaultName, number>;

  constructor(plan: FaultPlan, random: RandomStream) {
    this.#plan = plan;
    this.#random = random;
    this.#counts = Object.fromEntries(FAULT_NAMES.map((name) => [name, 0])) as Record<FaultName, number>;
  }

  /** How often each fault has struck. */
  get counts(): Readonly<Record<FaultName, number>> {
    return this.#counts;
  }

  strikes(name: FaultName): boolean {
    const { chance, countMax } = this.#plan[name];
    if (chance === 0 || this.#counts[name] >= countMax) return false;
    if (this.#random.nextFloat() >= chance) return false;
    this.#counts[name]++;
    return true;
  }

  /** Counts a fault that was not left to chance. */
  force(name: FaultName): void {
    this.#counts[name]++;
  }

  /** Takes a strike back that found nothing to hit. */
  missed(name: FaultName): void {
    this.#counts[name]--;
  }
}

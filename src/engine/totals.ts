import type { Decision } from "../alerts/decision.ts";
import { SCORE_BINS } from "../alerts/group-peaks.ts";
import type { Signal } from "../alerts/odd-login.ts";
import { countedAs } from "../alerts/suppression.ts";
import { IGNORE_REASONS, REJECT_REASONS } from "../ingest/decoded.ts";

/** Decades of the score histogram: 1e-20 to 1; smaller scores count in the first. */
export const DECADES = 20;

/** What became of records. `consumed` is the sum of the other five outcomes, always. */
export type Counts = {
  consumed: number;
  scored: number;
  evidence: number;
  duplicate: number;
  /** Of those scored or added, how many lay more than an hour before the newest login by then. */
  late: number;
  /** Of those scored, how many had an account or a host that the epoch in force was not trained on, in a link that is not familiar. */
  unseenByEpoch: number;
  ignored: Record<string, number>;
  rejected: Record<string, number>;
  alerts: number;
  /** What epochs in the shadow would have raised, which alerted nobody. */
  alertsShadow: number;
  incidents: number;
  alertsBySignal: Record<string, number>;
  /** Alerts that a rule suppressed, which are not among them. */
  suppressed: number;
  suppressedByRule: Record<string, number>;
  /** Scored logins by decade of score: index 0 is below 1e-19, index 19 is 0.1 to 1. */
  decades: number[];
  /** The same in finer bins, see `scoreBinOf`, but for those that presence raises: no threshold is about them. */
  scoreBins: number[];
};

/** Logins in a row that lie too far ahead to be believed: see `believesJump`. */
export type Ahead = { count: number; lastMs: number };

/** What became of every record since the state began. */
export type Totals = Counts & EpochCounts & { readonly ahead: Ahead };

/** Epochs adopted, those that came back among them; epochs that the gate did not let pass; epochs taken back. */
export type EpochCounts = { epochs: number; epochsRejected: number; rollBacks: number };

export function noCounts(): Counts {
  return {
    consumed: 0,
    scored: 0,
    evidence: 0,
    duplicate: 0,
    late: 0,
    unseenByEpoch: 0,
    ignored: Object.fromEntries(IGNORE_REASONS.map((reason) => [reason, 0])),
    rejected: Object.fromEntries(REJECT_REASONS.map((reason) => [reason, 0])),
    alerts: 0,
    alertsShadow: 0,
    incidents: 0,
    alertsBySignal: {},
    suppressed: 0,
    suppressedByRule: {},
    decades: new Array(DECADES).fill(0),
    scoreBins: new Array(SCORE_BINS).fill(0),
  };
}

export function emptyTotals(): Totals {
  return { ...noCounts(), epochs: 0, epochsRejected: 0, rollBacks: 0, ahead: { count: 0, lastMs: 0 } };
}

/** Totals as they were stored: earlier ones say nothing of what was not counted yet. */
export function parseTotals(stored: string): Totals {
  return { ...emptyTotals(), ...(JSON.parse(stored) as Partial<Totals>) };
}

export function plus(totals: Totals, counts: Counts): Totals {
  return {
    consumed: totals.consumed + counts.consumed,
    scored: totals.scored + counts.scored,
    evidence: totals.evidence + counts.evidence,
    duplicate: totals.duplicate + counts.duplicate,
    late: totals.late + counts.late,
    unseenByEpoch: totals.unseenByEpoch + counts.unseenByEpoch,
    ignored: plusEach(totals.ignored, counts.ignored),
    rejected: plusEach(totals.rejected, counts.rejected),
    alerts: totals.alerts + counts.alerts,
    alertsShadow: totals.alertsShadow + counts.alertsShadow,
    incidents: totals.incidents + counts.incidents,
    alertsBySignal: plusEach(totals.alertsBySignal, counts.alertsBySignal),
    suppressed: totals.suppressed + counts.suppressed,
    suppressedByRule: plusEach(totals.suppressedByRule, counts.suppressedByRule),
    decades: totals.decades.map((count, decade) => count + counts.decades[decade]!),
    scoreBins: totals.scoreBins.map((count, bin) => count + counts.scoreBins[bin]!),
    epochs: totals.epochs,
    epochsRejected: totals.epochsRejected,
    rollBacks: totals.rollBacks,
    ahead: totals.ahead,
  };
}

function plusEach(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum = { ...a };
  for (const [name, count] of Object.entries(b)) addCount(sum, name, count);
  return sum;
}

/**
 * Counts what a login raised: an alert, or one that is suppressed.
 *
 * @param isFirst whether it begins an incident
 */
export function countFinding(
  counts: Counts,
  { suppressedBy }: Decision,
  signal: Signal,
  isFirst: boolean,
): void {
  if (suppressedBy !== undefined) {
    counts.suppressed++;
    addCount(counts.suppressedByRule, countedAs(suppressedBy));
    return;
  }
  counts.alerts++;
  if (isFirst) counts.incidents++;
  addCount(counts.alertsBySignal, signal);
}

/** Names of rules are anybody's choice: `constructor` is a member of every object, and no count. */
function addCount(counts: Record<string, number>, name: string, count = 1): void {
  counts[name] = (Object.hasOwn(counts, name) ? counts[name]! : 0) + count;
}

/** So many logins in a row, all far ahead of those before but near each other, are a gap in the input and no wrong clock. */
const JUMP_LOGINS = 20;

/**
 * One login far in the future may not move the window; many in a row are believed, or a gap in the input, or one wrong
 * first record, would shut out everything after it. To be called for each login that is too far ahead.
 */
export function believesJump(ahead: Ahead, timeMs: number, maxJumpMs: number): boolean {
  ahead.count = Math.abs(timeMs - ahead.lastMs) <= maxJumpMs ? ahead.count + 1 : 1;
  ahead.lastMs = timeMs;
  return ahead.count >= JUMP_LOGINS;
}

export function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

export function decadeOf(score: number): number {
  const decade = DECADES - 1 + Math.ceil(Math.log10(score));
  return Math.max(0, Math.min(DECADES - 1, decade));
}

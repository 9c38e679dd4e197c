import { Buffer } from "node:buffer";
import type { Signal } from "../alerts/odd-login.ts";
import type { DetectionCheck, EXPECTATIONS } from "../config/checks.ts";
import { outputsSchema } from "../config/outputs.ts";
import type { Config } from "../config/schema.ts";
import { Engine } from "../engine/engine.ts";
import type { Scored } from "../engine/scoring.ts";
import { WholeMerging } from "../engine/segment-merging.ts";
import { OddlinkError } from "../errors.ts";
import type { Facts } from "../graph-state/facts.ts";
import { type Source, STDIN } from "../ingest/sources.ts";
import { EmbeddedLog } from "../log/embedded/embedded-log.ts";
import { learningState } from "../model/presence.ts";
import { REAL_TIME } from "../time.ts";
import { scoreText } from "./terminal/numbers.ts";

const MS_PER_MINUTE = 60_000;
const LINES_PER_CHUNK = 1000;
const SOURCE: Source = { name: "check", path: STDIN, sizeBytes: undefined, isStream: true };
const NO_OUTPUTS = outputsSchema.parse({});

/** What became of the last login of a check. */
export type CheckFound = {
  readonly outcome: (typeof EXPECTATIONS)[number] | "unread";
  readonly signal?: Signal;
  readonly score?: number;
  readonly threshold?: number | null;
  /** Id of the rule that suppressed it. */
  readonly rule?: string;
  /** Why no alert may be expected yet, or which record could not be read. */
  readonly why?: string;
};

export type CheckResult = { readonly name: string; readonly ok: boolean; readonly found: CheckFound };

/**
 * Runs the logins of a check through an engine of its own, with the configuration in force, a temporary store and no training.
 *
 * @param nowMs time of the last login, unless the check says it
 * @throws {OddlinkError} STOPPED if the signal fires before its end
 */
export async function runCheck(
  check: DetectionCheck,
  config: Config,
  nowMs: number,
  signal: AbortSignal,
): Promise<CheckResult> {
  const lastMs = check.at === undefined ? nowMs : Date.parse(check.at);
  const log = await EmbeddedLog.open({
    sources: [SOURCE],
    stdin: linesOf(check, lastMs),
    recordBytesMax: config.input.recordBytesMax,
  });
  let last: CheckFound | undefined;
  try {
    const engine = new Engine({
      config: configOf(config),
      log,
      // A rule's end may lie ahead, and a check show what comes after it.
      time: { ...REAL_TIME, now: () => Math.max(nowMs, lastMs) },
      merging: (state) => new WholeMerging(state),
      train: () => {
        throw new OddlinkError("TRAINING_FAILED", "checks are run without training");
      },
      onScored: ({ timeMs }, scored, facts) => {
        if (timeMs === lastMs) last = foundOf(scored, facts, config);
      },
      signal,
    });
    const failure = await engine.run().catch(unreadable);
    if (signal.aborted) throw new OddlinkError("STOPPED", "stopped before all checks were run");
    const [rejected] = Object.entries(engine.totals.rejected).filter(([, count]) => count > 0);
    const why = rejected === undefined ? failure : `${rejected[1]} of them: ${rejected[0]}`;
    const found: CheckFound =
      last === undefined || why !== undefined
        ? { outcome: "unread", why: why ?? "the last login is no record that is scored" }
        : last;
    return { name: check.name, ok: isExpected(check, found), found };
  } finally {
    await log.close();
  }
}

function configOf(config: Config): Config {
  return {
    ...config,
    input: { ...config.input, format: "oddlink" },
    training: { ...config.training, mode: "off", shadow: false },
    outputs: NO_OUTPUTS,
  };
}

/** Records that can't be read are a check's failure, not the command's. */
function unreadable(error: unknown): string {
  if (error instanceof OddlinkError && error.code === "TOO_MANY_REJECTED") return error.message;
  throw error;
}

/** The logins as lines of oddlink's own JSON, the last one at `lastMs`. */
async function* linesOf({ logins }: DetectionCheck, lastMs: number): AsyncGenerator<Buffer> {
  let beforeMs = logins.reduce((sum, one, i) => sum + gapMs(one.afterMinutes, i > 0) + spanMs(one), 0);
  let lines: string[] = [];
  for (const [i, { repeat, everyMinutes, afterMinutes, ...login }] of logins.entries()) {
    beforeMs -= gapMs(afterMinutes, i > 0);
    for (let k = 0; k < repeat; k++) {
      if (k > 0) beforeMs -= gapMs(everyMinutes, true);
      lines.push(`${JSON.stringify({ ...login, timeMs: lastMs - Math.max(0, beforeMs) })}\n`);
      if (lines.length < LINES_PER_CHUNK) continue;
      yield Buffer.from(lines.join(""));
      lines = [];
    }
  }
  if (lines.length > 0) yield Buffer.from(lines.join(""));
}

/** In whole milliseconds, so that the sum of all comes out. */
function gapMs(minutes = 1, isThere: boolean): number {
  return isThere ? Math.round(minutes * MS_PER_MINUTE) : 0;
}

function spanMs({ repeat, everyMinutes }: DetectionCheck["logins"][number]): number {
  return (repeat - 1) * gapMs(everyMinutes, true);
}

function foundOf(scored: Scored, facts: Facts, config: Config): CheckFound {
  const { isAlert, suppressedBy, threshold } = scored.decision!;
  const told = { signal: scored.signal, score: scored.alertScore, threshold };
  if (suppressedBy !== undefined) return { outcome: "suppressed", ...told, rule: suppressedBy.id };
  if (isAlert) return { outcome: "alert", ...told };
  const why = learningState(facts, config.presence);
  return { outcome: "none", score: scored.score, ...(why !== undefined && { why }) };
}

function isExpected({ expect, signal, rule }: DetectionCheck, found: CheckFound): boolean {
  return found.outcome === expect && (signal === undefined || found.signal === signal) && found.rule === rule;
}

/** What a check expects, as `foundText` says what was found. */
export function expectedText({ expect, signal, rule }: DetectionCheck): string {
  return outcomeText({ outcome: expect, ...(signal && { signal }), ...(rule !== undefined && { rule }) });
}

export function foundText(found: CheckFound): string {
  const details = [
    ...(found.score === undefined ? [] : [`score ${scoreText(found.score)}`]),
    ...(found.why === undefined ? [] : [found.why]),
  ];
  return outcomeText(found) + (details.length > 0 ? ` (${details.join("; ")})` : "");
}

function outcomeText({ outcome, signal, rule }: Pick<CheckFound, "outcome" | "signal" | "rule">): string {
  const by = signal === undefined ? "" : ` of ${signal}`;
  if (outcome === "unread") return "records that can't be read";
  if (outcome === "none") return "no alert";
  return outcome === "alert" ? `an alert${by}` : `an alert${by} suppressed by ${rule}`;
}

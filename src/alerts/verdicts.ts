import { JudgedLinks, type Judgement, type NamedLink } from "../graph-state/judged-links.ts";
import { type LoginBytes, SOURCE_HOST, TARGET_HOST, USER } from "../ingest/login-bytes.ts";
import type { Signal } from "./odd-login.ts";
import { type Suppression, VERDICT_PREFIX } from "./suppression.ts";
import { endMsOf } from "./until.ts";
import type { Verdict, VerdictKind, VerdictMatch } from "./verdict.ts";

/** Incidents whose answers are kept: beyond, the oldest answers are forgotten, and their effect with them. */
const INCIDENTS_MAX = 10_000;
/** Answers to one incident that are kept, for who wants to know what was said before. */
const HISTORY_MAX = 20;

const JUDGEMENTS: Readonly<Record<VerdictKind, Judgement | undefined>> = {
  "true-positive": "malicious",
  "false-positive": "benign",
  benign: "benign",
  withdrawn: undefined,
};

/** An answer that suppresses alerts, ready to be asked. */
type Rule = {
  readonly suppression: Suppression;
  readonly endMs: number;
  readonly signals: readonly Signal[];
  readonly targetHosts: ReadonlySet<string> | undefined;
};

/**
 * What analysts have answered. The last answer to an incident counts: `benign` and `false-positive` suppress alerts about such logins until they end, and
 * let their links be trained on; what is a `true-positive` never becomes familiar, and alerts each time.
 *
 * One look-up of an alert takes four keys, however many answers there are.
 */
export class Verdicts {
  /** By incident, each with its newest answer last. */
  readonly #answers = new Map<string, readonly Verdict[]>();
  /** By account and source host, either of which may be any. */
  readonly #rules = new Map<string, Rule[]>();
  /** What the answers say of links: for the graph, which knows no incidents. */
  readonly judged = new JudgedLinks();

  /** How many incidents' answers were forgotten at the bound. */
  forgotten = 0;

  /** How many incidents have an answer, withdrawn ones included. */
  get size(): number {
    return this.#answers.size;
  }

  /** How many incidents have each answer as their last one. */
  counts(): ReadonlyMap<VerdictKind, number> {
    const counts = new Map<VerdictKind, number>();
    for (const answers of this.#answers.values()) {
      const { verdict } = answers.at(-1)!;
      counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
    }
    return counts;
  }

  add(verdict: Verdict): void {
    const { incidentUid } = verdict;
    const before = this.#answers.get(incidentUid) ?? [];
    // A log that was interrupted is read again from its beginning.
    const isOld = before.length === HISTORY_MAX && verdict.madeAtMs < before[0]!.madeAtMs;
    if (isOld || before.some(({ uid }) => uid === verdict.uid)) return;
    const last = before.at(-1);
    if (last !== undefined) this.#takeBack(last);
    this.#answers.delete(incidentUid);
    this.#answers.set(incidentUid, [...before, verdict].slice(-HISTORY_MAX));
    this.#takeIntoForce(verdict);
    if (this.#answers.size <= INCIDENTS_MAX) return;
    const [oldest, answers] = this.#answers.entries().next().value!;
    this.#answers.delete(oldest);
    this.#takeBack(answers.at(-1)!);
    this.forgotten++;
  }

  /** Forgets an answer that was deleted; the one before it counts again. */
  remove(uid: string): void {
    for (const [incidentUid, answers] of this.#answers) {
      if (!answers.some((answer) => answer.uid === uid)) continue;
      this.#takeBack(answers.at(-1)!);
      const others = answers.filter((answer) => answer.uid !== uid);
      if (others.length === 0) this.#answers.delete(incidentUid);
      else {
        this.#answers.set(incidentUid, others);
        this.#takeIntoForce(others.at(-1)!);
      }
      return;
    }
  }

  /** What was answered to an incident, the newest last. */
  of(incidentUid: string): readonly Verdict[] {
    return this.#answers.get(incidentUid) ?? [];
  }

  /** Whether the last answer to an incident is that it was harmless. */
  isExcused(incidentUid: string): boolean {
    const verdict = this.#answers.get(incidentUid)?.at(-1)?.verdict;
    return verdict === "benign" || verdict === "false-positive";
  }

  /** The newest answers to each of the incidents that were answered last, the newest first. */
  newest(countMax: number): Verdict[] {
    return [...this.#answers.values()]
      .slice(-countMax)
      .map((answers) => answers.at(-1)!)
      .toReversed();
  }

  /** The answer by which an alert of a signal about a login need not be told. */
  suppressionOf(signal: Signal, login: LoginBytes): Suppression | undefined {
    if (this.#rules.size === 0) return undefined;
    const user = login.text(USER);
    const sourceHost = login.text(SOURCE_HOST);
    const keys = [keyOf(user, sourceHost), keyOf(user), keyOf(undefined, sourceHost), keyOf()];
    for (const key of keys) {
      const rule = this.#rules
        .get(key)
        ?.find(
          ({ endMs, signals, targetHosts }) =>
            login.timeMs < endMs &&
            signals.includes(signal) &&
            (targetHosts === undefined || targetHosts.has(login.text(TARGET_HOST))),
        );
      if (rule !== undefined) return rule.suppression;
    }
    return undefined;
  }

  #takeIntoForce(verdict: Verdict): void {
    const judgement = JUDGEMENTS[verdict.verdict];
    if (judgement === undefined) return;
    for (const match of verdict.matches) {
      for (const link of linksOf(match)) this.judged.add(link, judgement);
      if (verdict.until === undefined) continue;
      const key = keyOf(match.user, match.sourceHost);
      this.#rules.set(key, [ruleOf(verdict, match), ...(this.#rules.get(key) ?? [])]);
    }
  }

  #takeBack(verdict: Verdict): void {
    const judgement = JUDGEMENTS[verdict.verdict];
    if (judgement === undefined) return;
    for (const match of verdict.matches) {
      for (const link of linksOf(match)) this.judged.remove(link, judgement);
      const key = keyOf(match.user, match.sourceHost);
      const rules = (this.#rules.get(key) ?? []).filter(
        ({ suppression }) => suppression.id !== idOf(verdict),
      );
      if (rules.length === 0) this.#rules.delete(key);
      else this.#rules.set(key, rules);
    }
  }
}

/** What findings name the answer by. */
function idOf({ uid }: Verdict): string {
  return VERDICT_PREFIX + uid;
}

function ruleOf(verdict: Verdict, { signals, targetHosts }: VerdictMatch): Rule {
  const { by, reason, until, verdict: kind } = verdict;
  return {
    suppression: {
      id: idOf(verdict),
      owner: by,
      reason: reason === undefined || reason === "" ? kind : `${kind}: ${reason}`,
      until: until!,
    },
    endMs: endMsOf(until!),
    signals,
    targetHosts: targetHosts && new Set(targetHosts),
  };
}

/** The links that logins of a match form: a burst says nothing of any. */
function linksOf({ signals, user, sourceHost, targetHosts = [] }: VerdictMatch): NamedLink[] {
  if (signals.every((signal) => signal === "volume")) return [];
  const links: NamedLink[] = [];
  const add = (link: NamedLink): void => {
    if (link.fromName !== "" && link.toName !== "") links.push(link);
  };
  if (user !== undefined && sourceHost !== undefined)
    add({ from: "user", to: "sourceHost", fromName: user, toName: sourceHost });
  for (const target of targetHosts) {
    if (user !== undefined) add({ from: "user", to: "targetHost", fromName: user, toName: target });
    if (sourceHost !== undefined)
      add({ from: "sourceHost", to: "targetHost", fromName: sourceHost, toName: target });
  }
  return links;
}

function keyOf(user?: string, sourceHost?: string): string {
  return JSON.stringify([user ?? null, sourceHost ?? null]);
}

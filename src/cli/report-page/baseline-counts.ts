import type { Scored } from "../../engine/scoring.ts";
import { pairFacts } from "../../evaluation/baseline-rankings.ts";
import { BASELINES } from "../../evaluation/baselines.ts";
import type { Facts } from "../../graph-state/facts.ts";
import type { LoginBytes } from "../../ingest/login-bytes.ts";

/** A pair is rare where it makes up less than this share of the logins of one of its ends. */
const RARE_SHARE = 0.01;

/** Rules that somebody would write first: a baseline and the oddness from which on it raises. */
const RULES = [
  { name: "never-seen-link", from: 1, words: "the source host never logged in to the target host before" },
  { name: "never-seen-and-weak", from: 1, words: "the same, and the login shows weak evidence (NTLM)" },
  {
    name: "target-given-source",
    from: -Math.log(RARE_SHARE),
    words: "fewer than 1 in 100 logins of the source host go to this target host",
  },
  {
    name: "source-given-target",
    from: -Math.log(RARE_SHARE),
    words: "fewer than 1 in 100 logins of the target host come from this source host",
  },
] as const;

export type BaselineCount = {
  readonly name: string;
  readonly words: string;
  /** Logins that the rule would have raised, and those of them that raised an alert. */
  readonly raised: number;
  readonly alerted: number;
};

/** Counts how often simple rules would have raised something, next to what was raised. */
export class BaselineCounts {
  readonly #rules = RULES.map((rule) => ({
    ...rule,
    oddness: BASELINES.find(({ name }) => name === rule.name)!.oddness,
    raised: 0,
    alerted: 0,
  }));
  #logins = 0;

  /** To be called for each login that was scored, before it is added. */
  add(login: LoginBytes, scored: Scored, facts: Facts): void {
    this.#logins++;
    if (!facts.isRemote) return;
    const pair = pairFacts({ login, scored, facts });
    for (const rule of this.#rules) {
      if (rule.oddness(pair) < rule.from) continue;
      rule.raised++;
      if (scored.decision!.isAlert) rule.alerted++;
    }
  }

  /** Undefined if no login was scored. */
  result(): BaselineCount[] | undefined {
    if (this.#logins === 0) return undefined;
    return this.#rules.map(({ name, words, raised, alerted }) => ({ name, words, raised, alerted }));
  }
}

import { COLUMNS, type Column } from "../ingest/login.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import type { Signal } from "./odd-login.ts";
import { TextPatterns } from "./text-pattern.ts";
import { endMsOf } from "./until.ts";

/** Before the tier of incidents whose alerts a rule suppresses: no budget counts them, and no other alert updates them. */
export const SUPPRESSED_PREFIX = "suppressed-";

/** Before the uid of a verdict that suppresses: no rule of a configuration is called so. */
export const VERDICT_PREFIX = "verdict-";
/** What alerts that verdicts suppress are counted under: there are many verdicts. */
const VERDICTS = "verdicts";

/** Why an alert is suppressed, and who answers for that. */
export type Suppression = {
  readonly id: string;
  readonly owner: string;
  readonly reason: string;
  /** A date, which is the last day, in UTC, or a time. */
  readonly until: string;
};

type OneOrMore<T> = T | readonly T[];

/** What an alert must be for a rule to hold: all that is named. */
export type SuppressionMatch = { readonly [column in Column]?: OneOrMore<string> | undefined } & {
  readonly signal?: OneOrMore<Signal> | undefined;
};

export type SuppressionRule = Suppression & { readonly match: SuppressionMatch };

type Compiled = {
  readonly suppression: Suppression;
  readonly endMs: number;
  readonly signals: ReadonlySet<Signal> | undefined;
  readonly columns: readonly { readonly index: number; readonly patterns: TextPatterns }[];
};

/**
 * The rules that say which alerts are suppressed. Whether a rule is in force is a matter of the login's own time, so that a replay comes to
 * the same as the first run did.
 */
export class Suppressions {
  readonly #rules: readonly Compiled[];

  constructor(rules: readonly SuppressionRule[]) {
    this.#rules = rules.map(compiled);
  }

  /** The first rule that holds for an alert of a signal about a login; undefined if it is to be told. */
  find(signal: Signal, login: LoginBytes): Suppression | undefined {
    return this.#rules.find(
      ({ endMs, signals, columns }) =>
        login.timeMs < endMs &&
        (signals === undefined || signals.has(signal)) &&
        columns.every(({ index, patterns }) => patterns.matches(login.text(index))),
    )?.suppression;
  }
}

function compiled({ match, ...suppression }: SuppressionRule): Compiled {
  return {
    suppression,
    endMs: endMsOf(suppression.until),
    signals: match.signal === undefined ? undefined : new Set(listOf(match.signal)),
    columns: COLUMNS.flatMap((column, index) => {
      const texts = match[column];
      return texts === undefined ? [] : [{ index, patterns: new TextPatterns(listOf(texts)) }];
    }),
  };
}

/** The tier in which an alert's incident is counted. */
export function tierOf(signal: Signal, suppression: Suppression | undefined): string {
  return suppression === undefined ? signal : SUPPRESSED_PREFIX + signal;
}

/** The name under which what a rule suppresses is counted. */
export function countedAs({ id }: Suppression): string {
  return id.startsWith(VERDICT_PREFIX) ? VERDICTS : id;
}

/** Whether an id may be that of a rule of a configuration. */
export function isRuleId(id: string): boolean {
  return id !== VERDICTS && !id.startsWith(VERDICT_PREFIX);
}

/** Why, in one sentence. */
export function suppressionText({ id, owner, reason, until }: Suppression): string {
  const what = id.startsWith(VERDICT_PREFIX) ? "a verdict" : `rule ${id}`;
  return `suppressed by ${what} of ${owner} until ${until}: ${reason}`;
}

function listOf<T>(value: OneOrMore<T>): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}

import type { Login } from "../ingest/login.ts";
import type { Attack } from "./detection-finding.ts";
import type { OddLogin, Signal } from "./odd-login.ts";

/** What each signal found, for someone who has never read about oddlink. */
export const SIGNAL_DESCRIPTIONS: Readonly<Record<Signal, string>> = {
  presence: "The account is used from a host where nothing has yet shown that its owner works there",
  surprise: "The login is unlike the past of its user, its source and its target",
  link: "The graph of past logins would not have predicted this one",
  volume: "Logins come in numbers that the minutes before do not explain",
};

/** Below this, a count of logins says less than the words. */
const ODDS_SCORE_MIN = 1e-9;

/**
 * Text from outside as it may stand in a sentence: invisible, bidirectional and line-breaking characters are spelled
 * out, so that a name can't forge a line or reverse what the analyst reads. Structured fields keep the original.
 */
export function shown(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`,
  );
}

/**
 * A tail probability in words: `1 login in 100,000 looks this odd`.
 *
 * Digits are grouped by hand, because a locale of the machine must not change the bytes of an alert.
 */
export function odds(score: number): string {
  if (score < ODDS_SCORE_MIN) return "fewer than 1 login in a billion looks this odd";
  if (score > 0.5) return "more than half of all logins look this odd";
  const logins = String(Number((1 / score).toPrecision(2)));
  return `1 login in ${logins.replace(/\B(?=(\d{3})+$)/g, ",")} looks this odd`;
}

/** The headline, of the account and the source of this alert: an incident of several is called after its newest one. */
export function title(odd: OddLogin): string {
  const where = odd.login.sourceHost === "" ? "" : ` from ${shown(odd.login.sourceHost)}`;
  const who = shown(odd.login.user);
  switch (odd.signal) {
    case "presence":
      return `${who} used${where} without a sign of its owner`;
    case "surprise":
      return `Login of ${who}${where} unlike anything before`;
    case "link":
      return `Login of ${who}${where} that the graph did not expect`;
    case "volume":
      // An incident of a source, or of a target that many sources flood; of many accounts either.
      return odd.reasons[0]?.feature === "targetLogins"
        ? `Unusual number of logins to ${shown(odd.login.targetHost)}`
        : `Unusual number of logins${where}`;
  }
}

/**
 * The whole alert in one sentence: the login, the strongest reason, and how odd it is.
 *
 * Presence is a rule, and its place in the score says nothing about how often logins break it. So its odds are those of
 * surprise: what is odd about the login besides.
 */
export function message(odd: OddLogin): string {
  const login = `Login of ${route(odd.login)} (${manner(odd.login)})`;
  const reason = odd.reasons[0]?.text ?? SIGNAL_DESCRIPTIONS[odd.signal];
  const because = shown(reason.replace(/[\s.]+$/, ""));
  if (odd.signal !== "presence") return `${login}: ${odds(odd.score)}; ${because}.`;
  const { surprise } = odd.signals;
  return surprise === undefined
    ? `${login}: ${because}.`
    : `${login}: ${because}; besides, ${odds(surprise)}.`;
}

/** What the finding is, what might be behind it, and what is not known yet. */
export function description(odd: OddLogin, attacks: readonly Attack[]): string {
  const names = attacks.map(({ technique, sub_technique }) => {
    const { uid, name } = sub_technique ?? technique;
    return `${uid} ${name}`;
  });
  const parts = [
    SIGNAL_DESCRIPTIONS[odd.signal],
    `Suggested ATT&CK techniques, not proven by the login: ${names.join(", ")}`,
  ];
  if (odd.learning !== null) parts.push(`Still learning: ${shown(odd.learning)}`);
  return `${parts.join(". ")}.`;
}

function route(login: Login): string {
  const { user, targetUser, sourceHost, targetHost } = login;
  const as = targetUser === "" || targetUser === user ? "" : ` as ${shown(targetUser)}`;
  const from = sourceHost === "" ? "" : ` from ${shown(sourceHost)}`;
  const to = targetHost === "" ? "" : ` to ${shown(targetHost)}`;
  return `${shown(user)}${as}${from}${to}`;
}

function manner(login: Login): string {
  const types = [login.authType, login.logonType].filter((type) => type !== "").map(shown);
  return [...types, login.outcome === "unknown" ? "outcome unknown" : login.outcome].join(", ");
}

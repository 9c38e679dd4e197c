import assert from "node:assert/strict";
import type { OddLogin } from "./odd-login.ts";

/** An OCSF enumeration value with its caption. */
export interface Level {
  readonly id: number;
  readonly caption: string;
}

/** Captions of OCSF's severity_id, 0 to 5. */
export const SEVERITY_CAPTIONS = ["Unknown", "Informational", "Low", "Medium", "High", "Critical"] as const;

const LOW = 1;
const MEDIUM = 2;
const HIGH = 3;
const CONFIDENCE_CAPTIONS = ["Unknown", "Low", "Medium", "High"] as const;

/** Scores up to this one, a login in 10,000, are worth interrupting other work. */
export const MEDIUM_SCORE_MAX = 1e-4;

/**
 * How bad: what the alert asks of the analyst, not how rare the login is.
 *
 * | signal | severity |
 * |---|---|
 * | presence | High: somebody who is perhaps not the owner uses the account |
 * | surprise, link, volume | Medium up to `MEDIUM_SCORE_MAX`, Low above |
 *
 * Never Critical: a single login says nothing about how far an intruder got.
 */
export function severityOf(odd: Pick<OddLogin, "signal" | "score">): Level {
  if (odd.signal === "presence") return { id: 4, caption: "High" };
  return odd.score <= MEDIUM_SCORE_MAX ? { id: 3, caption: "Medium" } : { id: 2, caption: "Low" };
}

/**
 * How sure: how often alerts of this signal were right where they were measured, whatever the score.
 *
 * Presence High, surprise and volume Medium, link Low (alone it ranks weakly). One step less, down to Low, while the
 * account is still being learnt.
 */
export function confidenceOf(odd: Pick<OddLogin, "signal" | "learning">): Level {
  const known = odd.signal === "presence" ? HIGH : odd.signal === "link" ? LOW : MEDIUM;
  const id = odd.learning === null ? known : Math.max(LOW, known - 1);
  return { id, caption: CONFIDENCE_CAPTIONS[id] };
}

/**
 * How odd, as the integer OCSF asks for: -10 log10 of the score, at most 100. So 10 points are a factor of ten, 50 is
 * one login in 100,000, and 100 one in ten billion or rarer.
 *
 * @param score tail probability in [0, 1]
 */
export function riskScore(score: number): number {
  assert(score >= 0 && score <= 1, `score is no probability: ${score}`);
  if (score === 0) return 100;
  // Math.abs: the logarithm of 1 would otherwise give -0.
  return Math.min(100, Math.abs(Math.round(10 * Math.log10(score))));
}

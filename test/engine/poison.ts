import type { TestContext } from "node:test";
import { Explainer } from "../../src/alerts/explanation.ts";
import { Scoring } from "../../src/engine/scoring.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import { type LoginBytes, USER } from "../../src/ingest/login-bytes.ts";

/** Users whose records bring out a bug, by where that happens. */
export const FAILS_IN_SCORING = "fails in scoring";
export const FAILS_IN_ADDING = "fails in adding";
export const FAILS_IN_EXPLAINING = "fails in explaining";

/**
 * Puts bugs into the engine that some users' records bring out. The one in adding shows when all links are changed already,
 * the one in explaining when the incident is.
 *
 * @returns mends them, which also happens at the end of the test
 */
export function poison(t?: TestContext): () => void {
  const { score } = Scoring.prototype;
  const { apply } = Graph.prototype;
  const { reasons } = Explainer.prototype;
  Scoring.prototype.score = function (login, partition) {
    if (login.text(USER) === FAILS_IN_SCORING) throw new Error(FAILS_IN_SCORING);
    return score.call(this, login, partition);
  };
  Graph.prototype.apply = function (login: LoginBytes, ids: Int32Array) {
    apply.call(this, login, ids);
    if (login.text(USER) === FAILS_IN_ADDING) throw new Error(FAILS_IN_ADDING);
  };
  Explainer.prototype.reasons = function (signal, login, facts, link) {
    if (login.user === FAILS_IN_EXPLAINING) throw new Error(FAILS_IN_EXPLAINING);
    return reasons.call(this, signal, login, facts, link);
  };
  const mend = (): void => {
    Scoring.prototype.score = score;
    Graph.prototype.apply = apply;
    Explainer.prototype.reasons = reasons;
  };
  t?.after(mend);
  return mend;
}

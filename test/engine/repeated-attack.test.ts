import assert from "node:assert/strict";
import { test } from "node:test";
import { BUDGET_SCORE_MAX } from "../../src/alerts/budget.ts";
import type { Decision } from "../../src/alerts/decision.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Scoring } from "../../src/engine/scoring.ts";
import { tellLogin } from "../../src/engine/telling.ts";
import type { Login } from "../../src/ingest/login.ts";
import { trainingInput } from "../../src/model/training/training-input.ts";
import { login, loginBytes } from "../graph-state/logins.ts";
import { DAY_MS, MINUTE_MS, ordinary, START_MS } from "./office.ts";

const QUIET_DAYS = 8;
const ATTACK_DAYS = 2;
const ATTACK_LOGINS = 100;
const ATTACK_EVERY_MS = (ATTACK_DAYS * DAY_MS) / ATTACK_LOGINS;

/** Somebody who stays on his own host, with his own account and protocol, and logs on where nobody of his team ever does. */
const odd = (timeMs: number): Login => login({ timeMs, user: "U3", sourceHost: "W3", targetHost: "payroll" });

function attacked(settings: Readonly<Record<string, unknown>> = {}) {
  const config = loadConfig({
    environment: {},
    flags: { "training.mode": "off", detector: "surprise", alertsPerDay: 20, ...settings },
  });
  const scoring = new Scoring(config, () => true);
  const told: { decision: Decision; score: number; story: string | undefined }[] = [];
  let offset = 0;
  const add = (added: Login) => {
    const bytes = loginBytes(added);
    scoring.advance(added.timeMs);
    const scored = scoring.score(bytes, 0);
    const { decision, score } = scored;
    const story = tellLogin(scoring, scored, bytes, 0, () => `alert ${offset}`)?.story.uid;
    scoring.add(bytes, 0, offset++);
    return { decision: { ...decision! }, score, story };
  };
  const attackMs = START_MS + QUIET_DAYS * DAY_MS;
  let nextMs = attackMs + 10 * 60 * MINUTE_MS;
  for (const added of ordinary(attackMs + (ATTACK_DAYS + 1) * DAY_MS)) {
    if (added.timeMs >= nextMs && told.length < ATTACK_LOGINS) {
      told.push(add(odd(nextMs)));
      nextMs += ATTACK_EVERY_MS;
    }
    add(added);
  }
  return { told, scoring };
}

/** Whether a training would see the link from one to the other. */
function isTrainedOn(scoring: Scoring, from: string, to: string): boolean {
  const { graph, entityNames } = trainingInput(scoring.graph);
  return graph.linkFrom.some((row, i) => entityNames[row] === from && entityNames[graph.linkTo[i]!] === to);
}

test("an odd link that is repeated a hundred times in two days stays odd, in its incident, and is not learnt", () => {
  const { told, scoring } = attacked();
  assert.equal(told.length, ATTACK_LOGINS);
  const [first] = told;
  assert.deepEqual(
    told.map(({ decision }) => decision.isAlert),
    told.map((_, i) => i === 0),
  );
  assert.ok(first!.story !== undefined);
  for (const { story, score } of told) {
    assert.equal(story, first!.story);
    assert.ok(score < BUDGET_SCORE_MAX, `score ${score}`);
  }
  assert.ok(!isTrainedOn(scoring, "U3", "payroll"));
  assert.ok(!isTrainedOn(scoring, "W3", "payroll"));
  assert.ok(isTrainedOn(scoring, "U3", "W3"), "what was usual before is still learnt from");
  const sampled = scoring.graph.samples
    .within(0, Number.POSITIVE_INFINITY)
    .filter(({ user, targetHost }) => user.toString() === "U3" && targetHost.toString() === "payroll");
  assert.ok(sampled.length <= 1, "the first alone");
});

test("where an alert does not keep its links from becoming familiar, the same attack becomes normal", () => {
  const { told } = attacked({ alertedFamiliarAfterHours: 0 });
  assert.ok(told[0]!.decision.isAlert);
  assert.ok(told.at(-1)!.score > 0.5, `score ${told.at(-1)!.score}`);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision } from "../../src/alerts/decision.ts";
import { toFinding } from "../../src/alerts/finding.ts";
import { type Answer, type Verdict, verdictOf } from "../../src/alerts/verdict.ts";
import { Verdicts } from "../../src/alerts/verdicts.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Scoring } from "../../src/engine/scoring.ts";
import type { Login } from "../../src/ingest/login.ts";
import { trainingInput } from "../../src/model/training/training-input.ts";
import { STOLEN } from "../alerts/odd-logins.ts";
import { login, loginBytes } from "../graph-state/logins.ts";
import { DAY_MS, MINUTE_MS, ordinary, START_MS } from "./office.ts";

const HOUR_MS = 60 * MINUTE_MS;
const ATTACK_MS = START_MS + 8 * DAY_MS + 10 * HOUR_MS;
/** The answer comes after so many logins of what is answered: an hour apart. */
const ANSWERED_AFTER = 3;
const ODD = { user: "U3", sourceHost: "W3", targetHost: "payroll" };
const ANSWER = { by: "ann", isAnyTarget: false, until: "2024-12-31" };

type Told = { readonly timeMs: number; readonly decision: Decision; readonly score: number };

/** A verdict on an incident of one alert, which names these hosts. */
function verdictOn(odd: Partial<Login>, answer: Partial<Answer>, incidentUid = "incident"): Verdict {
  const finding = toFinding({ ...STOLEN, signal: "surprise", login: login(odd) });
  const verdict = verdictOf({ verdict: "benign", ...ANSWER, ...answer } as Answer, {
    uid: `answer-${answer.verdict}`,
    incidentUid,
    alerts: [finding],
    nowMs: START_MS,
  });
  if (typeof verdict === "string") assert.fail(verdict);
  return verdict;
}

/** Somebody logs on every hour, for days, where nobody of his team does, and an analyst answers the first alerts. */
function answered(
  verdict: Verdict["verdict"] | undefined,
  days: number,
): { readonly attack: Told[]; readonly scoring: Scoring } {
  const config = loadConfig({
    environment: {},
    flags: { "training.mode": "off", detector: "surprise", threshold: 0.05 },
  });
  const verdicts = new Verdicts();
  const scoring = new Scoring(config, () => true, verdicts);
  const attack: Told[] = [];
  let offset = 0;
  const add = (added: Login): Told => {
    const bytes = loginBytes(added);
    scoring.advance(added.timeMs);
    const { decision, score } = scoring.score(bytes, 0);
    const told = { timeMs: added.timeMs, decision: { ...decision! }, score };
    scoring.add(bytes, 0, offset++);
    return told;
  };
  for (const added of ordinary(ATTACK_MS + days * DAY_MS)) {
    const timeMs = ATTACK_MS + attack.length * HOUR_MS;
    if (added.timeMs >= timeMs) attack.push(add(login({ timeMs, ...ODD })));
    if (attack.length === ANSWERED_AFTER && verdicts.size === 0 && verdict !== undefined) {
      const until = verdict === "benign" ? ANSWER.until : undefined;
      verdicts.add(verdictOn(ODD, { verdict, until }));
    }
    add(added);
  }
  return { attack, scoring };
}

const kindOf = ({ decision }: Told): string =>
  decision.suppressedBy !== undefined ? "suppressed" : decision.isAlert ? "alert" : "none";

/** Whether a training would see the link from one to the other. */
function isTrainedOn(scoring: Scoring, from: string, to: string): boolean {
  const { graph, entityNames } = trainingInput(scoring.graph);
  return graph.linkFrom.some((row, i) => entityNames[row] === from && entityNames[graph.linkTo[i]!] === to);
}

test("what an analyst says is in order is suppressed from the next login on, familiar after a day, and trained on", () => {
  const { attack, scoring } = answered("benign", 2);
  const kinds = attack.map(kindOf);
  assert.deepEqual(kinds.slice(0, 20), [
    ...Array.from({ length: ANSWERED_AFTER }, () => "alert"),
    ...Array.from({ length: 20 - ANSWERED_AFTER }, () => "suppressed"),
  ]);
  const oddWithout = answered(undefined, 2)
    .attack.slice(-20)
    .filter((told) => kindOf(told) === "alert");
  const stillOdd = kinds.slice(-20).filter((kind) => kind !== "none");
  assert.equal(oddWithout.length, 20);
  assert.ok(stillOdd.length < 10, `${stillOdd.length} of the last 20 are odd still`);
  const [first] = attack.filter((told) => kindOf(told) === "suppressed");
  assert.deepEqual(first!.decision.suppressedBy, {
    id: "verdict-answer-benign",
    owner: "ann",
    reason: "benign",
    until: ANSWER.until,
  });
  assert.ok(isTrainedOn(scoring, "U3", "payroll") && isTrainedOn(scoring, "W3", "payroll"));
});

test("what was an attack alerts each time, never becomes familiar, and is never trained on", () => {
  const without = answered(undefined, 5);
  assert.deepEqual(
    new Set(without.attack.slice(-20).map(kindOf)),
    new Set(["none"]),
    "normal after three days",
  );
  const { attack, scoring } = answered("true-positive", 5);
  assert.deepEqual(new Set(attack.map(kindOf)), new Set(["alert"]));
  assert.ok(!isTrainedOn(scoring, "U3", "payroll") && !isTrainedOn(scoring, "W3", "payroll"));
  assert.ok(isTrainedOn(scoring, "U3", "W3"), "what was usual before is still learnt from");
});

test("nobody's scores but those of what was answered change", () => {
  const [without, withdrawn] = [answered(undefined, 2), answered("withdrawn", 2)];
  assert.deepEqual(
    withdrawn.attack.map(({ score, decision }) => [score, decision.isAlert]),
    without.attack.map(({ score, decision }) => [score, decision.isAlert]),
  );
  assert.deepEqual(trainingInput(withdrawn.scoring.graph), trainingInput(without.scoring.graph));
});

test("an answer is about the hosts that the alerts name, or about any, and about no other account, source or burst", () => {
  const verdicts = new Verdicts();
  verdicts.add(verdictOn(ODD, {}));
  const ownerOf = (signal: "presence" | "surprise" | "volume", changes: Partial<Login>) =>
    verdicts.suppressionOf(signal, loginBytes(login({ timeMs: START_MS, ...ODD, ...changes })))?.owner;
  assert.equal(ownerOf("surprise", {}), "ann");
  assert.equal(ownerOf("presence", {}), "ann");
  assert.equal(ownerOf("volume", {}), undefined);
  for (const changes of [{ user: "u3" }, { sourceHost: "W30" }, { targetHost: "S1" }, { targetHost: "" }])
    assert.equal(ownerOf("surprise", changes), undefined, JSON.stringify(changes));
  verdicts.add({ ...verdictOn(ODD, { isAnyTarget: true }), uid: "again" });
  assert.equal(ownerOf("surprise", { targetHost: "S1" }), "ann");
  assert.equal(ownerOf("surprise", { timeMs: Date.parse("2025-01-01") }), undefined, "until it ends");
});

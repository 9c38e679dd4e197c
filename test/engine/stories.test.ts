import assert from "node:assert/strict";
import { test } from "node:test";
import { entityRisk } from "../../src/alerts/entity-risk.ts";
import { openStories, type StoryAlert, TOLD, tell, touch } from "../../src/alerts/story.ts";
import { type Verdict, verdictSchema } from "../../src/alerts/verdict.ts";
import { Verdicts } from "../../src/alerts/verdicts.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Scoring } from "../../src/engine/scoring.ts";
import type { Graph } from "../../src/graph-state/graph.ts";
import { CLOSE_AFTER_MS } from "../../src/graph-state/stories.ts";
import { login, loginBytes } from "../graph-state/logins.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = 20_000 * 24 * HOUR_MS;
const HUB_USERS = 25;

/** A graph with a terminal server that many accounts come from. */
function graphOf(): Graph {
  const config = loadConfig({ environment: {}, flags: { "training.mode": "off" } });
  const scoring = new Scoring(config, () => true);
  for (let i = 0; i < HUB_USERS; i++) {
    const bytes = loginBytes(login({ timeMs: NOW_MS, user: `U${i}`, sourceHost: "TS", targetHost: "files" }));
    scoring.advance(NOW_MS);
    scoring.score(bytes, 0);
    scoring.add(bytes, 0, i);
  }
  return scoring.graph;
}

let alerts = 0;
function told(
  graph: Graph,
  user: string,
  sourceHost: string,
  targetHost: string,
  more: Partial<StoryAlert> = {},
) {
  const timeMs = more.timeMs ?? NOW_MS;
  graph.advance(timeMs);
  const leg = { user, sourceHost, targetHost };
  const uid = `story-${++alerts}`;
  return tell(graph, { channel: TOLD, leg, uid, timeMs, partition: 0, risk: 50, severity: 3, ...more });
}

test("a stolen account, its source, and what is reached from where it has come to are one story; others are not", () => {
  const graph = graphOf();
  const { story } = told(graph, "ann", "pc1", "srv1");
  assert.equal(story.alerts, 1);
  for (const [user, source, target] of [
    ["ann", "pc2", "srv9"], // the same account from elsewhere
    ["bob", "pc1", "srv2"], // the same source with another account
    ["cat", "srv2", "dc1"], // from where bob has come to
    ["dan", "dc1", "srv3"], // and on from there
  ] as const)
    assert.equal(told(graph, user, source, target).story.uid, story.uid, user);
  assert.equal(graph.stories.find(story.uid)!.alerts, 5);
  for (const [user, source, target] of [
    ["eve", "pc7", "srv8"],
    ["fay", "pc8", "pc1"], // to the first source: nobody has come from there yet
  ] as const)
    assert.notEqual(told(graph, user, source, target).story.uid, story.uid, user);
});

test("a host that many accounts come from joins nobody's stories but those of one account on it", () => {
  const graph = graphOf();
  const { story } = told(graph, "U1", "TS", "srv1");
  assert.notEqual(told(graph, "U2", "TS", "srv1").story.uid, story.uid);
  assert.equal(told(graph, "U1", "TS", "srv2").story.uid, story.uid);
});

test("an alert that fits several open stories goes on with the oldest, and names the others", () => {
  const graph = graphOf();
  const first = told(graph, "ann", "pc1", "srv1").story;
  const second = told(graph, "bob", "pc2", "srv2", { timeMs: NOW_MS + 1 }).story;
  const { story, related } = told(graph, "ann", "pc2", "srv3", { timeMs: NOW_MS + 2 });
  assert.deepEqual([story.uid, related], [first.uid, [second.uid]]);
});

test("a story ends a day after its last alert or repetition, and what is suppressed has stories of its own", () => {
  const graph = graphOf();
  const { story } = told(graph, "ann", "pc1", "srv1");
  const leg = { user: "ann", sourceHost: "pc1", targetHost: "srv1" };
  assert.notEqual(told(graph, "ann", "pc1", "srv1", { channel: "suppressed" }).story.uid, story.uid);
  graph.advance(NOW_MS + CLOSE_AFTER_MS - HOUR_MS);
  assert.equal(touch(graph, TOLD, leg, NOW_MS + CLOSE_AFTER_MS - HOUR_MS, 0)!.story.uid, story.uid);
  graph.advance(NOW_MS + CLOSE_AFTER_MS + HOUR_MS);
  assert.equal(openStories(graph, TOLD, leg).length, 1);
  graph.advance(NOW_MS + 2 * CLOSE_AFTER_MS);
  assert.equal(openStories(graph, TOLD, leg).length, 0);
  const again = told(graph, "ann", "pc1", "srv1", { timeMs: NOW_MS + 2 * CLOSE_AFTER_MS });
  assert.notEqual(again.story.uid, story.uid);
  assert.equal(graph.stories.find(story.uid)!.alerts, 1);
});

test("what is told in spite of an answer that a story is harmless is another story, for somebody to look at", () => {
  const graph = graphOf();
  const { story } = told(graph, "ann", "pc1", "srv1");
  const leg = { user: "bob", sourceHost: "pc1", targetHost: "srv1" };
  const alert = { channel: TOLD, leg, uid: "other", timeMs: NOW_MS + 1, partition: 0, risk: 50, severity: 3 };
  assert.equal(tell(graph, alert, (uid) => uid === story.uid).story.uid, "other");
  assert.equal(tell(graph, alert).story.uid, story.uid);
});

test("risk adds up over incidents, fades by the week, and goes by what analysts have found", () => {
  const graph = graphOf();
  const verdicts = new Verdicts();
  const riskOf = (kind: "user" | "host", name: string) => entityRisk(graph, verdicts, kind, name)?.riskScore;
  assert.equal(riskOf("user", "ann"), undefined);
  const { story } = told(graph, "ann", "pc1", "srv1", { risk: 50 });
  assert.deepEqual([riskOf("user", "ann"), riskOf("host", "pc1"), riskOf("host", "srv1")], [40, 40, 40]);
  told(graph, "ann", "TS", "files", { timeMs: NOW_MS + 2 * CLOSE_AFTER_MS, risk: 90 });
  const both = riskOf("user", "ann")!;
  assert.ok(both > 72 && both < 90, `${both}`);
  const answer = (verdict: Verdict["verdict"], until?: string): void =>
    verdicts.add(
      verdictSchema.parse({
        uid: `${verdict}`,
        incidentUid: story.uid,
        verdict,
        by: "soc",
        ...(until && { until }),
        madeAtMs: verdict === "benign" ? 2 : 1,
      }),
    );
  answer("true-positive");
  assert.ok(riskOf("user", "ann")! > both);
  answer("benign", "2027-01-01");
  assert.equal(riskOf("user", "ann"), 72);
  graph.advance(NOW_MS + 2 * CLOSE_AFTER_MS + 7 * 24 * HOUR_MS);
  assert.equal(riskOf("user", "ann"), 36);
});

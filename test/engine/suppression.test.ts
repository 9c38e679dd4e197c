import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isClosing } from "../../src/alerts/closing.ts";
import type { Decision } from "../../src/alerts/decision.ts";
import type { DetectionFinding } from "../../src/alerts/detection-finding.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Engine } from "../../src/engine/engine.ts";
import { Scoring } from "../../src/engine/scoring.ts";
import { piecesOf, WholeMerging } from "../../src/engine/segment-merging.ts";
import { tellLogin } from "../../src/engine/telling.ts";
import { decodeSegment, encodeSegment } from "../../src/graph-state/segment.ts";
import type { Story } from "../../src/graph-state/stories.ts";
import type { Login } from "../../src/ingest/login.ts";
import { findSources } from "../../src/ingest/sources.ts";
import { EmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import { trainingInput } from "../../src/model/training/training-input.ts";
import { REAL_TIME } from "../../src/time.ts";
import { login, loginBytes } from "../graph-state/logins.ts";
import { temporaryFolder } from "../processes/oddlink.ts";
import { halfYear } from "./half-year.ts";
import { DAY_MS, MINUTE_MS, ordinary, START_MS } from "./office.ts";

const QUIET_DAYS = 8;
const ATTACK_MS = START_MS + QUIET_DAYS * DAY_MS + 600 * MINUTE_MS;
const ATTACK_LOGINS = 24;
const HOUR_MS = 60 * MINUTE_MS;

type Told = {
  readonly timeMs: number;
  readonly decision: Decision;
  readonly score: number;
  readonly story: Story | undefined;
};

/** Somebody who logs on every hour where nobody of his team ever does, and a rule about him until the middle of that. */
function attacked(
  settings: Readonly<Record<string, unknown>>,
  until: string | undefined,
  restartsAfter = Number.POSITIVE_INFINITY,
) {
  const rule = { id: "u3", owner: "soc", reason: "moves to another team", until, match: { user: "u3" } };
  const suppressions = until === undefined ? [] : [rule];
  const config = loadConfig({
    environment: {},
    flags: { "training.mode": "off", detector: "surprise", suppressions, ...settings },
  });
  let scoring = new Scoring(config, () => true);
  const attack: Told[] = [];
  const others: Told[] = [];
  let offset = 0;
  let hasRestarted = false;
  const add = (added: Login): Told => {
    const bytes = loginBytes(added);
    scoring.advance(added.timeMs);
    const scored = scoring.score(bytes, 0);
    const { decision, score } = scored;
    const story = tellLogin(scoring, scored, bytes, 0, () => `alert ${offset}`)?.story;
    const told = { timeMs: added.timeMs, decision: { ...decision! }, score, story };
    scoring.add(bytes, 0, offset++);
    return told;
  };
  for (const added of ordinary(ATTACK_MS + 3 * DAY_MS)) {
    const timeMs = ATTACK_MS + attack.length * HOUR_MS;
    if (added.timeMs >= timeMs && attack.length < ATTACK_LOGINS)
      attack.push(add(login({ timeMs, user: "U3", sourceHost: "W3", targetHost: "payroll" })));
    others.push(add(added));
    if (attack.length !== restartsAfter || hasRestarted) continue;
    hasRestarted = true;
    const restarted = new Scoring(config, () => true);
    const range = { partition: 0, historyStart: 0, first: 0, next: offset };
    for (const piece of piecesOf(scoring.graph, "all", [range], 100_000))
      restarted.graph.addPart(decodeSegment(encodeSegment(piece)));
    scoring = restarted;
  }
  return { attack, others, scoring };
}

/** Ends after the first twelve logins of the attack. */
const MIDDLE = new Date(ATTACK_MS + (ATTACK_LOGINS / 2 - 0.5) * HOUR_MS).toISOString();
const NEVER = "2100-01-01";

const kindOf = ({ decision }: Told): string =>
  decision.suppressedBy !== undefined ? "suppressed" : decision.isAlert ? "alert" : "none";

test("what nobody was told of keeps nothing silent: once the rule has ended, the same login alerts, as an incident of its own", () => {
  const { attack } = attacked({ alertsPerDay: 20 }, MIDDLE);
  const kinds = attack.map(kindOf);
  assert.deepEqual(attacked({ alertsPerDay: 20 }, MIDDLE, 6).attack.map(kindOf), kinds, "after a restart");
  assert.deepEqual(
    kinds,
    attack.map((_, i) => (i === 0 ? "suppressed" : i === ATTACK_LOGINS / 2 ? "alert" : "none")),
  );
  const [first, alert] = [attack[0]!, attack[ATTACK_LOGINS / 2]!];
  assert.equal(first.decision.group!.tier, "suppressed-surprise");
  assert.deepEqual([alert.decision.group!.tier, alert.decision.group!.alerts], ["surprise", 1]);
  assert.deepEqual([first.story!.channel, alert.story!.channel, alert.story!.alerts], ["suppressed", "", 1]);
  for (const { story } of attack.slice(1, ATTACK_LOGINS / 2)) assert.equal(story!.uid, first.story!.uid);
  for (const { story } of attack.slice(ATTACK_LOGINS / 2)) assert.equal(story!.uid, alert.story!.uid);
});

test("a rule changes no score, and what it suppresses becomes normal no sooner", () => {
  const settings = { threshold: 0.05 };
  const without = attacked(settings, undefined);
  const half = attacked(settings, MIDDLE);
  const whole = attacked(settings, NEVER);
  assert.ok(without.attack.every((told) => kindOf(told) === "alert"));
  assert.ok(whole.attack.every((told) => kindOf(told) === "suppressed"));
  for (const { attack, others, scoring } of [half, whole]) {
    for (const [i, { score }] of attack.entries()) assert.equal(score, without.attack[i]!.score);
    for (const [i, { score, decision }] of others.entries()) {
      assert.equal(score, without.others[i]!.score);
      assert.equal(
        decision.isAlert || decision.suppressedBy !== undefined,
        without.others[i]!.decision.isAlert,
      );
      assert.equal(decision.isRepetition, without.others[i]!.decision.isRepetition);
    }
    assert.deepEqual(trainingInput(scoring.graph), trainingInput(without.scoring.graph));
  }
});

test("what is suppressed takes nothing from the budget and does not count in what it expects", () => {
  const settings = { alertsPerDay: 20 };
  const without = attacked(settings, undefined);
  const whole = attacked(settings, NEVER);
  const countOf = ({ scoring }: typeof whole, name: string) => {
    const histogram = scoring.graph.histograms.get(name);
    const hours = histogram.hoursAfter(ATTACK_MS / HOUR_MS - 1);
    return hours.reduce((sum, hour) => sum + histogram.get(hour)!.reduce((all, one) => all + one, 0), 0);
  };
  const alerts = (told: readonly Told[]) =>
    told.filter((one) => one.timeMs >= ATTACK_MS && kindOf(one) === "alert").length;
  assert.equal(kindOf(whole.attack[0]!), "suppressed");
  assert.equal(countOf(whole, "alerts-issued"), alerts(whole.others));
  assert.equal(countOf(without, "alerts-issued"), alerts(without.others) + alerts(without.attack));
  assert.ok(alerts(without.attack) === 1 && alerts(whole.attack) === 0);
  assert.ok(countOf(whole, "incident-peaks") < countOf(without, "incident-peaks"));
});

test("a rule about presence alone leaves what surprises in a login to be told", () => {
  const common = { owner: "soc", reason: "known", until: NEVER };
  const decisions = [
    [],
    [{ ...common, id: "presence", match: { user: "U3", signal: "presence" } }],
    [{ ...common, id: "all", match: { user: "U3" } }],
  ].map((suppressions) => {
    const config = loadConfig({
      environment: {},
      flags: { "training.mode": "off", threshold: 0.05, suppressions },
    });
    const scoring = new Scoring(config, () => true);
    let offset = 0;
    for (const added of ordinary(ATTACK_MS)) {
      const bytes = loginBytes(added);
      scoring.advance(added.timeMs);
      scoring.score(bytes, 0);
      scoring.add(bytes, 0, offset++);
    }
    scoring.advance(ATTACK_MS);
    const weak = { sourceHost: "W4", targetHost: "payroll", evidence: "weak", authType: "NTLM" } as const;
    const scored = scoring.score(loginBytes(login({ timeMs: ATTACK_MS, user: "U3", ...weak })), 0);
    return [scored.signal, scored.decision!.isAlert, scored.decision!.suppressedBy?.id, scored.score];
  });
  const score = decisions[0]![3];
  assert.deepEqual(decisions, [
    ["presence", true, undefined, score],
    ["surprise", true, undefined, score],
    ["presence", false, "all", score],
  ]);
});

type Result = {
  readonly findings: readonly string[];
  readonly consumed: number;
  readonly suppressed: object;
};

/** Rules about two of the four accounts of half a year, one of which ends in its middle. */
async function runOn(file: string, store: string): Promise<Result> {
  const common = { owner: "soc", reason: "known" };
  const config = loadConfig({
    environment: {},
    flags: {
      "training.mode": "off",
      "surprise.warmupHours": 1,
      "surprise.learnLogins": 20,
      alertsPerDay: 3,
      suppressions: [
        { ...common, id: "constructor", until: "1970-02-14", match: { user: "u0@*" } },
        { ...common, id: "all-of-u1", until: "2100-01-01", match: { user: "U1@D" } },
      ],
    },
  });
  const log = await EmbeddedLog.open({ sources: await findSources([file]), store, recordBytesMax: 1 << 20 });
  const told: Record<"alerts" | "suppressed", string[]> = { alerts: [], suppressed: [] };
  try {
    const engine = new Engine({
      config,
      log,
      time: REAL_TIME,
      merging: (state) => new WholeMerging(state, 20_000),
      train: () => assert.fail("no training here"),
      onAlert: ({ finding }) => told.alerts.push(finding),
      onSuppressed: ({ finding }) => told.suppressed.push(finding),
    });
    await engine.run();
    const { consumed, suppressed, suppressedByRule, alerts } = engine.totals;
    const findings = [...log.store.findings()].map(({ finding }) => finding);
    const raised = findings.filter((finding) => !isClosing(JSON.parse(finding) as object));
    assert.equal(raised.length, alerts + suppressed);
    assert.equal(log.store.countAlertsAfter(0), alerts, "no more are to be sent anywhere");
    const deliverable = log.store.alertsAfter(0, 10_000).map(({ finding }) => finding);
    assert.deepEqual(
      deliverable,
      raised.filter((finding) => !isSuppressed(finding)),
    );
    const kept = log.store.newestSuppressed(10_000).map(({ finding }) => finding);
    assert.deepEqual(kept.toReversed(), findings.filter(isSuppressed));
    // Of this run alone: a store may be older.
    const newest = (all: readonly string[], count: number) => all.slice(all.length - count);
    assert.deepEqual(newest(deliverable, told.alerts.length), told.alerts);
    assert.deepEqual(newest(kept.toReversed(), told.suppressed.length), told.suppressed);
    assert.ok(told.alerts.length + told.suppressed.length > 0);
    return { findings, consumed, suppressed: { suppressed, ...suppressedByRule } };
  } finally {
    await log.close();
  }
}

const isSuppressed = (finding: string): boolean =>
  (JSON.parse(finding) as DetectionFinding).status_id !== undefined;

test("with rules, restarts change no finding, and each incident begins with a Create", async (t) => {
  const folder = temporaryFolder(t);
  const rows = halfYear().slice(0, 1000);
  const file = join(folder, "auth.txt");
  writeFileSync(file, `${rows.join("\n")}\n`);
  const through = await runOn(file, join(folder, "through.db"));
  const growing = join(folder, "growing", "auth.txt");
  mkdirSync(join(folder, "growing"));
  let restarted: Result | undefined;
  for (let end = 350; restarted === undefined || restarted.consumed < rows.length; end += 350) {
    writeFileSync(growing, `${rows.slice(0, end).join("\n")}\n`);
    restarted = await runOn(growing, join(folder, "restarted.db"));
  }
  assert.deepEqual(restarted, through);

  const endMs = Date.parse("1970-02-15");
  const counts = new Map<string, number>();
  const kinds = { ended: 0, before: 0, others: 0 };
  const closed = new Set<string>();
  for (const finding of through.findings.map((text) => JSON.parse(text) as DetectionFinding)) {
    assert.ok(!closed.has(finding.finding_info.uid), "nothing comes after the end");
    if (isClosing(finding)) {
      closed.add(finding.finding_info.uid);
      assert.equal(finding.count, counts.get(finding.finding_info.uid), "with all its alerts");
      continue;
    }
    const { user } = finding.evidences[0].actor!;
    const isOfRule = user.name === "U1@D" || (user.name === "U0@D" && finding.time < endMs);
    assert.equal(finding.status_id === 3, isOfRule);
    assert.equal(finding.status === "Suppressed", isOfRule);
    if (isOfRule) assert.equal(finding.is_alert, false);
    const { uid } = finding.finding_info;
    const before = counts.get(uid) ?? 0;
    if (before === 0) assert.equal(finding.activity_name, "Create");
    counts.set(uid, before + 1);
    kinds[isOfRule ? "before" : user.name === "U0@D" ? "ended" : "others"]++;
  }
  assert.ok(closed.size > 2, `${closed.size} closed`);
  assert.ok(kinds.ended > 2 && kinds.before > 2 && kinds.others > 2, JSON.stringify(kinds));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { Scoring } from "../../src/engine/scoring.ts";
import { digestOf } from "../../src/graph-state/digest.ts";
import type { Login } from "../../src/ingest/login.ts";
import { Random } from "../../src/model/random.ts";
import { login, loginBytes } from "../graph-state/logins.ts";
import { DAY_MS, MINUTE_MS, ordinary, START_MS } from "./office.ts";

const DAYS = 4;

/** Scores a stream, and asks of other logins in between: known, new and odd ones, from the past and from the future. */
function streamed(isProbed: boolean) {
  const config = loadConfig({ environment: {}, flags: { "training.mode": "off", alertsPerDay: 20 } });
  const scoring = new Scoring(config, () => true);
  const random = new Random(3, "probes");
  const told: unknown[] = [];
  const ask = (timeMs: number): void => {
    const probed = login({
      timeMs: timeMs + (random.nextInt(5) - 2) * DAY_MS,
      user: random.nextInt(3) === 0 ? "stranger" : `U${random.nextInt(40)}`,
      sourceHost: `W${random.nextInt(60)}`,
      targetHost: random.nextInt(2) === 0 ? "payroll" : `S${random.nextInt(20)}`,
      authType: random.nextInt(2) === 0 ? "NTLM" : "Kerberos",
      evidence: "weak",
    });
    scoring.probe(loginBytes(probed));
  };
  let offset = 0;
  for (const added of ordinary(START_MS + DAYS * DAY_MS)) {
    if (isProbed) ask(added.timeMs);
    const bytes = loginBytes(added);
    scoring.advance(added.timeMs);
    const { score, signal, surprise, volume, decision } = scoring.score(bytes, 0);
    told.push({ score, signal, surprise, volume, isAlert: decision!.isAlert });
    scoring.add(bytes, 0, offset++);
    if (isProbed) ask(added.timeMs);
  }
  return { told, digest: digestOf(scoring.graph), weakOnly: scoring.weakOnlySources.list() };
}

test("asking what a login would be scored as changes nothing of what is scored, decided and kept", () => {
  assert.deepEqual(streamed(true), streamed(false));
});

test("a login is probed as it would be scored", () => {
  const config = loadConfig({ environment: {}, flags: { "training.mode": "off", detector: "surprise" } });
  const scoring = new Scoring(config, () => true);
  let offset = 0;
  const odd = (timeMs: number): Login =>
    login({ timeMs, user: "U3", sourceHost: "W3", targetHost: "payroll" });
  for (const added of ordinary(START_MS + DAYS * DAY_MS)) {
    scoring.advance(added.timeMs);
    scoring.score(loginBytes(added), 0);
    scoring.add(loginBytes(added), 0, offset++);
  }
  const bytes = loginBytes(odd(START_MS + DAYS * DAY_MS + MINUTE_MS));
  const probe = scoring.probe(bytes);
  const scored = scoring.score(bytes, 0);
  assert.equal(probe.score, scored.score);
  assert.equal(probe.signal, scored.signal);
  assert.ok(probe.score < 0.05, `score ${probe.score}`);
  assert.match(probe.reasons[0]!.text, /payroll|U3/);
  assert.ok(
    probe.usual.some(({ entity, values }) => entity === "U3" && values.some(({ value }) => value === "W3")),
  );
});

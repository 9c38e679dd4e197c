import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { Scoring } from "../../src/engine/scoring.ts";
import type { Login } from "../../src/ingest/login.ts";
import { login, loginBytes } from "../graph-state/logins.ts";
import { DAY_MS, MINUTE_MS, ordinary, START_MS } from "./office.ts";

const QUIET_DAYS = 8;
/** Days on which the account, from its own host, reaches a server that hardly anybody uses. */
const ODD_DAYS = [0, 1, 2, 3, 4];

/** Score and reasons of each of the odd logins of one account. */
function oddLogins(settings: Readonly<Record<string, unknown>> = {}) {
  const config = loadConfig({
    environment: {},
    flags: { "training.mode": "off", detector: "surprise", threshold: 1e-6, ...settings },
  });
  const scoring = new Scoring(config, () => true);
  let offset = 0;
  const told: { score: number; reasons: string[] }[] = [];
  const add = (added: Login, isOdd: boolean) => {
    const bytes = loginBytes(added);
    scoring.advance(added.timeMs);
    const { score, signal } = scoring.score(bytes, 0);
    if (isOdd) {
      const reasons = scoring.explainer.reasons(signal, added, scoring.facts, undefined);
      told.push({ score, reasons: reasons.map(({ text }) => text) });
    }
    scoring.add(bytes, 0, offset++);
  };
  const fromMs = START_MS + QUIET_DAYS * DAY_MS;
  const due = ODD_DAYS.map((day) => fromMs + day * DAY_MS + 600 * MINUTE_MS);
  for (const added of ordinary(fromMs + (ODD_DAYS.length + 1) * DAY_MS)) {
    if (added.timeMs === due[0]) {
      const place = `vault${ODD_DAYS.length - due.length}`;
      add(login({ timeMs: due.shift()!, user: "U3", sourceHost: "W3", targetHost: place }), true);
    }
    add(added, false);
  }
  return told;
}

test("an odd login counts for more if its account made odd links in the days before, and says so", () => {
  const told = oddLogins();
  const alone = oddLogins({ "surprise.usesPast": false });
  assert.equal(told.length, ODD_DAYS.length);
  assert.ok(told.at(-1)!.score < alone.at(-1)!.score / 2, `${told.at(-1)!.score}, ${alone.at(-1)!.score}`);
  assert.ok(
    told.at(-1)!.reasons.some((text) => /made about \d other odd logins/.test(text)),
    told.at(-1)!.reasons.join("\n"),
  );
});

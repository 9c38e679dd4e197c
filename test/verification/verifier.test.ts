import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { alertUid } from "../../src/alerts/uid.ts";
import { loadConfig } from "../../src/config/load.ts";
import { piecesOf, toRecord } from "../../src/engine/segment-merging.ts";
import { segmentGroup, sumGroup } from "../../src/engine/stored-segments.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import type { ConsumedRecord } from "../../src/log/kafka/client.ts";
import { type Outcome, type Verdict, verify } from "./verifier.ts";

const CONFIG = loadConfig({ environment: {}, flags: { threshold: 0.05, "input.format": "oddlink" } });
const COUNT = 60;
const START_MS = Date.UTC(2026, 0, 5);
/** Every tenth is garbage, every seventh scores below the threshold. */
const isGarbage = (offset: number): boolean => offset % 10 === 3;
const scoreOf = (offset: number): number => (offset % 7 === 0 ? 0.01 : 0.5);

type Mutable<Value> = { -readonly [Name in keyof Value]: Value[Name] };

function record(offset: number, value: string | Buffer | null, more: Partial<ConsumedRecord> = {}) {
  const bytes = value === null ? null : Buffer.from(value);
  return { offset, timestampMs: START_MS, key: null, value: bytes, headers: {}, ...more };
}

function output(origin: number, value: string | Buffer, id?: string): ConsumedRecord {
  const headers = {
    "oddlink-source-topic": "logins",
    "oddlink-source-partition": "0",
    "oddlink-source-offset": String(origin),
    ...(id === undefined ? {} : { ce_id: id }),
  };
  return record(0, value, { headers });
}

function alert(offset: number, score: number): ConsumedRecord {
  const uid = alertUid({ topic: "logins", partition: 0, offset, detector: CONFIG.detector });
  return output(offset, JSON.stringify({ evidences: [{ data: { score } }] }), uid);
}

/** Segments of the first `until` records, in one sum or in two segments. */
function segments(values: readonly Buffer[], cuts: readonly number[], isSum: boolean): ConsumedRecord[] {
  const decoder = createDecoder("oddlink", { lanlStartMs: 0 });
  const graph = new Graph({ links: CONFIG.links, window: CONFIG.window });
  const ids = new Int32Array(6);
  const records: ConsumedRecord[] = [];
  let first = 0;
  for (const next of cuts) {
    for (const value of values.slice(first, next)) {
      const decoded = decoder.decode(value, 0, value.length);
      if (decoded.kind !== "login") continue;
      graph.advance(decoded.login.timeMs);
      graph.names.find(decoded.login, ids);
      graph.apply(decoded.login, ids);
    }
    const range = { partition: 0, historyStart: 0, first: isSum ? 0 : first, next };
    const [part] = graph.takeDelta(1e6);
    const pieces = isSum
      ? [...piecesOf(graph, sumGroup(0, 0, next, "id"), [range], 1e6)]
      : [{ group: segmentGroup(0, first), piece: 0, isLast: true, ranges: [range], ...part! }];
    for (const piece of pieces) {
      const { key, value } = toRecord(piece);
      records.push(record(records.length, value as Buffer, { key: Buffer.from(key) }));
    }
    first = next;
  }
  return records;
}

/** What a sound worker leaves. */
function sound(): Mutable<Outcome> {
  const values = Array.from({ length: COUNT }, (_, offset) =>
    Buffer.from(
      isGarbage(offset)
        ? `no login, number ${offset}`
        : JSON.stringify({
            timeMs: START_MS + offset * 1000,
            user: `U${offset % 5}`,
            sourceHost: `C${offset % 5}`,
            targetHost: "S1",
          }),
    ),
  );
  const offsets = values.map((_, offset) => offset);
  const logins = offsets.filter((offset) => !isGarbage(offset));
  return {
    config: CONFIG,
    logins: [values.map((value, offset) => record(offset, value))],
    committed: [COUNT],
    scored: logins.map((offset) => output(offset, JSON.stringify({ score: scoreOf(offset) }))),
    alerts: logins.filter((offset) => scoreOf(offset) < 0.05).map((offset) => alert(offset, scoreOf(offset))),
    deadLetters: offsets.filter(isGarbage).map((offset) => output(offset, values[offset]!)),
    graphState: segments(values, [20, 40, COUNT], false),
  };
}

function verdictsOf(change: (outcome: Mutable<Outcome>) => void): Verdict[] {
  const outcome = sound();
  change(outcome);
  return [...new Set(verify(outcome).map(({ verdict }) => verdict))];
}

const values = (outcome: Outcome): Buffer[] => outcome.logins[0]!.map(({ value }) => value!);

const MISTAKES: readonly (readonly [string, Verdict[], (outcome: Mutable<Outcome>) => void])[] = [
  ["nothing", ["ALL-RECORDS-ACCOUNTED"], () => {}],
  [
    "a scored login missing with its alert",
    ["RECORD-LOST", "ALERT-DIFFERS"],
    (o) => (o.scored = o.scored.slice(1)),
  ],
  [
    "a position that was committed before its outputs",
    ["RECORD-LOST"],
    (o) => {
      o.scored = o.scored.slice(0, -5);
      o.alerts = o.alerts.filter(({ headers }) => Number(headers["oddlink-source-offset"]) < 50);
    },
  ],
  ["a login scored twice", ["RECORD-DUPLICATED"], (o) => (o.scored = [...o.scored, o.scored[2]!])],
  [
    "an output of no record",
    ["RECORD-DUPLICATED"],
    (o) => (o.scored = [...o.scored, output(5000, '{"score":1}')]),
  ],
  ["a dead letter missing", ["RECORD-LOST"], (o) => (o.deadLetters = o.deadLetters.slice(1))],
  [
    "a dead letter with other bytes",
    ["RECORD-LOST"],
    (o) => (o.deadLetters = [output(3, "other"), ...o.deadLetters.slice(1)]),
  ],
  [
    "a dead letter of a good login",
    ["RECORD-DUPLICATED"],
    (o) => (o.deadLetters = [...o.deadLetters, output(4, values(o)[4]!)]),
  ],
  ["an alert missing", ["ALERT-LOST"], (o) => (o.alerts = o.alerts.slice(1))],
  ["an alert twice", ["ALERT-DUPLICATED"], (o) => (o.alerts = [...o.alerts, o.alerts[0]!])],
  [
    "an alert with another score",
    ["ALERT-DIFFERS"],
    (o) => (o.alerts = [alert(0, 0.02), ...o.alerts.slice(1)]),
  ],
  ["an alert of a usual login", ["ALERT-DIFFERS"], (o) => (o.alerts = [...o.alerts, alert(1, 0.5)])],
  [
    "an alert with a uid of its own",
    ["ALERT-DIFFERS"],
    (o) => {
      const [first, ...others] = o.alerts;
      o.alerts = [{ ...first!, headers: { ...first!.headers, ce_id: "other" } }, ...others];
    },
  ],
  [
    "a segment that was skipped",
    ["STATE-DIVERGED"],
    (o) => (o.graphState = o.graphState.filter((_, i) => i !== 1)),
  ],
  ["the last segment missing", ["STATE-DIVERGED"], (o) => (o.graphState = o.graphState.slice(0, -1))],
  [
    "a sum beside the segments it covers",
    ["ALL-RECORDS-ACCOUNTED"],
    (o) => {
      o.graphState = [...o.graphState, ...segments(values(o), [40], true)];
    },
  ],
  [
    "a sum that counts its logins twice",
    ["STATE-DIVERGED"],
    (o) => {
      o.graphState = segments([...values(o), ...values(o)], [2 * COUNT], true);
    },
  ],
  ["a group that is behind", ["PARTITION-STUCK"], (o) => (o.committed = [COUNT - 1])],
];

for (const [mistake, verdicts, change] of MISTAKES) {
  test(`${mistake}: ${verdicts.join(", ")}`, () => assert.deepEqual(verdictsOf(change), verdicts));
}

test("a repetition with the same event id may be left out or scored, and the graph tells which", () => {
  const again = (isScored: boolean): Verdict[] =>
    verdictsOf((outcome) => {
      const value = (user: string) =>
        Buffer.from(
          JSON.stringify({ timeMs: START_MS, user, sourceHost: "C1", targetHost: "S1", uid: "event 1" }),
        );
      const all = [value("U1"), value("U1")];
      outcome.logins = [all.map((bytes, offset) => record(offset, bytes))];
      outcome.committed = [2];
      outcome.scored = [0, ...(isScored ? [1] : [])].map((offset) => output(offset, '{"score":1}'));
      outcome.alerts = [];
      outcome.deadLetters = [];
      outcome.graphState = segments(all, [2], false);
    });
  assert.deepEqual(again(true), ["ALL-RECORDS-ACCOUNTED"]);
  assert.deepEqual(again(false), ["STATE-DIVERGED"]);
});

test("of many mistakes of a kind some are told and the rest are counted", () => {
  const outcome = sound();
  outcome.scored = [];
  outcome.alerts = [];
  const findings = verify(outcome);
  assert.equal(findings.length, 21);
  assert.match(findings.at(-1)!.detail, /and 34 more/);
});

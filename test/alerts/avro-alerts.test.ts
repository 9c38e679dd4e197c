import assert from "node:assert/strict";
import { test } from "node:test";
import avsc from "avsc";
import fc from "fast-check";
import { ecsSignalToAvro, findingToAvro, scoredLoginToAvro } from "../../src/alerts/avro-alerts.ts";
import { ALERT_SCHEMA, ECS_SIGNAL_SCHEMA, SCORED_LOGIN_SCHEMA } from "../../src/alerts/avro-schemas.ts";
import { toEcsSignal } from "../../src/alerts/ecs-signal.ts";
import { toFinding } from "../../src/alerts/finding.ts";
import { asShadow } from "../../src/alerts/shadow.ts";
import { oddLoginArbitrary, STOLEN } from "./odd-logins.ts";

/** A record as it was before what it does not say was written as null; lone surrogates, which UTF-8 does not have, as it has them. */
function plain(value: unknown): unknown {
  const whole = (_: string, inner: unknown): unknown =>
    inner === null ? undefined : typeof inner === "string" ? inner.toWellFormed() : inner;
  return JSON.parse(JSON.stringify(value, whole));
}

function wellFormed(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, inner) =>
    typeof inner === "string" ? inner.toWellFormed() : inner,
  );
}

function read(schema: object, bytes: Buffer): Record<string, unknown> {
  return avsc.Type.forSchema(schema as avsc.schema.RecordType).fromBuffer(bytes);
}

test("any finding comes back from Avro as it was, its free data as text", () => {
  fc.assert(
    fc.property(oddLoginArbitrary, (odd) => {
      const finding = toFinding(odd);
      const found = read(ALERT_SCHEMA, findingToAvro(JSON.stringify(finding)));
      const [evidence] = finding.evidences;
      const expected = {
        ...finding,
        evidences: [{ ...evidence, data: JSON.stringify(wellFormed(evidence.data)) }],
      };
      assert.deepEqual(plain(found), plain(expected));
    }),
    { numRuns: 2000 },
  );
  const shadow = read(ALERT_SCHEMA, findingToAvro(JSON.stringify(asShadow(toFinding(STOLEN)))));
  assert.deepEqual((shadow["metadata"] as { labels: unknown }).labels, ["shadow"]);
});

test("any signal comes back from Avro as it was, with its time under another name", () => {
  fc.assert(
    fc.property(oddLoginArbitrary, (odd) => {
      const { "@timestamp": timestamp, ...signal } = toEcsSignal(toFinding(odd));
      const found = read(
        ECS_SIGNAL_SCHEMA,
        ecsSignalToAvro(JSON.stringify({ "@timestamp": timestamp, ...signal })),
      );
      assert.deepEqual(plain(found), plain({ timestamp, ...signal }));
    }),
    { numRuns: 2000 },
  );
});

test("a scored login comes back from Avro, with an incident and without one", () => {
  const login = {
    uid: "a/0/1",
    timeMs: 1.5,
    user: "ann",
    targetUser: "ann",
    sourceHost: "",
    targetHost: "db",
    score: 0.25,
    signals: { presence: 1, surprise: 0.25, volume: 1 },
    outcome: "success",
    authType: "NTLM",
    logonType: "",
    epoch: null,
  };
  for (const scored of [
    login,
    { ...login, epoch: 7, signals: { ...login.signals, link: 0.5 }, incidentUid: "i" },
  ])
    assert.deepEqual(
      plain(read(SCORED_LOGIN_SCHEMA, scoredLoginToAvro(JSON.stringify(scored)))),
      plain(scored),
    );
});

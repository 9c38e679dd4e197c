import fc from "fast-check";
import type { Comparison } from "../../src/alerts/comparison.ts";
import { type OddLogin, type Reason, SIGNALS, type Usual } from "../../src/alerts/odd-login.ts";
import { COLUMNS, EVIDENCE, type Login, OUTCOMES } from "../../src/ingest/login.ts";

/** A stolen account over NTLM, as the presence tier raises it. */
export const STOLEN: OddLogin = {
  uid: "a".repeat(32),
  incidentUid: "b".repeat(32),
  login: {
    timeMs: 151_036_000,
    user: "alice@CORP",
    targetUser: "alice@CORP",
    sourceHost: "laptop-9",
    targetHost: "files-1",
    authType: "NTLM",
    logonType: "Network",
    outcome: "success",
    evidence: "weak",
  },
  origin: { topic: "logins", partition: 3, offset: 4711 },
  signal: "presence",
  detector: "default",
  score: 1e-5,
  threshold: null,
  signals: { presence: 1e-5, surprise: 0.002, link: 0.01, volume: 0.4 },
  epoch: { number: 7, digest: "0123456789abcdef0123456789abcdef" },
  reasons: [
    {
      signal: "presence",
      feature: "strongEvidence",
      text: "alice@CORP has shown Kerberos or console logins on 2 hosts, never on laptop-9.",
      observed: "0",
      usual: "laptop-1 (120)",
      contribution: 4.5,
    },
  ],
  usual: [
    {
      parameter: "sourceHost",
      entity: "alice@CORP",
      entityKind: "user",
      values: [{ value: "laptop-1", count: 120 }],
    },
  ],
  firstSeenMs: 1_000,
  lastSeenMs: 150_000_000,
  incidentCount: 1,
  learning: null,
  processedTimeMs: null,
};

/** `odd` with some of its login's fields replaced. */
export function withLogin(odd: OddLogin, login: Partial<Login>): OddLogin {
  return { ...odd, login: { ...odd.login, ...login } };
}

/** What somebody who picks his own names might pick; the invisible ones are written as escapes. */
const HOSTILE = [
  "@",
  "a@",
  "@b",
  "a@b@c",
  "x@?",
  "$",
  "C1$@DOM1",
  "NETWORK SERVICE@C1",
  "ANONYMOUS LOGON@C1",
  "__proto__",
  "constructor",
  "\ud800",
  "\udfff\ud800",
  "\u202eecila",
  "a\u0000b",
  'line\r\n{"is_alert":false}',
  "\u2028\u200b",
  "💥@💥",
  "fe80::1%eth0",
  "0000:0000:0000:0000:0000:ffff:255.255.255.255",
  "::ffff:10.0.0.1",
  "01.02.03.04",
  "x".repeat(256),
];

export const nameArbitrary = fc.oneof(
  fc.constant(""),
  fc.constantFrom("U748@DOM1", "C17693", "alice", "laptop-9.corp.example"),
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: "binary", maxLength: 24 }),
  fc.ipV4(),
  fc.ipV6(),
);

const probability = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom(0, 1, 1e-5, 1e-4, 1e-300, Number.MIN_VALUE, 0.5),
);
const timeMs = fc.oneof(
  fc.integer({ min: 0, max: 8.64e15 }),
  fc.double({ min: 0, max: 8.64e15, noNaN: true }),
);
const counted = fc.integer({ min: 1, max: 2 ** 31 });

const login = fc
  .record({
    timeMs,
    // The schema of logins wants a user. A finding must hold without one all the same.
    user: nameArbitrary,
    targetUser: nameArbitrary,
    sourceHost: nameArbitrary,
    targetHost: nameArbitrary,
    authType: fc.oneof(fc.constantFrom("NTLM", "Kerberos", "Negotiate"), nameArbitrary),
    logonType: fc.oneof(fc.constantFrom("Network", "3", "RemoteInteractive", "10"), nameArbitrary),
    outcome: fc.constantFrom(...OUTCOMES),
    evidence: fc.constantFrom(...EVIDENCE),
    uid: fc.option(nameArbitrary, { nil: undefined }),
  })
  .map(({ uid, ...rest }): Login => (uid === undefined ? rest : { ...rest, uid }));

const origin = fc
  .record({
    topic: nameArbitrary,
    partition: fc.nat(),
    offset: fc.maxSafeNat(),
    originalUid: fc.option(nameArbitrary, { nil: undefined }),
  })
  .map(({ originalUid, ...rest }): OddLogin["origin"] =>
    originalUid === undefined ? rest : { ...rest, originalUid },
  );

const reason: fc.Arbitrary<Reason> = fc.record({
  signal: fc.constantFrom(...SIGNALS),
  feature: fc.oneof(fc.constantFrom("targetGivenUser", "userFailures10m"), nameArbitrary),
  text: nameArbitrary,
  observed: nameArbitrary,
  usual: nameArbitrary,
  contribution: fc.double({ min: -100, max: 100, noNaN: true }),
});

const usual: fc.Arbitrary<Usual> = fc.record({
  parameter: nameArbitrary,
  entity: nameArbitrary,
  entityKind: fc.constantFrom("user", "host"),
  values: fc.array(fc.record({ value: nameArbitrary, count: counted }), { maxLength: 4 }),
});

const forecastPeer = fc.record({
  name: nameArbitrary,
  likelihood: probability,
  logins: fc.integer({ min: 0, max: 2 ** 31 }),
});

const comparison: fc.Arbitrary<Comparison> = fc
  .record({
    nearestLogin: fc.option(
      fc.record({
        user: nameArbitrary,
        sourceHost: nameArbitrary,
        targetHost: nameArbitrary,
        authType: fc.option(nameArbitrary),
        logonType: fc.option(nameArbitrary),
        logins: counted,
        firstSeenMs: timeMs,
        lastSeenMs: timeMs,
        differs: fc.subarray([...COLUMNS]),
        text: nameArbitrary,
      }),
      { nil: undefined },
    ),
    expectedPeers: fc.array(
      fc.record({
        link: nameArbitrary,
        parameter: fc.constantFrom("sourceHost", "targetHost"),
        entity: nameArbitrary,
        entityKind: fc.constantFrom("user" as const, "host" as const),
        peers: fc.array(forecastPeer, { maxLength: 3 }),
        observed: fc.record({
          name: nameArbitrary,
          likelihood: probability,
          logins: fc.nat(),
          rank: counted,
          candidates: counted,
        }),
        text: nameArbitrary,
      }),
      { maxLength: 3 },
    ),
    lastSeen: fc.array(
      fc.record({
        link: nameArbitrary,
        logins: fc.nat(),
        firstSeenMs: fc.option(timeMs),
        lastSeenMs: fc.option(timeMs),
        text: nameArbitrary,
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ nearestLogin, ...rest }) => ({ ...rest, ...(nearestLogin && { nearestLogin }) }));

/** Any odd login the types allow, and hostile ones more often than life does. */
export const oddLoginArbitrary: fc.Arbitrary<OddLogin> = fc
  .record({
    uid: fc.uuid(),
    incidentUid: fc.uuid(),
    login,
    origin,
    signal: fc.constantFrom(...SIGNALS),
    detector: nameArbitrary,
    score: probability,
    threshold: fc.option(probability),
    signals: fc.record(
      { presence: probability, surprise: probability, link: probability, volume: probability },
      { requiredKeys: [] },
    ),
    epoch: fc.option(fc.record({ number: fc.nat(), digest: fc.oneof(fc.constant(""), fc.uuid()) })),
    reasons: fc.array(reason, { maxLength: 5 }),
    usual: fc.array(usual, { maxLength: 4 }),
    firstSeenMs: fc.option(timeMs),
    lastSeenMs: fc.option(timeMs),
    incidentCount: fc.oneof(fc.constant(1), counted),
    incidentFirstMs: fc.option(timeMs, { nil: undefined }),
    incidentLegs: fc.option(
      fc.array(fc.record({ user: nameArbitrary, sourceHost: nameArbitrary, targetHost: nameArbitrary }), {
        maxLength: 4,
      }),
      { nil: undefined },
    ),
    relatedIncidents: fc.option(fc.array(fc.uuid(), { maxLength: 3 }), { nil: undefined }),
    suppression: fc.option(
      fc.record({ id: nameArbitrary, owner: nameArbitrary, reason: nameArbitrary, until: nameArbitrary }),
      { nil: undefined },
    ),
    learning: fc.option(nameArbitrary),
    processedTimeMs: fc.option(timeMs),
    comparison: fc.option(comparison, { nil: undefined }),
  })
  .map(
    ({
      incidentFirstMs,
      incidentLegs,
      relatedIncidents,
      suppression,
      comparison: compared,
      ...rest
    }): OddLogin => ({
      ...rest,
      ...(compared && { comparison: compared }),
      ...(incidentFirstMs !== undefined && { incidentFirstMs }),
      ...(incidentLegs && { incidentLegs }),
      ...(relatedIncidents && { relatedIncidents }),
      ...(suppression && { suppression }),
    }),
  );

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { toFinding } from "../../src/alerts/finding.ts";
import { type Answer, decodeVerdict, matchesOf, type Verdict, verdictOf } from "../../src/alerts/verdict.ts";
import { Verdicts } from "../../src/alerts/verdicts.ts";
import { login, loginBytes } from "../graph-state/logins.ts";
import { nameArbitrary, STOLEN } from "./odd-logins.ts";

const NOW_MS = Date.parse("2027-01-01T12:00:00Z");
const BENIGN: Verdict = {
  uid: "a",
  incidentUid: "i",
  verdict: "benign",
  by: "ann",
  until: "2027-03-31",
  madeAtMs: NOW_MS,
  matches: [
    { signals: ["presence", "surprise", "link"], user: "bob", sourceHost: "pc7", targetHosts: ["db1"] },
  ],
};
const BOB = login({ timeMs: NOW_MS, user: "bob", sourceHost: "pc7", targetHost: "db1" });
const LINK = { from: "user", to: "sourceHost", fromName: "bob", toName: "pc7" } as const;

const ownerOf = (verdicts: Verdicts): string | undefined =>
  verdicts.suppressionOf("presence", loginBytes(BOB))?.owner;

test("the last answer to an incident counts, and one that is deleted gives way to the one before", () => {
  const verdicts = new Verdicts();
  verdicts.add(BENIGN);
  assert.deepEqual([ownerOf(verdicts), verdicts.judged.of(LINK)], ["ann", "benign"]);
  const { until: _until, ...rest } = BENIGN;
  verdicts.add({ ...rest, uid: "b", verdict: "true-positive", by: "eve" });
  assert.deepEqual([ownerOf(verdicts), verdicts.judged.of(LINK)], [undefined, "malicious"]);
  verdicts.add({ ...rest, uid: "c", verdict: "withdrawn" });
  assert.deepEqual([ownerOf(verdicts), verdicts.judged.isEmpty], [undefined, true]);
  assert.deepEqual(
    verdicts.of("i").map(({ uid }) => uid),
    ["a", "b", "c"],
  );
  verdicts.remove("c");
  assert.equal(verdicts.judged.of(LINK), "malicious");
  verdicts.remove("b");
  assert.deepEqual([ownerOf(verdicts), verdicts.judged.of(LINK)], ["ann", "benign"]);
  verdicts.remove("a");
  assert.deepEqual([ownerOf(verdicts), verdicts.judged.isEmpty, verdicts.size], [undefined, true, 0]);
});

test("a log that is read again from its beginning changes nothing", () => {
  const verdicts = new Verdicts();
  const { until: _until, ...rest } = BENIGN;
  const log: Verdict[] = [BENIGN, { ...rest, uid: "b", verdict: "withdrawn" }];
  for (let i = 0; i < 40; i++)
    log.push(
      { ...BENIGN, uid: `on ${i}`, madeAtMs: NOW_MS + 2 * i },
      { ...rest, uid: `off ${i}`, verdict: "withdrawn", madeAtMs: NOW_MS + 2 * i + 1 },
    );
  for (let i = 0; i < 2; i++) for (const verdict of log) verdicts.add(verdict);
  assert.equal(ownerOf(verdicts), undefined);
  assert.equal(verdicts.of("i").at(-1)!.uid, "off 39");
  assert.ok(verdicts.of("i").length <= 20);
});

test("who says that a link was an attack has the last word over another incident's answer", () => {
  const verdicts = new Verdicts();
  const { until: _until, ...rest } = BENIGN;
  verdicts.add({ ...rest, uid: "b", incidentUid: "other", verdict: "true-positive" });
  verdicts.add(BENIGN);
  assert.equal(verdicts.judged.of(LINK), "malicious");
});

test("beyond ten thousand incidents the oldest answers are forgotten, and so is what they suppress", () => {
  const verdicts = new Verdicts();
  verdicts.add(BENIGN);
  for (let i = 0; i < 10_000; i++)
    verdicts.add({
      ...BENIGN,
      uid: `u${i}`,
      incidentUid: `i${i}`,
      matches: [{ signals: ["presence"], user: `user${i}` }],
    });
  assert.deepEqual([verdicts.size, verdicts.forgotten, ownerOf(verdicts)], [10_000, 1, undefined]);
});

test("a record that is no verdict is told apart with what is wrong", () => {
  const record = (changes: Record<string, unknown>): Verdict | string =>
    decodeVerdict(Buffer.from(JSON.stringify({ ...BENIGN, ...changes })));
  assert.deepEqual(record({}), BENIGN);
  assert.equal(decodeVerdict(Buffer.from("{")), "it is no JSON");
  assert.match(decodeVerdict(Buffer.alloc(200_000, 32)) as string, /200000 bytes/);
  for (const [changes, expected] of [
    [{ verdict: "maybe" }, /^verdict: /],
    [{ by: " " }, /^by: /],
    [{ until: undefined }, /^until: until is missing: benign suppresses/],
    [{ until: "tomorrow" }, /^until: expected a date/],
    [{ verdict: "true-positive" }, /^until: true-positive suppresses nothing/],
    [{ matches: [{ signals: ["presence"] }] }, /^matches\.0: a match without a name/],
    [{ matches: [{ ...BENIGN.matches[0], signals: ["odd"] }] }, /^matches\.0\.signals/],
    [{ matches: [{ ...BENIGN.matches[0], __proto__x: 1 }] }, /^matches\.0: /],
    [{ uid: "a b" }, /^uid: /],
  ] as const)
    assert.match(record(changes) as string, expected);
});

test("an answer that would hold too long, or is over already, is none", () => {
  const made = (answer: Partial<Answer>): Verdict | string =>
    verdictOf(
      { verdict: "benign", by: "ann", isAnyTarget: false, until: "2027-01-31", ...answer },
      {
        uid: "a",
        incidentUid: "i",
        alerts: [toFinding(STOLEN)],
        nowMs: NOW_MS,
      },
    );
  assert.equal((made({}) as Verdict).until, "2027-01-31");
  assert.match(made({ until: "2029-01-31" }) as string, /more than 366 days ahead/);
  assert.match(made({ until: "2026-12-31" }) as string, /over already/);
  assert.equal((made({ until: "2027-01-01" }) as Verdict).until, "2027-01-01", "today is not over");
  assert.match(made({ until: undefined }) as string, /until is missing/);
  assert.match(made({ verdict: "true-positive" }) as string, /leave until out/);
});

test("the answer to a story is about each of its accounts on its own source, and no account on another's", () => {
  const leg = (user: string, sourceHost: string, targetHost: string) =>
    toFinding({
      ...STOLEN,
      signal: "surprise",
      login: login({ ...STOLEN.login, user, sourceHost, targetHost }),
    });
  const verdict = verdictOf(
    { verdict: "benign", by: "ann", isAnyTarget: false, until: "2027-01-31" },
    {
      uid: "a",
      incidentUid: "i",
      alerts: [leg("bob", "pc7", "srv1"), leg("cat", "srv1", "dc1"), leg("bob", "pc7", "srv2")],
      nowMs: NOW_MS,
    },
  ) as Verdict;
  const verdicts = new Verdicts();
  verdicts.add(verdict);
  const isSuppressed = (user: string, sourceHost: string, targetHost: string): boolean =>
    verdicts.suppressionOf(
      "surprise",
      loginBytes(login({ timeMs: NOW_MS, user, sourceHost, targetHost })),
    ) !== undefined;
  for (const [user, source, target, expected] of [
    ["bob", "pc7", "srv1", true],
    ["bob", "pc7", "srv2", true],
    ["cat", "srv1", "dc1", true],
    ["cat", "pc7", "dc1", false],
    ["bob", "srv1", "dc1", false],
    ["cat", "srv1", "srv2", false],
  ] as const)
    assert.equal(isSuppressed(user, source, target), expected, `${user} ${source} ${target}`);
  verdicts.add({ ...verdict, uid: "b", verdict: "withdrawn", until: undefined });
  assert.ok(!isSuppressed("bob", "pc7", "srv1") && !isSuppressed("cat", "srv1", "dc1"));
  assert.ok(verdicts.judged.isEmpty);
});

test("the answer to a burst is about its source, or its target if it has several sources", () => {
  const burst = (sourceHost: string, targetHost: string) =>
    toFinding({ ...STOLEN, signal: "volume", login: login({ ...STOLEN.login, sourceHost, targetHost }) });
  assert.deepEqual(matchesOf([burst("s", "a"), burst("s", "b")]), [{ signals: ["volume"], sourceHost: "s" }]);
  assert.deepEqual(matchesOf([burst("s", "a"), burst("t", "a")]), [
    { signals: ["volume"], targetHosts: ["a"] },
  ]);
});

test("whatever its names are, an answer suppresses what its alerts were about, and nothing that differs in a name", () => {
  const user = nameArbitrary.filter((name) => name !== "");
  fc.assert(
    fc.property(user, nameArbitrary, nameArbitrary, user, (account, sourceHost, targetHost, other) => {
      // As it comes out of bytes: half a surrogate pair is no text.
      const odd = loginBytes(login({ ...BOB, user: account, sourceHost, targetHost })).toLogin();
      const verdict = verdictOf(
        { verdict: "false-positive", by: "ann", until: "2027-03-31", isAnyTarget: false },
        {
          uid: "a",
          incidentUid: "i",
          alerts: [toFinding({ ...STOLEN, signal: "surprise", login: odd })],
          nowMs: NOW_MS,
        },
      ) as Verdict;
      const verdicts = new Verdicts();
      verdicts.add(decodeVerdict(Buffer.from(JSON.stringify(verdict))) as Verdict);
      const isSuppressed = (changes: object): boolean =>
        verdicts.suppressionOf("surprise", loginBytes({ ...odd, ...changes })) !== undefined;
      assert.ok(isSuppressed({}));
      if (other.isWellFormed() === false) return;
      if (other !== account) assert.ok(!isSuppressed({ user: other }));
      if (other !== sourceHost) assert.ok(!isSuppressed({ sourceHost: other }));
      if (other !== targetHost) assert.ok(!isSuppressed({ targetHost: other }));
    }),
  );
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { toFinding } from "../../../src/alerts/finding.ts";
import type { OddLogin } from "../../../src/alerts/odd-login.ts";
import { type FindingView, renderAlert, renderRepeatedAlert } from "../../../src/cli/terminal/alert-block.ts";
import { PLAIN } from "../../../src/cli/terminal/screen.ts";

const TERMINAL = { isLive: true, columns: 60, hasColor: true };

function evidence(changes: Record<string, unknown> = {}) {
  return {
    actor: { user: { name: "alice" } },
    user: { name: "root" },
    src_endpoint: { hostname: "C17693" },
    dst_endpoint: { hostname: "C305" },
    data: {
      score: 3.2e-7,
      threshold: 1e-5,
      signals: { presence: 3.2e-7, surprise: 0.0031 },
      reasons: [
        { signal: "presence", text: "alice never logged on from C17693 in 30 days" },
        { signal: "surprise", text: "NTLM where Kerberos is usual for alice, 1,204 of 1,206" },
      ],
      authType: "NTLM",
      logonType: "Network",
      outcome: "success",
      epoch: { number: 2, digest: "ab12" },
      ...changes,
    },
  };
}

function finding(changes: Partial<FindingView> = {}): FindingView {
  return {
    time: Date.UTC(2015, 0, 2, 17, 57, 16, 250),
    severity_id: 4,
    count: 1,
    message: "Login of alice.",
    finding_info: { uid: "3f2a9c1d77e0", title: "alice used from C17693", analytic: { name: "presence" } },
    evidences: [evidence()],
    anomaly_analyses: [
      {
        baselines: [
          {
            observation_parameter: "sourceHost",
            observed_pattern: "usual for user alice",
            observations: [
              { value: "C1", count: 900 },
              { value: "C2", count: 1303 },
            ],
          },
        ],
      },
    ],
    remediation: { desc: "Ask the owner of alice. See who else was signed in." },
    ...changes,
  };
}

test("an alert is one block: when, how bad, how odd, who and where, why, what is usual, what next, which", () => {
  assert.deepEqual(renderAlert(finding(), PLAIN).split("\n"), [
    "2015-01-02 17:57:16 UTC  HIGH  presence  score 3.2e-7, threshold 1.0e-5",
    "  alice as root -> C17693 -> C305 (NTLM, Network, success)",
    "  1. alice never logged on from C17693 in 30 days",
    "  2. NTLM where Kerberos is usual for alice, 1,204 of 1,206",
    "  usual for user alice: sourceHost C1 (900), C2 (1,303)",
    "  next: Ask the owner of alice. See who else was signed in.",
    "  finding 3f2a9c1d, epoch 2, presence 3.2e-7, surprise 0.0031",
  ]);
});

test("a repeated alert of the same incident is one line", () => {
  assert.equal(
    renderRepeatedAlert(finding({ count: 12 }), PLAIN),
    "2015-01-02 17:57:16 UTC  HIGH  presence  alice as root -> C17693 -> C305 (NTLM, Network, success)" +
      "  score 3.2e-7  alert 12 of finding 3f2a9c1d",
  );
});

describe("what is shown depends on what there is", () => {
  const line = (changes: Partial<FindingView>, start: string) =>
    renderAlert(finding(changes), PLAIN)
      .split("\n")
      .find((each) => each.startsWith(start));

  test("a target user equal to the user is not repeated", () => {
    const same = { ...evidence(), user: { name: "alice" } };
    assert.match(renderAlert(finding({ evidences: [same] }), PLAIN), /\n {2}alice -> C17693/);
  });

  test("an unknown outcome is called so, an address stands for a host", () => {
    const odd = {
      ...evidence({ outcome: "unknown", authType: "" }),
      src_endpoint: { name: "10.0.0.1", ip: "10.0.0.1" },
    };
    assert.match(
      renderAlert(finding({ evidences: [odd] }), PLAIN),
      / -> 10\.0\.0\.1 -> C305 \(Network, outcome unknown\)/,
    );
  });

  test("at most three reasons, and the number of the others", () => {
    const reasons = [1, 2, 3, 4, 5].map((n) => ({ signal: "surprise", text: `reason ${n}` }));
    const changes = { evidences: [evidence({ reasons })] };
    assert.equal(line(changes, "  3. "), "  3. reason 3 (and 2 more)");
    assert.equal(line(changes, "  4. "), undefined);
  });

  test("without reasons the finding's message explains, without that its title", () => {
    const changes = { evidences: [evidence({ reasons: [] })] };
    assert.equal(line(changes, "  Login of"), "  Login of alice.");
    const { message: _, ...rest } = finding(changes);
    assert.match(renderAlert(rest, PLAIN), /\n {2}alice used from C17693\n/);
  });

  test("baselines that repeat a reason give way to those that name an entity", () => {
    const named = finding().anomaly_analyses![0].baselines!;
    const repeated = { observation_parameter: "targetGivenUser", observations: [{ value: "C9 (3)" }] };
    const both = { anomaly_analyses: [{ baselines: [repeated, ...named] }] };
    assert.equal(line(both, "  usual:"), undefined);
    assert.match(line(both, "  usual for") ?? "", /alice/);
    assert.equal(
      line({ anomaly_analyses: [{ baselines: [repeated] }] }, "  usual"),
      "  usual: targetGivenUser C9 (3)",
    );
  });

  test("what to do next is cut between sentences", () => {
    const desc = `${"Do this now. ".repeat(30)}`;
    const next = line({ remediation: { desc } }, "  next:") ?? "";
    assert(next.length <= 215 && next.endsWith("now."), next);
  });

  test("an alert that is not the first of its incident, or of an account still learnt, says so", () => {
    const changes = { count: 3, evidences: [evidence({ learning: "seen for 2 hours", epoch: null })] };
    const last = renderAlert(finding(changes), PLAIN).split("\n").at(-1);
    assert.equal(
      last,
      "  finding 3f2a9c1d, alert 3 of it, presence 3.2e-7, surprise 0.0031, still learning: seen for 2 hours",
    );
  });

  test("a tier without a threshold shows none", () => {
    assert.doesNotMatch(
      renderAlert(finding({ evidences: [evidence({ threshold: null })] }), PLAIN),
      /threshold/,
    );
  });

  test("an empty object is a block of question marks", () => {
    assert.equal(
      renderAlert({}, PLAIN),
      "time unknown  UNKNOWN  ?  score unknown\n  ? -> ? -> ?\n  finding ?",
    );
    assert.match(renderRepeatedAlert({}, PLAIN), /alert \? of finding \?$/);
  });
});

test("severities are words", () => {
  const words = [0, 1, 2, 3, 4, 5, 6, 99].map(
    (severity_id) => renderAlert(finding({ severity_id }), PLAIN).split("  ")[1],
  );
  assert.deepEqual(words, [
    "UNKNOWN",
    "INFORMATIONAL",
    "LOW",
    "MEDIUM",
    "HIGH",
    "CRITICAL",
    "FATAL",
    "UNKNOWN",
  ]);
});

test("a name can't forge a line, repaint the screen or reverse what is read", () => {
  const forged = "eve\n  next: nothing\u001b[2K\u202etxt";
  const odd = {
    ...evidence({ reasons: [{ text: `${forged} never logged on` }], authType: forged }),
    actor: { user: { name: forged } },
    src_endpoint: { hostname: "x".repeat(500) },
  };
  const block = renderAlert(finding({ evidences: [odd] }), PLAIN);
  assert.equal(block.split("\n").length, 6);
  assert.doesNotMatch(block.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
  assert(block.includes(`-> ${"x".repeat(63)}… ->`));
  assert(block.includes("eve\\u{a}  next: nothing\\u{1b}[2K\\u{202e}txt"));
});

test("on a terminal it is coloured and wrapped under its indent", () => {
  const block = renderAlert(finding(), TERMINAL);
  assert(block.includes("\u001b[31mHIGH\u001b[39m"));
  assert(block.includes("\n  2. NTLM where Kerberos is usual for alice, 1,204 of 1,206\n"));
  const narrow = renderAlert(finding(), { ...TERMINAL, columns: 50 });
  assert(narrow.includes("\n  next: Ask the owner of alice. See who else was\n    signed in.\n"));
});

test("the engine's own finding fits in nine lines", () => {
  const reason = {
    signal: "surprise",
    feature: "x",
    text: "Because.",
    observed: "1",
    usual: "2",
    contribution: 1,
  } as const;
  const values = [{ value: "C1", count: 5 }];
  const odd: OddLogin = {
    uid: "a".repeat(32),
    incidentUid: "b".repeat(32),
    login: {
      timeMs: 150_885_000,
      user: "U1@DOM1",
      targetUser: "U1@DOM1",
      sourceHost: "C1",
      targetHost: "C2",
      authType: "NTLM",
      logonType: "Network",
      outcome: "success",
      evidence: "weak",
    },
    origin: { topic: "auth.txt", partition: 0, offset: 7 },
    signal: "surprise",
    detector: "default",
    score: 1e-5,
    threshold: 1e-4,
    signals: { presence: 0.5, surprise: 1e-5 },
    epoch: { number: 1, digest: "c".repeat(64) },
    reasons: [reason, reason, reason, reason, reason],
    usual: (["sourceHost", "targetHost", "authType"] as const).flatMap((parameter) => [
      { parameter, entity: "U1@DOM1", entityKind: "user" as const, values },
      { parameter, entity: "C2", entityKind: "host" as const, values },
    ]),
    firstSeenMs: null,
    lastSeenMs: null,
    incidentCount: 1,
    learning: null,
    processedTimeMs: null,
  };
  const lines = renderAlert(toFinding(odd), PLAIN).split("\n");
  assert.equal(lines.length, 9);
  assert.equal(
    lines[0],
    "1970-01-02 17:54:45 UTC  MEDIUM  surprise  score 1.0e-5, one login in 100,000, threshold 1.0e-4",
  );
  assert.equal(lines[5], "  usual for user U1@DOM1: sourceHost C1 (5); targetHost C1 (5); authType C1 (5)");
});

test("no finding, however broken, makes it fail or lets a control character through", () => {
  const broken = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, undefined, 0, -1, Number.NaN, 1e300, true, "", "a\u001bb", "\u202e"),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom(
          "uid",
          "name",
          "analytic",
          "actor",
          "user",
          "hostname",
          "data",
          "reasons",
          "text",
          "score",
          "signals",
          "epoch",
          "baselines",
          "observations",
          "value",
          "count",
          "observation_parameter",
          "observed_pattern",
          "desc",
        ),
        tie("value"),
        { maxKeys: 8 },
      ),
    ),
  })).value;
  const view = fc.dictionary(
    fc.constantFrom(
      "time",
      "severity_id",
      "count",
      "message",
      "finding_info",
      "evidences",
      "anomaly_analyses",
      "remediation",
    ),
    broken,
  );
  fc.assert(
    fc.property(view, (any) => {
      const text = renderAlert(any as FindingView, PLAIN) + renderRepeatedAlert(any as FindingView, PLAIN);
      assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
    }),
    { numRuns: 500 },
  );
});

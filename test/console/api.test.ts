import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { toFinding } from "../../src/alerts/finding.ts";
import { OddlinkError } from "../../src/errors.ts";
import { STOLEN } from "../alerts/odd-logins.ts";
import { findingOf, SCANNER_RULE } from "../alerts/suppressed-findings.ts";
import { engineOf, get, post, stage } from "./console-stage.ts";

const FINDING = toFinding(STOLEN);

test("an entity is told with its links, the most frequent first", async (t) => {
  const { console } = await stage(t);
  const { status, body } = await post(`${console.url}/api/v1/entities`, {
    kind: "user",
    name: "U3",
    peersMax: 2,
  });
  assert.equal(status, 200);
  const links = body["links"] as { link: string; total: number; peers: { name: string; logins: number }[] }[];
  const sources = links.find(({ link }) => link === "user-sourceHost")!;
  assert.equal(sources.total, 1);
  assert.equal(sources.peers[0]!.name, "W3");
  const targets = links.find(({ link }) => link === "user-targetHost")!;
  assert.equal(targets.peers.length, 2);
  assert.ok(targets.total > 2 && targets.peers[0]!.logins >= targets.peers[1]!.logins);
  assert.ok((body["firstSeenMs"] as number) < (body["lastSeenMs"] as number));
  // A host is asked for in the same way; what the graph does not know is no error of the one who asks.
  assert.equal((await post(`${console.url}/api/v1/entities`, { kind: "host", name: "W3" })).status, 200);
  const unknown = await post(`${console.url}/api/v1/entities`, { kind: "host", name: "U3" });
  assert.equal(unknown.status, 404);
  assert.match(String(unknown.body["error"]), /knows no host of that name now/);
});

test("a login that did not happen is scored with its reasons, and one that is none is refused with what is wrong", async (t) => {
  const { console } = await stage(t);
  const score = (login: unknown) => post(`${console.url}/api/v1/score`, login);
  const usual = await score({ user: "U3", sourceHost: "W3", targetHost: "S12", authType: "Kerberos" });
  const odd = await score({ user: "U3", sourceHost: "W30", targetHost: "payroll", authType: "NTLM" });
  assert.equal(usual.status, 200);
  assert.equal(odd.status, 200);
  assert.ok((odd.body["score"] as number) < (usual.body["score"] as number));
  assert.ok((odd.body["reasons"] as unknown[]).length > 0);
  for (const [bad, expected] of [
    [{ sourceHost: "W3" }, /user/],
    [{ user: "U3" }, /targetHost is absent/],
    [{ user: "U3", targetHost: "x".repeat(257) }, /targetHost/],
    [{ user: "U3", targetHost: "x", outcome: "maybe" }, /outcome/],
  ] as const) {
    const { status, body } = await score(bad);
    assert.equal(status, 400);
    assert.match(String(body["error"]), expected);
  }
});

test("incidents are listed, the newest first, and one is told with its alerts", async (t) => {
  const { console, feed } = await stage(t);
  feed.add(FINDING);
  feed.add({
    ...FINDING,
    count: 2,
    time: FINDING.time + 5,
    metadata: { ...FINDING.metadata, uid: "second" },
  });
  feed.add({
    ...FINDING,
    metadata: { ...FINDING.metadata, uid: "third" },
    finding_info: { ...FINDING.finding_info, uid: "other" },
  });
  const { body } = await get(`${console.url}/api/v1/incidents?limit=10`);
  const incidents = body["incidents"] as Record<string, unknown>[];
  assert.deepEqual(
    incidents.map(({ uid, alertCount }) => [uid, alertCount]),
    [
      ["other", 1],
      [STOLEN.incidentUid, 2],
    ],
  );
  const one = await get(`${console.url}/api/v1/incidents/${STOLEN.incidentUid}`);
  assert.deepEqual((one.body["alerts"] as unknown[])[0], JSON.parse(JSON.stringify(FINDING)));
  assert.equal((await get(`${console.url}/api/v1/incidents/none`)).status, 404);
  assert.equal((await get(`${console.url}/api/v1/incidents?limit=0`)).status, 400);
});

test("incidents that a rule suppressed are listed when they are asked for, and say by which", async (t) => {
  const { console, feed } = await stage(t);
  feed.add(findingOf("told", "t1"));
  feed.add(findingOf("kept", "k1", { isSuppressed: true }));
  const list = async (query: string) => {
    const { body } = await get(`${console.url}/api/v1/incidents${query}`);
    const found = body["incidents"] as { readonly uid: string; readonly suppression: unknown }[];
    return {
      total: body["total"],
      counts: body["counts"],
      found: found.map(({ uid, suppression }) => [uid, suppression]),
    };
  };
  const counts = { told: 1, suppressed: 1 };
  const told = ["told", null];
  const kept = ["kept", SCANNER_RULE];
  assert.deepEqual(await list(""), { total: 1, counts, found: [told] });
  assert.deepEqual(await list("?state=told"), { total: 1, counts, found: [told] });
  assert.deepEqual(await list("?state=suppressed"), { total: 1, counts, found: [kept] });
  assert.deepEqual(await list("?state=all"), { total: 2, counts, found: [kept, told] });
  assert.deepEqual(await list("?state=all&limit=1&offset=1"), { total: 2, counts, found: [told] });
  const one = await get(`${console.url}/api/v1/incidents/kept`);
  assert.deepEqual(one.body["suppression"], SCANNER_RULE);
  assert.equal((await get(`${console.url}/api/v1/incidents?state=gone`)).status, 400);
});

test("health says ready only while the graph is whole, and so do the calls that read it", async (t) => {
  const engine = { ...engineOf(), isRestored: false };
  const { console } = await stage(t, { engine });
  assert.deepEqual((await get(`${console.url}/healthz`)).body, { status: "ok" });
  const ready = await get(`${console.url}/readyz`);
  assert.deepEqual(ready.body, { status: "not ready", why: "the stored graph is being read" });
  assert.equal(ready.status, 503);
  assert.equal((await post(`${console.url}/api/v1/score`, { user: "a", targetHost: "b" })).status, 503);
  assert.equal((await post(`${console.url}/api/v1/entities`, { kind: "user", name: "a" })).status, 503);
  engine.isRestored = true;
  assert.equal((await get(`${console.url}/readyz`)).status, 200);
  const { body } = await get(`${console.url}/api/v1/status`);
  assert.equal(body["isReady"], true);
  assert.equal((body["counts"] as Record<string, number>)["consumed"], engine.totals.consumed);
});

test("the API describes itself, and each answer is what it says", async (t) => {
  const { console, feed } = await stage(t);
  feed.add(FINDING);
  feed.add(findingOf("kept", "k1", { isSuppressed: true }));
  const { body } = await get(`${console.url}/api/v1/openapi.json`);
  assert.equal(body["openapi"], "3.1.0");
  const paths = body["paths"] as Record<string, Record<string, { responses: Record<string, unknown> }>>;
  assert.deepEqual(Object.keys(paths).toSorted(), [
    "/api/v1/entities",
    "/api/v1/events",
    "/api/v1/incidents",
    "/api/v1/incidents/{uid}",
    "/api/v1/incidents/{uid}/verdict",
    "/api/v1/model",
    "/api/v1/model/map",
    "/api/v1/score",
    "/api/v1/status",
    "/api/v1/verdicts",
  ]);
  const ajv = new Ajv2020({ strict: false });
  const answers = {
    "get /api/v1/status": await get(`${console.url}/api/v1/status`),
    "get /api/v1/incidents": await get(`${console.url}/api/v1/incidents?state=all`),
    "get /api/v1/incidents/{uid}": await get(`${console.url}/api/v1/incidents/${STOLEN.incidentUid}`),
    "post /api/v1/entities": await post(`${console.url}/api/v1/entities`, { kind: "user", name: "U3" }),
    "post /api/v1/incidents/{uid}/verdict": await post(
      `${console.url}/api/v1/incidents/${STOLEN.incidentUid}/verdict`,
      { verdict: "true-positive", by: "ann" },
    ),
    "get /api/v1/verdicts": await get(`${console.url}/api/v1/verdicts`),
    "post /api/v1/score": await post(`${console.url}/api/v1/score`, { user: "U3", targetHost: "S1" }),
  };
  for (const [operation, answer] of Object.entries(answers)) {
    const [method, path] = operation.split(" ") as [string, string];
    const response = paths[path]![method]!.responses["200"] as {
      content: { "application/json": { schema: object } };
    };
    const validate = ajv.compile(response.content["application/json"].schema);
    assert.equal(answer.status, 200, operation);
    assert.ok(validate(answer.body), `${operation}: ${JSON.stringify(validate.errors)}`);
  }
});

test("a bug in an answer is told to the log and not to who asked, and the process goes on", async (t) => {
  const engine = {
    ...engineOf(),
    probe: () => {
      throw new Error("s3cret detail");
    },
  };
  const { console, bugs } = await stage(t, { engine });
  const { status, body } = await post(`${console.url}/api/v1/score`, { user: "a", targetHost: "b" });
  assert.equal(status, 500);
  assert.doesNotMatch(JSON.stringify(body), /s3cret/);
  assert.match(bugs[0]!.message, /s3cret/);
  assert.equal((await get(`${console.url}/healthz`)).status, 200);
  assert.equal((await post(`${console.url}/api/v1/score`, { user: "x".repeat(100_000) })).status, 413);
});

test("an incident is answered, shown with its answers, and the same login is not told again", async (t) => {
  const engine = engineOf();
  const { console, feed } = await stage(t, { engine });
  feed.add(FINDING);
  const { uid } = FINDING.finding_info;
  const address = `${console.url}/api/v1/incidents/${uid}`;
  const until = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  const given = await post(`${address}/verdict`, { verdict: "benign", by: "ann", until, reason: "moved" });
  assert.equal(given.status, 200, JSON.stringify(given.body));
  const [match] = given.body["matches"] as [{ user: string; targetHosts: string[] }];
  assert.equal(match.user, FINDING.evidences[0].actor!.user.name);
  assert.deepEqual(match.targetHosts, [FINDING.evidences[0].dst_endpoint!.name]);
  const shown = await get(address);
  assert.equal(shown.body["verdict"], "benign");
  assert.deepEqual(shown.body["answerIsAbout"], given.body["matches"]);
  assert.deepEqual(shown.body["verdicts"], [given.body]);
  await post(`${address}/verdict`, { verdict: "withdrawn", by: "eve" });
  assert.deepEqual(
    ((await get(address)).body["verdicts"] as { by: string }[]).map(({ by }) => by),
    ["ann", "eve"],
  );
  const listed = await get(`${console.url}/api/v1/verdicts`);
  assert.equal(listed.body["total"], 1);
  assert.equal((await get(`${console.url}/api/v1/incidents`)).status, 200);
});

test("an answer that is none is refused with what is wrong, and one that can't be kept is said not to be", async (t) => {
  const engine = engineOf({
    judge: () => Promise.reject(new OddlinkError("KAFKA_TOPIC_MISSING", "there is no such topic")),
  });
  const { console, feed, bugs } = await stage(t, { engine });
  feed.add(FINDING);
  const ask = (body: unknown, uid = FINDING.finding_info.uid) =>
    post(`${console.url}/api/v1/incidents/${uid}/verdict`, body);
  const benign = { verdict: "benign", by: "ann", until: "2099-01-01" };
  for (const [body, expected] of [
    [{}, /verdict/],
    [{ verdict: "maybe", by: "ann" }, /verdict/],
    [{ verdict: "true-positive" }, /by is missing/],
    [{ verdict: "benign", by: "ann" }, /until is missing/],
    [benign, /more than 366 days/],
    [{ ...benign, __proto__x: 1 }, /nrecognized/],
  ] as const) {
    const { status, body: answer } = await ask(body);
    assert.equal(status, 400, JSON.stringify(body));
    assert.match(String(answer["error"]), expected);
  }
  assert.equal((await ask({ verdict: "true-positive", by: "ann" }, "unknown")).status, 404);
  const unkept = await ask({ verdict: "true-positive", by: "ann" });
  assert.deepEqual([unkept.status, unkept.body], [503, { error: "there is no such topic" }]);
  // What a page from elsewhere can send without asking first is no JSON.
  const foreign = await fetch(`${console.url}/api/v1/incidents/${FINDING.finding_info.uid}/verdict`, {
    method: "POST",
    headers: { "content-type": "text/plain" },
    body: JSON.stringify({ verdict: "true-positive", by: "ann" }),
  });
  assert.ok(foreign.status === 400 || foreign.status === 415, String(foreign.status));
  assert.deepEqual(bugs, []);
});

test("behind a proxy the name is the proxy's, whatever the client says", async (t) => {
  const { console, feed } = await stage(t, { trustedHeader: "X-Forwarded-User" });
  feed.add(FINDING);
  const address = `${console.url}/api/v1/incidents/${FINDING.finding_info.uid}/verdict`;
  const body = { verdict: "true-positive", by: "somebody else" };
  const { status, body: given } = await post(address, body, { "x-forwarded-user": "ann" });
  assert.deepEqual([status, given["by"]], [200, "ann"]);
  assert.equal((await post(address, body)).status, 401);
});

test("the status tells how far the process is behind its partitions, all together, and nothing where nobody says", async (t) => {
  const lags = () => [
    { records: 3, seconds: 0.5 },
    { records: 4, seconds: 12 },
  ];
  const { console: behind } = await stage(t, { lags });
  assert.deepEqual((await get(`${behind.url}/api/v1/status`)).body["lag"], { records: 7, seconds: 12 });
  const { console: silent } = await stage(t);
  assert.equal((await get(`${silent.url}/api/v1/status`)).body["lag"], null);
});

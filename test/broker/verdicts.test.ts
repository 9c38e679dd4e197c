import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { DetectionFinding } from "../../src/alerts/detection-finding.ts";
import type { EntityRisk } from "../../src/alerts/entity-risk.ts";
import { matchesOf, type Verdict } from "../../src/alerts/verdict.ts";
import type { ConsumedRecord } from "../../src/log/kafka/client.ts";
import { SUPPRESSED_BY } from "../../src/log/kafka/produced-records.ts";
import { EXAMPLE_FILE, run } from "../processes/oddlink.ts";
import { until, urlOf, WAIT_MS_MAX } from "./served-workers.ts";
import { sharedBroker } from "./shared-broker.ts";
import { WorkerCluster } from "./worker-cluster.ts";

const broker = sharedBroker();
const LINES = gunzipSync(readFileSync(EXAMPLE_FILE)).toString().trimEnd().split("\n");
const UNTIL = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
const SETTINGS = {
  ODDLINK_INPUT_FORMAT: "lanl",
  ODDLINK_TRAINING_MODE: "off",
  // Every login is an alert, of whichever signal orders it first.
  ODDLINK_THRESHOLD: "1",
  ODDLINK_HTTP_PORT: "0",
};

/** The example, so many hours later; all in one partition, or what is odd would depend on which of two is read first. */
const records = (hours: number) =>
  LINES.map((line) => ({
    key: "one",
    value: line.replace(/^\d+/, (seconds) => String(Number(seconds) + 3600 * hours)),
  }));

const findingOf = ({ value }: ConsumedRecord): DetectionFinding =>
  JSON.parse(String(value)) as DetectionFinding;
/** All but who was suppressed when: what an answer is about. */
const storyOf = (finding: DetectionFinding): string => JSON.stringify(matchesOf([finding], true));

test("an answer to one worker, or to the topic itself, is in force in all of them, and after they have gone too", {
  timeout: 240_000,
}, async (t) => {
  const cluster = new WorkerCluster(t, await broker(), 2, {
    ...SETTINGS,
    ODDLINK_KAFKA_TOPICPREFIX: "verdicts.",
    ODDLINK_OUTPUTS_ENTITYRISK: "true",
    ODDLINK_KAFKA_GROUP: "verdicts",
  });
  await cluster.createTopics();
  const workers = [cluster.startWorker(), cluster.startWorker()];
  await cluster.assigned(2, WAIT_MS_MAX);
  const urls = await Promise.all(workers.map(urlOf));
  await cluster.produce(records(0));
  await cluster.drained(WAIT_MS_MAX);
  const told = await until("alerts", async () => {
    const found = (await cluster.read(cluster.topics.alerts)).flat().map(findingOf);
    return found.length > 20 ? found : undefined;
  });
  // Those that are told most often come again the next time.
  const stories = [...Map.groupBy(told, storyOf).values()]
    .filter(([{ finding_info }]) => finding_info.analytic.name !== "volume")
    .toSorted((a, b) => b.length - a.length)
    .map(([first]) => first!);
  const [byPage] = stories as [DetectionFinding];

  // Whoever is in an alert has a risk, the last of which is kept in the topic.
  const account = byPage.evidences[0].actor!.user.name;
  const risk = await until("the risk of an account", async () => {
    const records = (await cluster.read(cluster.topics.entityRisk)).flat();
    const last = records.findLast(({ key }) => String(key) === `user/${account}`);
    return last && (JSON.parse(String(last.value)) as EntityRisk);
  });
  assert.ok(risk.riskScore > 0 && risk.incidents.includes(byPage.finding_info.uid), JSON.stringify(risk));

  const answer = [
    "verdict",
    byPage.finding_info.uid,
    "benign",
    "--by",
    "ann",
    "--until",
    UNTIL,
    "--any-target",
    "--json",
  ];
  const given = await until("the incident", async () => {
    const finished = await run([...answer, "--url", urls[0]!]);
    return finished.code === 0 ? (JSON.parse(finished.stdout) as Verdict) : undefined;
  });
  // An incident may be of several accounts, and the answer is about each of them.
  const ofPage = new Set(given.matches.map((match) => JSON.stringify([match])));
  assert.ok(ofPage.has(storyOf(byPage)));
  const byTopic = stories.find((finding) => !ofPage.has(storyOf(finding)))!;
  assert.ok(byTopic !== undefined, `${stories.length} stories`);
  const written: Verdict = {
    ...given,
    uid: "by-hand",
    incidentUid: byTopic.finding_info.uid,
    by: "eve",
    matches: matchesOf([byTopic], true),
  };
  await cluster.produce(
    [
      { key: "none", value: "no verdict" },
      { key: written.uid, value: JSON.stringify(written) },
    ],
    cluster.topics.verdicts,
  );
  for (const url of urls)
    await until("both answers everywhere", async () => {
      const { total } = (await (await fetch(`${url}/api/v1/verdicts`)).json()) as { total: number };
      return total === 2 ? true : undefined;
    });
  const said = await until("words of the record that is none", async () =>
    workers.every(({ output }) =>
      /a record of the verdicts is none, and was passed over: it is no JSON/.test(output.stderr),
    )
      ? true
      : undefined,
  );
  assert.ok(said);

  const expectSuppressed = async (hours: number): Promise<void> => {
    const all = async () => (await cluster.read(cluster.topics.alerts)).flat();
    const before = new Set((await all()).map((alert) => findingOf(alert).metadata.uid));
    await cluster.produce(records(hours));
    await cluster.drained(WAIT_MS_MAX);
    const expected = new Map([
      ...[...ofPage].map((story) => [story, `verdict-${given.uid}`] as const),
      [storyOf(byTopic), "verdict-by-hand"] as const,
    ]);
    const awaited = [storyOf(byPage), storyOf(byTopic)];
    const seen = await until("alerts of both stories", async () => {
      const alerts = (await all()).filter((alert) => !before.has(findingOf(alert).metadata.uid));
      const found = new Set(alerts.map((alert) => storyOf(findingOf(alert))));
      return awaited.every((story) => found.has(story)) ? alerts : undefined;
    });
    for (const alert of seen)
      assert.equal(alert.headers[SUPPRESSED_BY]?.toString(), expected.get(storyOf(findingOf(alert))));
  };
  await expectSuppressed(1);
  for (const worker of workers) await cluster.stop(worker);
  const next = cluster.startWorker();
  await expectSuppressed(2);
  await cluster.stop(next);
});

test("without a topic of verdicts a worker goes on, says so, and says that an answer could not be kept", {
  timeout: 180_000,
}, async (t) => {
  const kafka = await broker();
  const cluster = new WorkerCluster(t, kafka, 1, {
    ...SETTINGS,
    ODDLINK_KAFKA_TOPICPREFIX: "unjudged.",
    ODDLINK_KAFKA_GROUP: "unjudged",
  });
  await cluster.createTopics();
  await kafka.deleteTopic(cluster.topics.verdicts);
  const worker = cluster.startWorker();
  const url = await urlOf(worker);
  await cluster.produce(records(0));
  await cluster.drained(WAIT_MS_MAX);
  assert.match(
    worker.output.stderr,
    /unjudged\.verdicts does not exist, so nobody's verdicts are known; oddlink topics --create makes it/,
  );
  const [incident] = await until("incidents", async () => {
    const { incidents } = (await (await fetch(`${url}/api/v1/incidents`)).json()) as {
      incidents: { uid: string }[];
    };
    return incidents.length > 0 ? incidents : undefined;
  });
  const { code, stderr } = await run([
    "verdict",
    incident!.uid,
    "true-positive",
    "--by",
    "ann",
    "--url",
    url,
  ]);
  assert.equal(code, 2);
  assert.match(stderr, /there is no such topic; oddlink topics --create/);
  await cluster.stop(worker);
});

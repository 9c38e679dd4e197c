import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { EXAMPLE, ended, run, temporaryFolder } from "../processes/oddlink.ts";
import { verify } from "../verification/verifier.ts";
import { startBroker } from "./kafka-broker.ts";
import { type RunningWorker, WorkerCluster } from "./worker-cluster.ts";

const ROWS = gunzipSync(readFileSync(join(EXAMPLE, "auth.txt.gz")))
  .toString()
  .trimEnd()
  .split("\n");
const RECORDS = ROWS.map((value) => ({ key: value.split(",")[1]!, value }));
const SETTINGS = {
  ODDLINK_INPUT_FORMAT: "lanl",
  ODDLINK_TRAINING_MODE: "off",
  ODDLINK_THRESHOLD: "0.01",
  ODDLINK_OUTPUTS_SCOREDLOGINS: "true",
  ODDLINK_KAFKA_SESSIONTIMEOUTMS: "1500",
};

test("one worker and the embedded store come to the same graph", { timeout: 120_000 }, async (t) => {
  const broker = await startBroker(t);
  const cluster = new WorkerCluster(t, broker, 3, SETTINGS);
  await cluster.createTopics();
  await cluster.produce([...RECORDS, { key: "garbage", value: "no login at all" }]);
  const worker = cluster.startWorker();
  await cluster.drained(60_000);
  const summary = await cluster.stop(worker);
  const outcome = await cluster.outcome();
  const findings = verify(outcome);
  assert.deepEqual(
    findings.map(({ verdict }) => verdict),
    ["ALL-RECORDS-ACCOUNTED"],
  );
  // What is really in the topic: the client that feeds it may write a batch twice.
  const input = join(temporaryFolder(t), "auth.txt");
  const written = outcome.logins.flat();
  writeFileSync(input, `${written.map(({ value }) => value).join("\n")}\n`);
  const embedded = JSON.parse((await run(["run", input, "--train", "off", "--json"])).stdout);
  assert.equal(summary.graph.digest, embedded.graph.digest);
  assert.ok(findings[0]!.detail.endsWith(embedded.graph.digest), "the stored graph is another one");
  assert.equal(summary.consumed, written.length);
});

test("workers killed, paused and stopped under load account for every record", {
  timeout: 240_000,
}, async (t) => {
  const broker = await startBroker(t);
  const cluster = new WorkerCluster(t, broker, 4, SETTINGS);
  await cluster.createTopics();
  const clientIds = new Map<RunningWorker, string>();
  const start = (): RunningWorker => {
    const clientId = `worker${clientIds.size}`;
    const worker = cluster.startWorker({ ODDLINK_KAFKA_CLIENTID: clientId });
    clientIds.set(worker, clientId);
    return worker;
  };
  let workers: RunningWorker[] = [start(), start()];
  let isFed = false;
  // Slow enough that faults fall into the middle of it.
  const feeding = (async () => {
    for (let i = 0; i < RECORDS.length; i += 500) {
      await cluster.produce(RECORDS.slice(i, i + 500));
      await sleep(700);
    }
    isFed = true;
  })();
  let faults = 0;
  while (!isFed) {
    await sleep(2000);
    const [worker, ...others] = workers;
    const kind = faults++ % 3;
    if (kind === 0) {
      worker!.process.kill("SIGKILL");
      await ended(worker!.process);
    } else if (kind === 1) {
      worker!.process.kill("SIGTERM");
      await ended(worker!.process);
    } else {
      // Longer than its session: it wakes up as a zombie.
      worker!.process.kill("SIGSTOP");
      await sleep(4000);
      worker!.process.kill("SIGCONT");
      workers = [...others, worker!];
      continue;
    }
    workers = [...others, start()];
  }
  await feeding;
  await cluster.drained(60_000);
  // The newest may not have come so far as to hear that it is to stop.
  await cluster.joined(
    workers.map((worker) => clientIds.get(worker)!),
    60_000,
  );
  for (const worker of workers) await cluster.stop(worker);
  const findings = verify(await cluster.outcome());
  assert.deepEqual(
    findings.map(({ verdict }) => verdict),
    ["ALL-RECORDS-ACCOUNTED"],
    JSON.stringify(findings.slice(0, 5)),
  );
  t.diagnostic(`${faults} faults, ${findings[0]!.detail}`);
});

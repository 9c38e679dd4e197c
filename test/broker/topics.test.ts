import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../processes/oddlink.ts";
import { startBroker } from "./kafka-broker.ts";

test("topics finds what is wrong, makes what is missing, and leaves what exists alone", {
  timeout: 60_000,
}, async (t) => {
  const broker = await startBroker(t);
  const env = { ODDLINK_KAFKA_BROKERS: broker.brokers };
  const topics = (...args: string[]) => run(["topics", ...args], { env });

  const nothing = await topics();
  assert.equal(nothing.code, 1);
  assert.equal(nothing.stdout.split("\n").filter((line) => line.includes("does not exist")).length, 6);
  assert.match(nothing.stderr, /6 of 6 topics/);

  const half = await topics("--create");
  assert.equal(half.code, 1, "the topic of logins is not made without --partitions");
  assert.match(
    half.stdout,
    /^oddlink\.epochs: made, 1 partition, cleanup\.policy=compact, segment\.bytes=16777216, /,
  );
  // Each remedy is another command than the one that has just been of no help.
  for (const name of ["logins", "alerts", "dead-letters", "graph-state"])
    assert.match(
      half.stdout,
      new RegExp(`oddlink\\.${name}: does not exist.*topics --create --partitions N makes it`),
    );
  const tooMany = await topics("--create", "--partitions", "3", "--replication", "3");
  assert.equal(tooMany.code, 2);
  assert.match(tooMany.stderr, /each replica needs a broker of its own, and the cluster has one/);

  // One that is not as it must be stays so.
  await broker.createTopics({ "oddlink.graph-state": { partitions: 2 } });
  const made = await topics("--create", "--partitions", "3", "--replication", "1");
  assert.equal(made.code, 1);
  for (const name of ["logins", "alerts", "dead-letters"])
    assert.match(made.stdout, new RegExp(`^oddlink\\.${name}: made, 3 partitions`, "m"));
  assert.match(
    made.stdout,
    /^oddlink\.graph-state: has 2 partitions, the logins have 3.*cleanup\.policy is delete/m,
  );
  assert.doesNotMatch(made.stdout, /graph-state: made/);

  const other = { env: { ...env, ODDLINK_KAFKA_TOPICPREFIX: "b." } };
  const whole = await run(["topics", "--create", "--partitions", "2"], other);
  assert.equal(whole.code, 0, whole.stderr);
  assert.equal((await run(["topics", "--create", "--partitions", "2"], other)).code, 0);
  const others = await run(["topics", "--create", "--partitions", "5"], other);
  assert.equal(others.code, 2);
  assert.match(others.stderr, /b\.logins has 2 partitions already, and what exists is never changed/);
  const checked = await run(["topics"], other);
  assert.equal(checked.code, 0, checked.stdout);
  assert.equal(checked.stdout.split("\n").filter((line) => line.includes(": ok, ")).length, 6);
  assert.match(checked.stdout, /^b\.logins: ok, 2 partitions; note: keeps 7 days/m);

  for (const command of ["topics", "doctor"]) {
    const controller = await run([command], { env: { ODDLINK_KAFKA_BROKERS: broker.controller } });
    assert.match(controller.stdout + controller.stderr, /no broker.*the port of a controller\?/);
    assert.doesNotMatch(controller.stderr, /^ +at /m);
  }
});

test("topics says what is wrong with its arguments, and that no broker answers", {
  timeout: 60_000,
}, async () => {
  const wrong = await run(["topics", "--create", "--partitions", "0"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /whole number/);
  assert.equal((await run(["topics", "--partitions", "3"])).code, 2);
  const nobody = await run(["topics"], { env: { ODDLINK_KAFKA_BROKERS: "127.0.0.1:1" } });
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /can't be reached|no answer/);
});

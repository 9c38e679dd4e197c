import assert from "node:assert/strict";
import { test } from "node:test";
import { Repeated } from "../../../src/cli/terminal/repeated.ts";

function said(timesMax?: number) {
  let nowMs = 0;
  const lines: string[] = [];
  const repeated = new Repeated(
    (line) => lines.push(line),
    () => nowMs,
    timesMax,
  );
  return { repeated, lines, pass: (ms: number) => (nowMs += ms) };
}

test("what differs in numbers only is said once in ten seconds, with how often it was", () => {
  const { repeated, lines, pass } = said();
  for (let i = 0; i < 5; i++) repeated.say(`partition ${i} waits`);
  repeated.say("something else");
  pass(10_000);
  repeated.say("partition 7 waits");
  assert.deepEqual(lines, [
    "partition 0 waits",
    "something else",
    "partition 7 waits (and 4 times since it was last said)",
  ]);
});

test("where it may be said a few times, it is cut off only after those", () => {
  const { repeated, lines, pass } = said(3);
  for (let i = 0; i < 5; i++) repeated.say(`partitions ${i}`);
  pass(10_000);
  repeated.say("partitions 9");
  assert.deepEqual(lines, [
    "partitions 0",
    "partitions 1",
    "partitions 2",
    "partitions 9 (and 2 times since it was last said)",
  ]);
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { toFinding } from "../../src/alerts/finding.ts";
import { STOLEN } from "../alerts/odd-logins.ts";
import { findingOf } from "../alerts/suppressed-findings.ts";
import { type Stage, stage } from "./console-stage.ts";

const FINDING = toFinding(STOLEN);
const WAIT_MS_MAX = 10_000;

function alert(i: number) {
  return { ...FINDING, metadata: { ...FINDING.metadata, uid: `a${i}` } };
}

async function listen(
  t: Pick<TestContext, "after">,
  { console }: Stage,
  headers: Record<string, string> = {},
  query = "",
): Promise<{
  readonly ids: string[];
  readonly events: string[];
  readonly response: IncomingMessage;
  readonly asked: ClientRequest;
}> {
  const asked = request(`${console.url}/api/v1/events${query}`, { headers, agent: false });
  asked.on("error", () => {});
  asked.end();
  t.after(() => asked.destroy());
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.on("error", () => {});
  const ids: string[] = [];
  /** Each event's name with the uid of its finding. */
  const events: string[] = [];
  let rest = "";
  response.setEncoding("utf8").on("data", (chunk: string) => {
    rest += chunk;
    const messages = rest.split("\n\n");
    rest = messages.pop()!;
    for (const message of messages) {
      const [, id] = /^id: (.*)$/m.exec(message) ?? [];
      const [, data] = /^data: (.*)$/m.exec(message) ?? [];
      const [, name] = /^event: (.*)$/m.exec(message) ?? [];
      if (data !== undefined) events.push(`${name} ${JSON.parse(data).metadata.uid}`);
      if (id === undefined || data === undefined) continue;
      assert.equal(JSON.parse(data).metadata.uid, id);
      ids.push(id);
    }
  });
  return { ids, events, response, asked };
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadlineMs = performance.now() + WAIT_MS_MAX; !condition(); await sleep(5))
    assert.ok(performance.now() < deadlineMs, "waited in vain");
}

test("who listens is told of each new alert once, and who comes back of what it missed", async (t) => {
  const there = await stage(t);
  const first = await listen(t, there);
  for (let i = 0; i < 5; i++) there.feed.add(alert(i));
  // One that is known is no news.
  there.feed.add(alert(4));
  await until(() => first.ids.length === 5);
  first.asked.destroy();
  for (let i = 5; i < 8; i++) there.feed.add(alert(i));
  const again = await listen(t, there, { "last-event-id": "a4" });
  there.feed.add(alert(8));
  await until(() => again.ids.length === 4);
  assert.deepEqual(again.ids, ["a5", "a6", "a7", "a8"]);
  const stranger = await listen(t, there, { "last-event-id": "none" });
  there.feed.add(alert(9));
  await until(() => stranger.ids.length === 1);
  assert.deepEqual(stranger.ids, ["a9"]);
});

test("who does not ask for what is suppressed hears nothing of it, and who does can tell it from an alert", async (t) => {
  const there = await stage(t);
  const usual = await listen(t, there);
  const all = await listen(t, there, {}, "?state=all");
  const suppressed = await listen(t, there, {}, "?state=suppressed");
  there.feed.add(findingOf("i", "a1"));
  there.feed.add(findingOf("s", "s1", { isSuppressed: true }));
  there.feed.add(findingOf("i", "a2"));
  await until(() => all.events.length === 3 && usual.events.length === 2);
  assert.deepEqual(all.events, ["alert a1", "suppressed s1", "alert a2"]);
  assert.deepEqual(usual.events, ["alert a1", "alert a2"]);
  await until(() => suppressed.events.length === 1);
  assert.deepEqual(suppressed.events, ["suppressed s1"]);
  // No id is of a suppressed one: what was missed is told from the last alert on.
  assert.deepEqual(all.ids, ["a1", "a2"]);
  there.feed.add(findingOf("s", "s2", { isSuppressed: true }));
  there.feed.add(findingOf("i", "a3"));
  const again = await listen(t, there, { "last-event-id": "a1" }, "?state=all");
  await until(() => again.events.length === 4);
  assert.deepEqual(again.events, ["suppressed s1", "alert a2", "suppressed s2", "alert a3"]);
});

test("200 listeners are told of each alert, in order", { timeout: 60_000 }, async (t) => {
  const there = await stage(t);
  const listeners = await Promise.all(Array.from({ length: 200 }, () => listen(t, there)));
  const expected = Array.from({ length: 50 }, (_, i) => `a${i}`);
  for (let i = 0; i < expected.length; i++) {
    there.feed.add(alert(i));
    if (i % 10 === 0) await sleep(50);
  }
  await until(() => listeners.every(({ ids }) => ids.length === expected.length));
  for (const { ids } of listeners) assert.deepEqual(ids, expected);
});

test("who reads nothing is cut off, and holds up nobody", { timeout: 60_000 }, async (t) => {
  const there = await stage(t);
  const others = await Promise.all(Array.from({ length: 3 }, () => listen(t, there)));
  const stuck = await listen(t, there);
  stuck.response.pause();
  const long = "x".repeat(300_000);
  let count = 0;
  // Its own buffers, and those of the system in between, take some of it.
  const isCutOff = (): boolean => stuck.response.socket.destroyed || stuck.response.destroyed;
  for (; count < 100 && !isCutOff(); count++) {
    there.feed.add({ ...alert(count), message: long });
    await until(() => others.every(({ ids }) => ids.length === count + 1));
  }
  stuck.response.resume();
  await until(isCutOff);
  assert.ok(stuck.ids.length < count, "it was not told of all");
});

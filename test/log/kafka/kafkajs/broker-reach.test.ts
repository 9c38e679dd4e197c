import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerReach } from "../../../../src/log/kafka/kafkajs/broker-reach.ts";

const BROKER = "kafka-1:9092";

/** A reach whose time passes only while somebody sleeps, or when it is told to. */
function reachAtRest() {
  let nowMs = 0;
  const said: string[] = [];
  const reach = new BrokerReach({
    monotonicMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
    onLost: (broker, reason, hasAnswered) =>
      said.push(`${hasAnswered ? "lost" : "not found"} ${broker}: ${reason}`),
    onReached: (broker, lostMs) => said.push(`reached ${broker} after ${lostMs}`),
  });
  return { reach, said, pass: (ms: number) => (nowMs += ms), now: () => nowMs };
}

const refused = (): Promise<never> =>
  Promise.reject(
    Object.assign(new Error("Connection error: connect ECONNREFUSED 127.0.0.1:9092"), {
      name: "KafkaJSConnectionError",
    }),
  );

test("a broker that can't be reached is told of once, and once more when it answers", async () => {
  const { reach, said, pass, now } = reachAtRest();
  reach.answered(BROKER);
  while (now() < 12_000) {
    await assert.rejects(reach.connect(BROKER, refused));
    pass(10);
  }
  assert.deepEqual(said, [`lost ${BROKER}: connect ECONNREFUSED`]);
  assert.equal(reach.trouble, `${BROKER}: connect ECONNREFUSED`);
  assert.equal(await reach.connect(BROKER, async () => "connected"), "connected");
  assert.equal(said.length, 1, "a connection that is taken is no answer yet");
  const outageMs = now();
  reach.answered(BROKER);
  reach.answered(BROKER);
  assert.deepEqual(said.slice(1), [`reached ${BROKER} after ${outageMs}`]);
  assert.equal(reach.trouble, undefined);
});

test("a broker that never answered is not spoken of as one that was there", async () => {
  const { reach, said, now } = reachAtRest();
  while (now() < 2000) await assert.rejects(reach.connect(BROKER, refused));
  assert.deepEqual(said, [`not found ${BROKER}: connect ECONNREFUSED`]);
});

test("a broker that is away for a moment is not worth a word", async () => {
  const { reach, said, pass } = reachAtRest();
  for (let restart = 0; restart < 5; restart++) {
    await assert.rejects(reach.connect(BROKER, refused));
    pass(900);
    reach.answered(BROKER);
    pass(60_000);
  }
  assert.deepEqual(said, []);
});

test("after a few attempts the next ones wait, and many that want to connect make one", async () => {
  const { reach, now } = reachAtRest();
  let attempts = 0;
  const attempt = (): Promise<never> => {
    attempts++;
    return refused();
  };
  while (now() < 10_000) {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => reach.connect(BROKER, attempt)),
    );
    assert.ok(outcomes.every(({ status }) => status === "rejected"));
  }
  // The first twenty do not know yet; from then on there are four a second.
  assert.ok(attempts >= 20 + 35 && attempts <= 20 + 41, `${attempts} attempts`);
});

test("who waits for a broker connects as soon as one attempt goes well", async () => {
  const { reach } = reachAtRest();
  for (let i = 0; i < 5; i++) await assert.rejects(reach.connect(BROKER, refused));
  const connected = await Promise.all(
    Array.from({ length: 20 }, (_, i) => reach.connect(BROKER, async () => i)),
  );
  assert.deepEqual(
    connected,
    Array.from({ length: 20 }, (_, i) => i),
  );
});

test("a connection that is closed while it waits says nothing of the broker", async () => {
  const { reach } = reachAtRest();
  for (let i = 0; i < 5; i++) await assert.rejects(reach.connect(BROKER, refused));
  const closed = reach.connect(BROKER, () => Promise.reject(new Error("closed by this side")));
  const other = reach.connect(BROKER, async () => "connected");
  await assert.rejects(closed, /closed by this side/);
  // It goes by what was known before, and may try again.
  await assert.rejects(other, { name: "KafkaJSConnectionError" });
  assert.equal(await reach.connect(BROKER, async () => "connected"), "connected");
});

test("a broker that takes connections and answers nothing is away, one that answers others is not", () => {
  const { reach, said, pass, now } = reachAtRest();
  const sentMs = now();
  pass(3100);
  reach.answered(BROKER);
  reach.unanswered(BROKER, sentMs);
  assert.deepEqual(said, []);
  pass(3100);
  reach.unanswered(BROKER, sentMs);
  reach.unanswered(BROKER, sentMs);
  assert.deepEqual(said, [`lost ${BROKER}: it does not answer`]);
  pass(900);
  reach.answered(BROKER);
  assert.deepEqual(said.slice(1), [`reached ${BROKER} after 4000`]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Delivery, deliver, noSinkCounts } from "../../src/delivery/sink.ts";
import { Webhook, type WebhookOptions } from "../../src/delivery/webhook.ts";
import { webhookServer } from "./webhook-server.ts";

const DELIVERY: Delivery = {
  uid: "a1",
  timeMs: 1_772_359_200_123,
  contentType: "application/json",
  source: "/oddlink.logins/3",
  eventType: "oddlink.detection-finding",
  body: '{"message":"ann came from pc7"}',
};
const TOKEN = "t0ken";

function webhook(url: string, more: Partial<WebhookOptions> = {}): Webhook {
  return new Webhook({ name: "soar", url, body: "alert", timeoutMs: 5000, token: TOKEN, ...more });
}

/** Sends one alert as a run does, but with short pauses. */
async function sent(sink: Webhook, signal = new AbortController().signal) {
  const counts = noSinkCounts();
  const said: string[] = [];
  const onTrouble = (message: string): void => void said.push(message);
  await deliver(DELIVERY, { sink, counts, signal, onTrouble, retryMsMin: 1 });
  // The path of a URL may be a secret, and a token is one.
  assert.doesNotMatch(said.join(), /s3cret|t0ken/);
  return { counts, said };
}

test("an alert is posted as it is, as a CloudEvent in binary mode", async (t) => {
  const { url, received } = await webhookServer(t);
  const { counts } = await sent(webhook(url));
  assert.deepEqual(counts, { delivered: 1, refused: 0, failedAttempts: 0, passedOver: 0 });
  const [{ headers, body }] = received as [(typeof received)[0]];
  assert.equal(body, DELIVERY.body);
  for (const [name, value] of Object.entries({
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "a1",
    "ce-source": "/oddlink.logins/3",
    "ce-type": "oddlink.detection-finding",
    "ce-time": "2026-03-01T10:00:00.123Z",
    authorization: `Bearer ${TOKEN}`,
  }))
    assert.equal(headers[name], value, name);
});

test("a chat gets the message alone", async (t) => {
  const { url, received } = await webhookServer(t);
  await sent(webhook(url, { body: "text", token: undefined }));
  assert.equal(received[0]!.body, '{"text":"ann came from pc7"}');
  // Whoever fails to log in chooses his name: it may call nobody, and lead nowhere.
  const body = JSON.stringify({ message: "Login of <!channel> & <http://evil|click>" });
  await webhook(url, { body: "text" }).send({ ...DELIVERY, body }, new AbortController().signal);
  const { text } = JSON.parse(received[1]!.body);
  assert.equal(text, "Login of &lt;!channel&gt; &amp; &lt;http://evil|click&gt;");
  assert.equal(received[0]!.headers.authorization, undefined);
});

test("what may pass is tried again until it has passed: errors of the server, of the network, silence, and being told to wait", async (t) => {
  const { url, received } = await webhookServer(t, (count, response) => {
    if (count === 0) return 500;
    if (count === 1) response.destroy();
    else if (count === 2) return undefined;
    else if (count === 3) response.writeHead(429, { "retry-after": "1" }).end();
    else if (count === 4) return 401;
    else if (count === 5) response.writeHead(302, { location: "/elsewhere" }).end();
    else return 200;
    return undefined;
  });
  const startedMs = performance.now();
  const { counts, said } = await sent(webhook(url, { timeoutMs: 200 }));
  assert.deepEqual(counts, { delivered: 1, refused: 0, failedAttempts: 6, passedOver: 0 });
  assert.equal(received.length, 7);
  assert.ok(performance.now() - startedMs >= 1000, "it waits for as long as it is told to");
  for (const [i, expected] of [
    /webhook soar: http:\/\/127\.0\.0\.1:\d+ answers with status 500; alerts wait, and are sent again/,
    /does not answer \((?:UND_ERR_SOCKET|ECONNRESET)\)/,
    /does not answer \(timeout\)/,
    /answers with status 429/,
    /answers with status 401/,
    /answers with status 302/,
  ].entries())
    assert.match(said[i]!, expected);
});

test("what will never be taken is counted, and holds up nothing", async (t) => {
  const { url, received } = await webhookServer(t, () => 422);
  const { counts, said } = await sent(webhook(url));
  assert.deepEqual(counts, { delivered: 0, refused: 1, failedAttempts: 0, passedOver: 0 });
  assert.equal(received.length, 1);
  assert.match(said[0]!, /answers with status 422; alert a1 is not sent there/);
});

test("a stop ends the waiting, and says nothing was delivered", async (t) => {
  const { url } = await webhookServer(t, () => 503);
  const stopping = new AbortController();
  const counts = noSinkCounts();
  const sending = deliver(DELIVERY, {
    sink: webhook(url),
    counts,
    signal: stopping.signal,
    onTrouble: () => stopping.abort(),
  });
  await assert.rejects(sending, { name: "AbortError" });
  assert.equal(counts.delivered, 0);
});

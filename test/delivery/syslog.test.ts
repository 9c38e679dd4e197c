import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { toFinding } from "../../src/alerts/finding.ts";
import { type Delivery, deliver, noSinkCounts } from "../../src/delivery/sink.ts";
import { Syslog, type SyslogOptions } from "../../src/delivery/syslog.ts";
import { STOLEN } from "../alerts/odd-logins.ts";
import { makeCertificates } from "../broker/certificates.ts";
import { temporaryFolder } from "../processes/oddlink.ts";

const FINDING = toFinding(STOLEN);
const DELIVERY: Delivery = {
  uid: FINDING.metadata.uid,
  timeMs: FINDING.time,
  contentType: "application/json",
  source: "/logins/0",
  eventType: "oddlink.detection-finding",
  body: JSON.stringify(FINDING),
};
/** RFC 5424, without structured data. */
const MESSAGE = /^<(\d+)>1 (\S+) (\S+) oddlink (\d+) alert - (.*)$/s;

class Collector {
  readonly server: Server;
  readonly messages: string[] = [];
  readonly sockets: Socket[] = [];

  constructor(t: TestContext, server: Server) {
    this.server = server;
    t.after(() => {
      for (const socket of this.sockets) socket.destroy();
      server.close();
    });
  }

  take(socket: Socket): void {
    this.sockets.push(socket);
    socket.on("error", () => {});
    let rest = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      // The length, a blank, and so many bytes.
      for (let match = /^(\d+) /.exec(rest.toString("latin1", 0, 20)); match !== null; ) {
        const start = match[0].length;
        const end = start + Number(match[1]);
        if (rest.length < end) return;
        this.messages.push(rest.toString("utf8", start, end));
        rest = rest.subarray(end);
        match = /^(\d+) /.exec(rest.toString("latin1", 0, 20));
      }
    });
  }

  async until(count: number): Promise<void> {
    for (const deadline = performance.now() + 5000; this.messages.length < count; await sleep(10))
      assert.ok(performance.now() < deadline, `${this.messages.length} messages`);
  }
}

async function listening(server: Server, port = 0): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function plainCollector(t: TestContext, port = 0) {
  const server = createServer((socket) => collector.take(socket));
  const collector = new Collector(t, server);
  return { collector, port: await listening(server, port) };
}

function sinkTo(port: number, more: Partial<SyslogOptions> = {}): Syslog {
  return new Syslog({
    name: "siem",
    host: "127.0.0.1",
    port,
    tls: undefined,
    format: "cef",
    facility: 10,
    timeoutMs: 2000,
    ...more,
  });
}

async function send(sink: Syslog, said: string[] = []): Promise<void> {
  const signal = new AbortController().signal;
  const onTrouble = (message: string): void => void said.push(message);
  await deliver(DELIVERY, { sink, counts: noSinkCounts(), signal, onTrouble, retryMsMin: 10 });
}

test("an alert is a message of RFC 5424 with its length before it, and several use one connection", async (t) => {
  const { collector, port } = await plainCollector(t);
  const sink = sinkTo(port);
  t.after(() => sink.close());
  for (let i = 0; i < 3; i++) await send(sink);
  await collector.until(3);
  assert.equal(collector.sockets.length, 1);
  const [, priority, time, , , text] = MESSAGE.exec(collector.messages[0]!)!;
  // Authorization, and the severity of something High: error.
  assert.equal(priority, String(10 * 8 + 3));
  assert.equal(time, new Date(FINDING.time).toISOString());
  assert.match(text!, /^CEF:0\|oddlink\|oddlink\|.*suser=alice@CORP/);
});

test("a collector that wants JSON gets the alert as it is", async (t) => {
  const { collector, port } = await plainCollector(t);
  const sink = sinkTo(port, { format: "json", facility: 16 });
  t.after(() => sink.close());
  await send(sink);
  await collector.until(1);
  const [, priority, , , , text] = MESSAGE.exec(collector.messages[0]!)!;
  assert.equal(priority, String(16 * 8 + 3));
  assert.deepEqual(JSON.parse(text!), JSON.parse(DELIVERY.body));
});

test("a collector that is away is waited for, and one that closed the connection gets the next alert over a new one", async (t) => {
  const { collector, port } = await plainCollector(t);
  const sink = sinkTo(port);
  t.after(() => sink.close());
  await send(sink);
  await collector.until(1);
  collector.server.close();
  for (const socket of collector.sockets) socket.destroy();
  await sleep(50);
  const said: string[] = [];
  const sending = send(sink, said);
  while (said.length < 2) await sleep(10);
  assert.match(said[0]!, /syslog siem: 127\.0\.0\.1:\d+ can't be reached \(ECONNREFUSED\); alerts wait/);
  const { collector: back } = await plainCollector(t, port);
  await sending;
  await back.until(1);
});

test("TLS: who is not known is not told anything", async (t) => {
  const certificates = makeCertificates(temporaryFolder(t));
  const pem = readFileSync(certificates.serverFile, "utf8");
  const server = createTlsServer({ key: pem, cert: pem }, (socket) => collector.take(socket));
  const collector = new Collector(t, server);
  server.on("tlsClientError", () => {});
  const port = await listening(server);
  const sink = sinkTo(port, { tls: { ca: readFileSync(certificates.caFile) } });
  t.after(() => sink.close());
  await send(sink);
  await collector.until(1);
  assert.match(collector.messages[0]!, MESSAGE);
  const stranger = sinkTo(port, { tls: {} });
  await assert.rejects(
    stranger.send(DELIVERY, new AbortController().signal),
    /can't be reached \((?:SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)\)/,
  );
  assert.equal(collector.messages.length, 1);
});

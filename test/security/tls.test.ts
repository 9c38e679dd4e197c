import assert from "node:assert/strict";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { createServer, DEFAULT_MIN_VERSION } from "node:tls";
import { Syslog } from "../../src/delivery/syslog.ts";
import { Webhook } from "../../src/delivery/webhook.ts";
import { SchemaRegistry } from "../../src/ingest/schema-registry.ts";
import { makeCertificates } from "../broker/certificates.ts";
import { temporaryFolder } from "../processes/oddlink.ts";

const SRC = join(import.meta.dirname, "..", "..", "src");
const DELIVERY = {
  uid: "u",
  timeMs: 0,
  contentType: "application/json",
  source: "/x",
  eventType: "x",
  body: "{}",
};

test("no connection gives up the check of certificates or Node's oldest version of TLS, but that of doctor, which sends nothing", () => {
  assert.equal(DEFAULT_MIN_VERSION, "TLSv1.2");
  const loosening = globSync("**/*.ts", { cwd: SRC }).filter((file) =>
    /rejectUnauthorized|checkServerIdentity|minVersion:|secureProtocol|NODE_TLS/.test(
      readFileSync(join(SRC, file), "utf8").replace(/readonly minVersion:/g, ""),
    ),
  );
  assert.deepEqual(
    loosening.map((file) => file.replaceAll("\\", "/")),
    ["cli/doctor-listener.ts"],
  );
});

test("a certificate that nobody vouches for, and a version of TLS that is too old, are sent nothing", async (t) => {
  const folder = temporaryFolder(t);
  const certificates = makeCertificates(folder);
  const pem = readFileSync(certificates.serverFile);
  const own = { cert: pem, key: pem };
  let heard = "";
  const https = createHttpsServer(own, (request, response) => {
    heard += JSON.stringify(request.headers);
    response.end("{}");
  }).listen(0, "127.0.0.1");
  // What is set here lets an old version be spoken at all.
  const old = createServer(
    { ...own, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" },
    (socket) => socket.on("data", (chunk) => (heard += chunk)),
  ).listen(0, "127.0.0.1");
  await Promise.all([https, old].map((server) => once(server, "listening")));
  for (const server of [https, old]) {
    server.on("tlsClientError", () => {});
    server.on("connection", (socket) => t.after(() => socket.destroy()));
    server.unref();
  }
  const portOf = (server: typeof https | typeof old) => (server.address() as AddressInfo).port;
  const signal = AbortSignal.timeout(5000);
  const url = `https://localhost:${portOf(https)}`;
  const webhook = new Webhook({ name: "a", url, token: "t0ken", body: "alert", timeoutMs: 3000 });
  await assert.rejects(webhook.send(DELIVERY, signal), /does not answer/);
  const registry = new SchemaRegistry({ url, token: "t0ken", timeoutMs: 3000 });
  await assert.rejects(registry.find(1), { code: "SCHEMA_REGISTRY_UNREACHABLE" });
  const syslog = new Syslog({
    name: "a",
    host: "localhost",
    port: portOf(old),
    tls: { ca: readFileSync(certificates.caFile) },
    format: "json",
    facility: 10,
    timeoutMs: 3000,
  });
  await assert.rejects(syslog.send(DELIVERY, signal), /can't be reached \((ERR_SSL|EPROTO|ECONNRESET)/);
  assert.equal(heard, "");
});

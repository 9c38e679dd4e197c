import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { inspect } from "node:util";
import { OddlinkError } from "../../src/errors.ts";
import { SchemaRegistry, type SchemaRegistryOptions } from "../../src/ingest/schema-registry.ts";

const SCHEMA = '{"type":"record","name":"A","fields":[]}';
const TIMEOUT_MS = 300;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A registry on loopback that knows `schemas`, or does whatever `answer` says. */
class FakeRegistry {
  readonly schemas = new Map<number, object>([[1, { schema: SCHEMA }]]);
  readonly requests: IncomingMessage[] = [];
  answer: Answer = (request, response) => this.#lookUp(request, response);
  readonly #server: Server = createServer((request, response) => {
    this.requests.push(request);
    this.answer(request, response);
  });
  #port = 0;

  static async start(t: TestContext): Promise<FakeRegistry> {
    const fake = new FakeRegistry();
    await fake.up();
    t.after(() => fake.down());
    return fake;
  }

  async up(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  client(options: Partial<SchemaRegistryOptions> = {}, clock?: () => number): SchemaRegistry {
    return new SchemaRegistry({ url: `http://${this.host}`, timeoutMs: TIMEOUT_MS, ...options }, clock);
  }

  #lookUp(request: IncomingMessage, response: ServerResponse): void {
    const id = Number(/\/schemas\/ids\/(\d+)$/.exec(request.url!)?.[1]);
    const found = this.schemas.get(id);
    send(response, found === undefined ? 404 : 200, found ?? { error_code: 40403, message: "not found" });
  }
}

function send(response: ServerResponse, status: number, body: object | string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

function isUnreachable(error: unknown): true {
  assert.ok(error instanceof OddlinkError);
  assert.equal(error.code, "SCHEMA_REGISTRY_UNREACHABLE");
  assert.equal(error.retriable, true);
  return true;
}

test("a schema is asked for once however many wait for it, and never again", async (t) => {
  const fake = await FakeRegistry.start(t);
  const registry = fake.client();
  assert.equal(registry.peek(1), undefined);
  const found = await Promise.all(Array.from({ length: 50 }, () => registry.find(1)));
  assert.deepEqual(new Set(found), new Set([{ kind: "avro", text: SCHEMA }]));
  assert.deepEqual(registry.peek(1), { kind: "avro", text: SCHEMA });
  await registry.find(1);
  assert.deepEqual(
    fake.requests.map(({ url }) => url),
    ["/schemas/ids/1"],
  );
});

test("an unknown id is asked for again after 1 s, 2 s, 4 s and so on, at most 5 min", async (t) => {
  const fake = await FakeRegistry.start(t);
  let nowMs = 0;
  const registry = fake.client({}, () => nowMs);
  for (const waitMs of [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((s) => s * 1000)) {
    assert.equal((await registry.find(9)).kind, "unknown");
    const asked = fake.requests.length;
    nowMs += waitMs - 1;
    assert.equal(registry.peek(9)?.kind, "unknown");
    assert.equal((await registry.find(9)).kind, "unknown");
    assert.equal(fake.requests.length, asked);
    nowMs += 1;
    assert.equal(registry.peek(9), undefined);
  }
  fake.schemas.set(9, { schema: SCHEMA });
  assert.equal((await registry.find(9)).kind, "avro");
});

test("the cache is bounded by number and by size, and unknown ids do not push schemas out", async (t) => {
  const fake = await FakeRegistry.start(t);
  const byNumber = fake.client();
  for (let id = 2; id <= 1_001; id++) fake.schemas.set(id, { schema: SCHEMA });
  for (let id = 1; id <= 1_000; id++) await byNumber.find(id);
  for (let id = 10_001; id <= 11_500; id++) await byNumber.find(id);
  assert.notEqual(byNumber.peek(1), undefined);
  await byNumber.find(1_001);
  assert.notEqual(byNumber.peek(1), undefined);
  assert.equal(byNumber.peek(2), undefined, "the one unused for longest is gone");

  const bySize = fake.client();
  for (let id = 1; id <= 20; id++) fake.schemas.set(id, { schema: `{"doc":"${"x".repeat(1_000_000)}"}` });
  for (let id = 1; id <= 20; id++) await bySize.find(id);
  assert.equal(bySize.peek(1), undefined);
  assert.notEqual(bySize.peek(20), undefined);
});

test("a registry that is down is unreachable at once, and found as soon as it is back", async (t) => {
  const fake = await FakeRegistry.start(t);
  const registry = fake.client();
  await fake.down();
  for (let i = 0; i < 3; i++) {
    await assert.rejects(
      registry.find(1),
      (error: Error) => isUnreachable(error) && /ECONNREFUSED/.test(error.message),
    );
    assert.equal(registry.peek(1), undefined);
  }
  await fake.up();
  assert.equal((await registry.find(1)).kind, "avro");
});

test("a slow registry is given up after the time limit, wherever it is slow", async (t) => {
  const fake = await FakeRegistry.start(t);
  const registry = fake.client();
  const slow: Record<string, Answer> = {
    "no answer": () => {},
    "half an answer": (_request, response) => void response.writeHead(200).write('{"schema":'),
  };
  for (const [what, answer] of Object.entries(slow)) {
    fake.answer = answer;
    const startedMs = performance.now();
    await assert.rejects(
      registry.find(1),
      (error: Error) => isUnreachable(error) && /timeout/.test(error.message),
    );
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs > TIMEOUT_MS * 0.8 && tookMs < TIMEOUT_MS * 20, `${what}: ${tookMs} ms`);
  }
});

test("answers that no schema registry gives drop nothing: they are unreachable, and not remembered", async (t) => {
  const fake = await FakeRegistry.start(t);
  const registry = fake.client();
  const lookUp = fake.answer;
  const wrong: Record<string, [number, object | string]> = {
    "a server error": [500, { error_code: 50001 }],
    "too many requests": [429, ""],
    "not allowed": [401, { error_code: 401 }],
    forbidden: [403, { error_code: 40301 }],
    "a path that is not there": [404, "<html>no such page</html>"],
    "a 404 of its own": [404, { error_code: 404 }],
    "a web page": [200, "<html>welcome</html>"],
    "JSON without a schema": [200, { status: "ok" }],
    "a schema that is no text": [200, { schema: {} }],
    null: [200, "null"],
  };
  for (const [what, [status, body]] of Object.entries(wrong)) {
    fake.answer = (_request, response) => send(response, status, body);
    await assert.rejects(registry.find(1), isUnreachable, what);
    assert.equal(registry.peek(1), undefined, what);
  }
  fake.answer = (_request, response) => response.destroy();
  await assert.rejects(registry.find(1), isUnreachable);
  fake.answer = lookUp;
  assert.equal((await registry.find(1)).kind, "avro");
});

test("schemas that are not Avro, refer to others, or are too large can't be used, and it is said why", async (t) => {
  const fake = await FakeRegistry.start(t);
  const registry = fake.client();
  fake.schemas.set(2, { schema: "{}", schemaType: "JSON" });
  fake.schemas.set(3, {
    schema: SCHEMA,
    schemaType: "AVRO",
    references: [{ name: "B", subject: "b", version: 1 }],
  });
  fake.schemas.set(4, { schema: SCHEMA, schemaType: "AVRO", references: [] });
  assert.deepEqual(await registry.find(2), { kind: "unusable", detail: "it is JSON, not Avro" });
  assert.match(inspect(await registry.find(3)), /unusable.*refers to other schemas/s);
  assert.equal((await registry.find(4)).kind, "avro");

  let sent = 0;
  fake.answer = (_request, response) => {
    const chunk = Buffer.alloc(64 * 1024, 0x20);
    const pump = () => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length;
    };
    response.on("drain", pump);
    pump();
  };
  assert.match(inspect(await registry.find(5)), /unusable.*larger than/s);
  assert.ok(sent < 32 << 20, `read ${sent} bytes of an endless answer`);
  assert.equal(registry.peek(5)?.kind, "unusable");
});

test("credentials go into a header, wherever they were given; the path of the url is kept", async (t) => {
  const fake = await FakeRegistry.start(t);
  const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
  const cases: [Partial<SchemaRegistryOptions>, string | undefined, string][] = [
    [{}, undefined, "/schemas/ids/1"],
    [{ username: "ann", password: "pä:ss" }, basic("ann:pä:ss"), "/schemas/ids/1"],
    [{ url: `http://ann:p%40ss@${fake.host}/` }, basic("ann:p@ss"), "/schemas/ids/1"],
    [{ token: "abc.def" }, "Bearer abc.def", "/schemas/ids/1"],
    [{ url: `http://${fake.host}/apis/ccompat/v7` }, undefined, "/apis/ccompat/v7/schemas/ids/1"],
    [{ url: `http://${fake.host}/apis/ccompat/v7/` }, undefined, "/apis/ccompat/v7/schemas/ids/1"],
  ];
  for (const [options, authorization, url] of cases) {
    await fake.client(options).find(1);
    assert.equal(fake.requests.at(-1)!.headers.authorization, authorization);
    assert.equal(fake.requests.at(-1)!.url, url);
  }
});

test("a redirect is not followed: credentials are for one address", async (t) => {
  const fake = await FakeRegistry.start(t);
  const other = await FakeRegistry.start(t);
  fake.answer = (_request, response) => {
    response.writeHead(302, { location: `http://${other.host}/schemas/ids/1` }).end();
  };
  await assert.rejects(fake.client({ token: "abc" }).find(1), isUnreachable);
  assert.equal(other.requests.length, 0);
});

test("no error holds a credential or what the server said", async (t) => {
  const fake = await FakeRegistry.start(t);
  const secret = "hunter2";
  const encoded = Buffer.from(`ann:${secret}`).toString("base64");
  const clients = [
    fake.client({ username: "ann", password: secret }),
    fake.client({ url: `http://ann:${secret}@${fake.host}/path?key=${secret}` }),
    fake.client({ token: secret }),
  ];
  const shown: string[] = clients.map((client) => inspect(client, { depth: null, showHidden: true }));
  const failures: Answer[] = [
    (request, response) => send(response, 500, String(request.headers.authorization)),
    (request, response) => send(response, 401, String(request.headers.authorization)),
    (request, response) => send(response, 404, String(request.headers.authorization)),
    (request, response) => send(response, 200, String(request.headers.authorization)),
    (_request, response) => response.destroy(),
    () => {},
  ];
  const fail = async (client: SchemaRegistry) => {
    const error: unknown = await client.find(7).catch((caught: unknown) => caught);
    isUnreachable(error);
    shown.push(inspect(error, { depth: null, showHidden: true }));
  };
  for (const answer of failures) {
    fake.answer = answer;
    for (const client of clients) await fail(client);
  }
  await fake.down();
  for (const client of clients) await fail(client);
  await fake.up();
  for (const options of [
    { url: `http//ann:${secret}@registry` },
    { url: `http://ann:%${secret}@registry` },
    { token: `${secret}\n` },
  ]) {
    try {
      fake.client(options);
      assert.fail("was accepted");
    } catch (error) {
      assert.ok(error instanceof OddlinkError && error.code === "CONFIG_INVALID");
      shown.push(inspect(error, { depth: null, showHidden: true }));
    }
  }
  assert.equal(shown.length, 3 + 6 * 3 + 3 + 3);
  for (const text of shown) assert.ok(!text.includes(secret) && !text.includes(encoded), text);
});

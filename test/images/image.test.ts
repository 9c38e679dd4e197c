import assert from "node:assert/strict";
import { type ChildProcess, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startBroker } from "../broker/kafka-broker.ts";
import { EXAMPLE_FILE, ended } from "../processes/oddlink.ts";
import { FOLDER, mountsOf, ownServices, services } from "./compose.ts";
import { ROOT } from "./dockerfile.ts";
import { Image, SOURCE_DATE_EPOCH } from "./image.ts";
import { signalIn, whyNoSandbox } from "./sandbox.ts";

const TEST_MS_MAX = 180_000;
const TOKEN = "a-token-of-a-test";
const POLL_MS = 100;
const RECORDS = 13_999;
const STORES = "/var/lib/oddlink";

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
const missing = whyNoSandbox();

type Running = { readonly process: ChildProcess; readonly output: { stdout: string; stderr: string } };

function heard(process: ChildProcess): Running {
  const output = { stdout: "", stderr: "" };
  process.stdout!.on("data", (chunk: Buffer) => (output.stdout += chunk));
  process.stderr!.on("data", (chunk: Buffer) => (output.stderr += chunk));
  return { process, output };
}

async function until<T>(
  what: string | (() => string),
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  for (const deadlineMs = performance.now() + 60_000; ; await sleep(POLL_MS)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    assert.ok(performance.now() < deadlineMs, typeof what === "string" ? what : what());
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function textAt(url: string, headers: Record<string, string> = {}): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { headers });
    return answer.ok ? await answer.text() : undefined;
  } catch {
    return undefined;
  }
}

/** What Docker would ask from inside. */
function health(image: Image, env: Record<string, string>) {
  const { status, stdout } = spawnSync(process.execPath, [image.path("opt", "oddlink", "healthy.mjs")], {
    encoding: "utf8",
    env,
  });
  return { status, said: stdout.trim() };
}

function packagesIn(folder: string): string[] {
  const files = globSync(
    ["*/package.json", "@*/*/package.json"].flatMap((path) => [path, `**/node_modules/${path}`]),
    {
      cwd: folder,
    },
  );
  return files
    .map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")))
    .map(({ name, version }) => `${name}@${version}`)
    .sort();
}

describe("the image of the worker, put together without Docker", {
  skip: missing,
  timeout: TEST_MS_MAX,
}, () => {
  let image: Image;
  before(() => {
    image = new Image("worker");
  });
  after(() => image?.remove());

  test("has the packages that the lock has for production, and no others", () => {
    const installed = new Set(packagesIn(image.path("opt", "oddlink", "node_modules")));
    type Entry = {
      readonly version: string;
      readonly dev?: true;
      readonly optional?: true;
      readonly devOptional?: true;
    };
    for (const [path, { version, dev, optional, devOptional }] of Object.entries<Entry>(lock.packages)) {
      const name = `${path.split("node_modules/").at(-1)}@${version}`;
      if (path === "" || dev || devOptional) continue;
      // Binaries of other platforms are optional.
      if (!optional) assert.ok(installed.has(name), name);
    }
    const wanted = new Set(
      Object.entries<Entry>(lock.packages)
        .filter(([, { dev }]) => dev === undefined)
        .map(([path, { version }]) => `${path.split("node_modules/").at(-1)}@${version}`),
    );
    assert.deepEqual(
      [...installed].filter((name) => !wanted.has(name)),
      [],
    );
    assert.ok([...installed].some((name) => name.includes("lz4-napi-linux")));
  });

  test("has a bill of materials of these packages, which is the same each time", () => {
    const { bomFormat, components, metadata, serialNumber } = JSON.parse(
      readFileSync(image.path("opt", "oddlink", "sbom.cdx.json"), "utf8"),
    );
    assert.equal(bomFormat, "CycloneDX");
    assert.equal(metadata.component.name, manifest.name);
    assert.equal(Date.parse(metadata.timestamp), Number(SOURCE_DATE_EPOCH) * 1000);
    assert.equal(serialNumber, undefined);
    type Component = { readonly group?: string; readonly name: string; readonly version: string };
    const listed = components.map(
      ({ group, name, version }: Component) => `${group ? `${group}/` : ""}${name}@${version}`,
    );
    assert.deepEqual([...new Set(listed)].sort(), [
      ...new Set(packagesIn(image.path("opt", "oddlink", "node_modules"))),
    ]);
    for (const name of Object.keys(manifest.dependencies))
      assert.ok(listed.includes(`${name}@${manifest.dependencies[name]}`), name);
  });

  test("has nothing besides what runs: no sources, no tests, no package manager of the base image", () => {
    assert.deepEqual(readdirSync(image.path("opt", "oddlink")).sort(), [
      "LICENSE",
      "dist",
      "healthy.mjs",
      "node_modules",
      "package.json",
      "sbom.cdx.json",
    ]);
    assert.ok(!existsSync(join(image.sandbox.usr, "local", "lib", "node_modules")));
  });

  test("says its version as a user without rights, on a root that is read only", () => {
    const { status, stdout, stderr } = image.run([...image.entrypoint, "--version"]);
    assert.equal(status, 0, stderr);
    assert.equal(stdout, `${manifest.version}\n`);
    const probe = image.run([
      "sh",
      "-c",
      'id -u; grep CapBnd /proc/self/status; touch /tmp/a; for f in / /opt/oddlink/ /usr/ /var/lib/oddlink/; do touch "$f"a || true; done',
    ]);
    assert.match(probe.stdout, /^65532\nCapBnd:\t0+\n$/);
    assert.equal(probe.stderr.match(/Read-only file system/g)?.length, 4);
  });

  test("reads the example into a store on a volume, and goes on with it", () => {
    const mounts = [
      [EXAMPLE_FILE, "/trial/auth.txt.gz"],
      [image.volume("store"), STORES],
    ] as const;
    const args = ["run", "/trial/auth.txt.gz", "--store", "logins.db", "--train", "off", "--json"];
    const summary = () => {
      const { status, stdout, stderr } = image.run([...image.entrypoint, ...args], { mounts });
      assert.equal(status, 0, stderr);
      const { read, consumed, alerts } = JSON.parse(stdout);
      return { read, consumed, alerts };
    };
    const first = summary();
    assert.deepEqual([first.read, first.consumed], [RECORDS, RECORDS]);
    assert.ok(first.alerts > 0);
    assert.deepEqual(summary(), { ...first, read: 0 });
  });

  test("is healthy while it serves, and stops cleanly at SIGTERM, as process 1", async (t) => {
    const port = String(await freePort());
    const env = { ODDLINK_HTTP_PORT: port };
    const mounts = [[EXAMPLE_FILE, "/trial/auth.txt.gz"]] as const;
    const args = ["run", "/trial/auth.txt.gz", "--train", "off", "--serve", "--json"];
    assert.match(health(image, env).said, /ECONNREFUSED$/);
    assert.equal(health(image, env).status, 1);
    const running = heard(image.start([...image.entrypoint, ...args], { env, mounts }));
    t.after(() => signalIn(running.process, "SIGKILL"));
    await until("it is served", () => textAt(`http://127.0.0.1:${port}/readyz`));
    assert.deepEqual(health(image, env), { status: 0, said: `http://127.0.0.1:${port}/healthz: 200` });
    signalIn(running.process, "SIGTERM");
    assert.equal(await ended(running.process), 0, running.output.stderr);
    const { stopped, consumed } = JSON.parse(running.output.stdout);
    // It may have read everything by then.
    assert.equal(stopped, consumed < RECORDS);
  });

  test("the trial, with its containers put together in the same way on a broker of the tests: alerts, a model, canary and page", async (t) => {
    const broker = await startBroker(t);
    const place = { brokers: broker.brokers, page: await freePort() };
    const management = new Map<string, number>();
    for (const name of ["worker", "trainer", "canary"]) management.set(name, await freePort());
    const started = async (name: string, changed: Record<string, string> = {}): Promise<Running> => {
      const service = ownServices[name]!;
      const env = Object.entries({ ...service.environment, ...changed }).map(([variable, value]) => {
        if (value === services["worker"]!.environment!["ODDLINK_HTTP_TOKEN"]) return [variable, TOKEN];
        if (variable === "ODDLINK_HTTP_PORT") return [variable, String(place.page)];
        // They share the network of this machine.
        if (variable === "ODDLINK_MANAGEMENT_PORT") return [variable, String(management.get(name) ?? 0)];
        return [variable, value.replace("kafka:9092", place.brokers).replace("0.0.0.0", "127.0.0.1")];
      });
      const command = [...(service.entrypoint ?? image.entrypoint), ...(service.command ?? [])];
      const mounts = mountsOf(service).map(({ from, to }) => [join(FOLDER, from), to] as const);
      const running = heard(image.start(command, { env: Object.fromEntries(env), mounts }));
      t.after(() => signalIn(running.process, "SIGKILL"));
      all.set(name, running);
      return running;
    };
    const done = async (name: string, changed?: Record<string, string>): Promise<string> => {
      const running = await started(name, changed);
      assert.equal(await ended(running.process), 0, running.output.stdout + running.output.stderr);
      return running.output.stdout;
    };
    const metrics = (name: string) => textAt(`http://127.0.0.1:${management.get(name)}/metrics`);
    const all = new Map<string, Running>();
    const untilMetric = (name: string, series: RegExp) =>
      until(
        () => `${name}: no ${series}; it said: ${all.get(name)?.output.stderr}`,
        async () => series.exec((await metrics(name)) ?? "")?.[0],
      );

    assert.match(await done("topics"), /oddlink\.graph-state: ok, 3 partitions/);
    const worker = await started("worker");
    const trainer = await started("trainer", { ODDLINK_TRAINING_FIRSTAFTERHOURS: "0.0001" });
    assert.match(await done("feeder", { FEED_SECONDS: "2" }), /13999 logins written to oddlink\.logins/);
    await untilMetric("worker", new RegExp(`^oddlink_logins_consumed_total ${RECORDS}$`, "m"));
    const canary = await started("canary", { ODDLINK_CANARY_EVERYSECONDS: "1" });
    await untilMetric("canary", /^oddlink_canary_logins_total\{outcome="detected"\} [1-9]/m);
    await untilMetric("trainer", /^oddlink_epochs_published_total [1-9]/m);
    await untilMetric("worker", /^oddlink_epoch_info\{number="\d+",digest="\w+"\} 1$/m);

    const page = `http://127.0.0.1:${place.page}/api/v1/incidents`;
    assert.equal(await textAt(page), undefined);
    const incidents = await until("incidents", () => textAt(page, { authorization: `Bearer ${TOKEN}` }));
    type Incident = { readonly title: string; readonly lastMs: number };
    const { incidents: found } = JSON.parse(incidents) as { readonly incidents: readonly Incident[] };
    // The account and host of LANL's red team, at a time that is not long ago.
    const stolen = found.find(
      ({ title }) => title === "U748@DOM1 used from C17693 without a sign of its owner",
    );
    assert.ok(stolen !== undefined, incidents);
    assert.ok(Date.now() - stolen.lastMs < 3 * 86_400_000);

    // Started again, it writes nothing twice.
    assert.match(await done("feeder"), /oddlink\.logins holds \d+ records already/);
    for (const { process, output } of [canary, trainer, worker]) {
      signalIn(process, "SIGTERM");
      assert.equal(await ended(process), 0, output.stderr);
    }
  });
});

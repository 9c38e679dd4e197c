import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { allow, alterTopic, createTopics, deleteTopic, type TopicOptions } from "./broker-administration.ts";
import {
  addressOf,
  type BrokerOptions,
  controllerProperties,
  type Listener,
  LOG_PROPERTIES,
  type Ports,
  SASL_USER,
  serverProperties,
} from "./broker-configuration.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { CLASS_ARCHIVE, kafkaJars } from "./kafka-jars.ts";

const READY = "Kafka Server started";
/** Three to seven seconds where it was measured. */
const START_MS_MAX = 90_000;
/** Writing the class archive takes seconds more than a plain stop. */
const STOP_MS_MAX = 40_000;
const POLL_MS = 20;
/** Between choosing a free port and listening on it another process may take it. */
const PORT_ATTEMPTS_MAX = 5;

export type SecuredBroker = {
  /** PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 as `SASL_USER`, and OAUTHBEARER with unsecured tokens. */
  readonly sasl: string;
  readonly tls: string;
  /** TLS that asks for a client certificate. */
  readonly mutualTls: string;
  readonly certificates: Certificates;
};

/**
 * Starts one Kafka broker, its own controller, on free ports of the loopback interface, and returns when it is ready.
 *
 * Its data lie in a temporary folder. The broker and the folder are gone after the test, also when the test fails, and
 * when the test's process dies: a guard process outlives it.
 */
export async function startBroker(
  t: { after(teardown: () => Promise<void>): void },
  options: BrokerOptions = {},
): Promise<KafkaBroker> {
  const jars = await kafkaJars();
  for (let attempt = 1; ; attempt++) {
    const broker = new KafkaBroker(jars, options, await freePorts(5 + (options.proxyPorts?.length ?? 0)));
    t.after(() => broker.remove());
    try {
      await broker.start();
      return broker;
    } catch (error) {
      if (attempt === PORT_ATTEMPTS_MAX || !broker.log().includes("Address already in use")) throw error;
      await broker.remove();
    }
  }
}

type Controller = { end(): Promise<void> };

export class KafkaBroker {
  readonly #jars: string;
  readonly #folder: string;
  readonly #ports: Ports;
  readonly #guard: ChildProcess;
  readonly #certificates: Certificates | undefined;
  readonly #isSecured: boolean;
  /** 22 characters of URL-safe base64; Kafka does not take one that begins with a dash. */
  readonly #cluster = `A${randomBytes(16).toString("base64url").slice(1, 22)}`;
  #process: ChildProcess | undefined;
  #controller: Controller | undefined;
  #starts = 0;
  #isWritingArchive = false;

  constructor(jars: string, options: BrokerOptions, ports: readonly number[]) {
    this.#jars = jars;
    this.#folder = mkdtempSync(join(tmpdir(), "oddlink-broker-"));
    this.#guard = startGuard(this.#folder);
    const [plaintext, controller, sasl, tls, mtls, ...proxied] = ports as [
      number,
      number,
      number,
      number,
      number,
      ...number[],
    ];
    const behindProxies = Object.fromEntries(proxied.map((port, i) => [`proxied${i}`, port]));
    this.#ports = { plaintext, controller, sasl, tls, mtls, ...behindProxies };
    this.#isSecured = options.isSecured === true;
    this.#certificates = this.#isSecured ? makeCertificates(this.#folder) : undefined;
    const place = { ports: this.#ports, dataFolder: this.#file("data"), certificates: this.#certificates };
    writeFileSync(this.#file("server.properties"), serverProperties(options, place));
    writeFileSync(this.#file("log4j2.properties"), LOG_PROPERTIES);
    if (options.hasOwnController === true) {
      const controllerPlace = { ports: this.#ports, dataFolder: this.#file("controller-data") };
      writeFileSync(this.#file("controller.properties"), controllerProperties(controllerPlace));
    }
  }

  /** Address of the plain listener. */
  get brokers(): string {
    return this.#address("plaintext");
  }

  /** Where the controller listens, which is no broker. */
  get controller(): string {
    return this.#address("controller");
  }

  get secured(): SecuredBroker {
    if (this.#certificates === undefined) throw new Error("start the broker with isSecured");
    return {
      sasl: this.#address("sasl"),
      tls: this.#address("tls"),
      mutualTls: this.#address("mtls"),
      certificates: this.#certificates,
    };
  }

  /** Process of the broker; undefined while it does not run. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Where the fault proxy at this place of `proxyPorts` forwards to. */
  proxiedPort(place = 0): number {
    return this.#ports[`proxied${place}`]!;
  }

  /** Starts the broker, again on the same ports and data if it ran before, and returns when it is ready. */
  async start(): Promise<void> {
    if (this.#process !== undefined) throw new Error("the broker is running");
    if (this.#starts === 0) {
      this.#format("server.properties", this.#isSecured);
      if (existsSync(this.#file("controller.properties"))) this.#startController();
    }
    this.#starts++;
    const hasArchive = existsSync(CLASS_ARCHIVE);
    this.#isWritingArchive = !hasArchive;
    const archive = hasArchive
      ? `-XX:SharedArchiveFile=${CLASS_ARCHIVE}`
      : `-XX:ArchiveClassesAtExit=${this.#file("classes.jsa")}`;
    // What it unpacks for its own use is left behind when it is killed.
    const temporary = `-Djava.io.tmpdir=${this.#folder}`;
    const heap = ["-Xms128m", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", archive, temporary];
    const log = openSync(this.#file(`log-${this.#starts}`), "a");
    const broker = spawn(
      "java",
      [...this.#classPath(), ...heap, "kafka.Kafka", this.#file("server.properties")],
      { stdio: ["ignore", log, log] },
    );
    closeSync(log);
    broker.unref();
    this.#process = broker;
    this.#guard.stdin!.write(`${broker.pid}\n`);
    broker.once("exit", () => {
      if (this.#process === broker) this.#process = undefined;
      if (this.#process === undefined && this.#guard.stdin!.writable) this.#guard.stdin!.write("\n");
    });
    const deadlineMs = Date.now() + START_MS_MAX;
    while (!this.log().includes(READY)) {
      if (this.#process !== broker) throw new Error(`the broker died: ${this.log().slice(-2000)}`);
      if (Date.now() > deadlineMs) throw new Error(`the broker is not ready: ${this.log().slice(-2000)}`);
      await sleep(POLL_MS);
    }
  }

  /** Stops the broker cleanly, or as `signal` makes it, and waits for its end. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const broker = this.#process;
    if (broker === undefined) return;
    const ended = new Promise((resolve) => broker.once("exit", resolve));
    // A paused process takes no other signal.
    if (signal !== "SIGKILL") broker.kill("SIGCONT");
    broker.kill(signal);
    const timer = setTimeout(() => broker.kill("SIGKILL"), STOP_MS_MAX);
    await ended;
    clearTimeout(timer);
    if (this.#isWritingArchive && existsSync(this.#file("classes.jsa"))) {
      renameSync(this.#file("classes.jsa"), CLASS_ARCHIVE);
    }
  }

  kill(): Promise<void> {
    return this.stop("SIGKILL");
  }

  /** Stops the process as if its machine hung: connections stay open, nothing is answered. */
  pause(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  /** Ends the broker and removes its folder. */
  async remove(): Promise<void> {
    // A clean stop costs a second, and only the first broker on a machine has something to write.
    await this.stop(this.#isWritingArchive ? "SIGTERM" : "SIGKILL");
    this.#guard.stdin!.end();
    await this.#controller?.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** What the broker has written since its last start. */
  log(): string {
    const file = this.#file(`log-${this.#starts}`);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  createTopics(topics: Readonly<Record<string, TopicOptions>>): Promise<void> {
    return createTopics(this.brokers, topics);
  }

  alterTopic(topic: string, settings: Readonly<Record<string, string>>): Promise<void> {
    return alterTopic(this.brokers, topic, settings);
  }

  deleteTopic(topic: string): Promise<void> {
    return deleteTopic(this.brokers, topic);
  }

  allow(user: string, prefix: string): Promise<void> {
    return allow(this.brokers, user, prefix);
  }

  /** Bytes of a partition in the broker's log, as they are compressed there. */
  partitionBytes(topic: string, partition: number): number {
    const folder = join(this.#file("data"), `${topic}-${partition}`);
    const segments = readdirSync(folder).filter((name) => name.endsWith(".log"));
    return segments.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }

  #address(listener: Listener): string {
    return addressOf(this.#ports, listener);
  }

  #classPath(): string[] {
    return ["-cp", join(this.#jars, "*"), `-Dlog4j2.configurationFile=${this.#file("log4j2.properties")}`];
  }

  #startController(): void {
    this.#format("controller.properties", false);
    const log = openSync(this.#file("log-controller"), "a");
    const server = spawn(
      "java",
      [...this.#classPath(), "-Xmx256m", "kafka.Kafka", this.#file("controller.properties")],
      { stdio: ["ignore", log, log] },
    );
    closeSync(log);
    server.unref();
    const guard = startGuard(this.#folder);
    guard.stdin!.write(`${server.pid}\n`);
    this.#controller = {
      end: async () => {
        const ended = new Promise((resolve) => server.once("exit", resolve));
        if (server.exitCode === null && server.kill("SIGKILL")) await ended;
        guard.stdin!.end("\n");
      },
    };
  }

  #format(properties: string, isSecured: boolean): void {
    const credentials = `[name=${SASL_USER.username},password=${SASL_USER.password}]`;
    const users = isSecured
      ? ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((name) => ["--add-scram", `${name}=${credentials}`])
      : [];
    const format = ["kafka.tools.StorageTool", "format", "-t", this.#cluster, "-c", this.#file(properties)];
    const { status, stdout, stderr } = spawnSync(
      "java",
      [...this.#classPath(), "-XX:TieredStopAtLevel=1", ...format, ...users],
      { encoding: "utf8" },
    );
    if (status !== 0) throw new Error(`could not format the broker's folder: ${stdout}${stderr}`);
  }
}

/**
 * A process that ends the broker when the pipe from this one closes, for whatever reason. It is told the broker's process
 * id in a line, and an empty line when the broker has ended.
 */
function startGuard(folder: string): ChildProcess {
  const script =
    'trap "" INT TERM HUP; pid=; while read -r line; do pid=$line; done; ' +
    '[ -z "$pid" ] || kill -KILL "$pid"; rm -rf "$1"';
  const guard = spawn("sh", ["-c", script, "sh", folder], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  guard.unref();
  (guard.stdin as Socket).unref();
  guard.stdin!.on("error", () => {});
  return guard;
}

/** Ports that were free a moment ago, each a different one. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

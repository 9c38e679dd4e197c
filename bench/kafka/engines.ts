import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { ConsumedRecord } from "../../src/log/kafka/client.ts";
import type { KafkaBroker } from "../../test/broker/kafka-broker.ts";

export const PARTITIONS = 4;
/** Of either engine: one login in 200. */
const ALERT_SHARE = 0.005;

export type EngineName = "oddlink" | "Kafka Streams";

export type Setting = {
  readonly broker: KafkaBroker;
  /** Folder of the jars of this bench. */
  readonly jars: string;
  /** Empty folder for what the engine keeps. */
  readonly folder: string;
  /** Below it lie the scores of about that share of the logins, so that oddlink has as many alerts. */
  readonly threshold: number;
  /** Topic that is read; the engine's own topics and its group begin with `name`. */
  readonly logins: string;
  readonly name: string;
  /** Where oddlink is to write a profile of its CPU. */
  readonly profileFolder?: string | undefined;
  /** Of oddlink, as environment variables, where they are not what they are by default. */
  readonly environment?: Readonly<Record<string, string>>;
};

/** An engine at work, in a process of its own. */
export type RunningEngine = {
  readonly pid: number;
  readonly group: string;
  readonly alerts: string;
  /** Timestamp of the login that an alert is about. */
  readonly sentMs: (alert: ConsumedRecord) => number;
  stop(): Promise<void>;
};

export const ENGINES: Readonly<Record<EngineName, (setting: Setting) => Promise<RunningEngine>>> = {
  oddlink: startOddlink,
  "Kafka Streams": startOpponent,
};

/** A worker as users start it, with the settings it has by default; a fixed threshold makes the alerts about as many. */
async function startOddlink(setting: Setting): Promise<RunningEngine> {
  const { broker, threshold, logins, name, profileFolder, environment } = setting;
  const main = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");
  const env = {
    ...process.env,
    ODDLINK_KAFKA_BROKERS: broker.brokers,
    ODDLINK_KAFKA_GROUP: name,
    ODDLINK_KAFKA_TOPICPREFIX: `${name}.`,
    ODDLINK_KAFKA_TOPICS_LOGINS: logins,
    ODDLINK_THRESHOLD: String(threshold),
    ...environment,
  };
  const quiet = "--disable-warning=ExperimentalWarning";
  const made = spawnSync(process.execPath, [quiet, main, "topics", "--create"], { env, encoding: "utf8" });
  if (made.status !== 0) throw new Error(`topics could not be made: ${made.stdout}${made.stderr}`);
  const profile = profileFolder === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profileFolder];
  const child = spawn(process.execPath, [quiet, ...profile, main, "run", "--kafka", "--json"], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const group = name;
  return {
    ...running(child, () => child.kill("SIGTERM")),
    group,
    alerts: `${name}.alerts`,
    // The time of the login, which its alert has to the millisecond.
    sentMs: ({ headers }) => Date.parse(headers["ce_time"]!.toString()),
  };
}

async function startOpponent({ broker, jars, folder, logins, name }: Setting): Promise<RunningEngine> {
  const alerts = `${name}.alerts`;
  await broker.createTopics({ [alerts]: { partitions: PARTITIONS } });
  const program = join(import.meta.dirname, "Opponent.java");
  const argumentsOf = [broker.brokers, name, logins, alerts, folder, String(1 / ALERT_SHARE)];
  const child = spawn("java", ["-Xmx1g", "-cp", join(jars, "*"), program, ...argumentsOf], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  return {
    ...running(child, () => child.stdin!.end()),
    group: name,
    alerts,
    sentMs: ({ timestampMs }) => timestampMs,
  };
}

function running(child: ChildProcess, end: () => void): Pick<RunningEngine, "pid" | "stop"> {
  const closed = once(child, "close") as Promise<[number | null]>;
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  let said = "";
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on("data", (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-4000);
    });
  }
  return {
    pid: child.pid!,
    stop: async () => {
      end();
      const [code] = await closed;
      process.off("exit", kill);
      if (code !== 0) throw new Error(`the engine ended with ${code}: ${said}`);
    },
  };
}

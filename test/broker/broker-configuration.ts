import type { Certificates } from "./certificates.ts";

const BROKER_ID = 1;
const CONTROLLER_ID = 2;

export const SASL_USER = { username: "alice", password: "alice-secret" } as const;

export type BrokerOptions = {
  /** Adds listeners with SASL, TLS and mutual TLS beside the plain one. */
  readonly isSecured?: boolean;
  /** Adds a listener for each, whose clients are told to come back to this port of 127.0.0.1, where a fault proxy listens. */
  readonly proxyPorts?: readonly number[];
  /** Its controller is a process of its own, as in any cluster, which stays when the broker is killed. */
  readonly hasOwnController?: boolean;
  /** Added to server.properties; wins over what is there. */
  readonly extra?: Readonly<Record<string, string>>;
};

export type Listener = "plaintext" | "controller" | "sasl" | "tls" | "mtls" | `proxied${number}`;
export type Ports = Readonly<Record<Listener, number>>;

/** What a broker has on this machine for itself. */
export type BrokerPlace = {
  readonly ports: Ports;
  readonly dataFolder: string;
  /** Undefined if it is not secured. */
  readonly certificates: Certificates | undefined;
};

export function addressOf(ports: Ports, listener: Listener): string {
  return `127.0.0.1:${ports[listener]}`;
}

/** The text of server.properties. */
export function serverProperties(options: BrokerOptions, place: BrokerPlace): string {
  const entries = Object.entries({ ...properties(options, place), ...options.extra });
  return entries.map(([key, value]) => `${key}=${value}\n`).join("");
}

/** The text of controller.properties: of a controller that is no broker. */
export function controllerProperties({ ports, dataFolder }: Omit<BrokerPlace, "certificates">): string {
  const entries = Object.entries({
    "process.roles": "controller",
    "node.id": String(CONTROLLER_ID),
    "controller.quorum.voters": `${CONTROLLER_ID}@${addressOf(ports, "controller")}`,
    "controller.listener.names": "CONTROLLER",
    listeners: `CONTROLLER://${addressOf(ports, "controller")}`,
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT",
    "log.dirs": dataFolder,
    ...SMALL_AND_QUICK,
  });
  return entries.map(([key, value]) => `${key}=${value}\n`).join("");
}

/** The text of log4j2.properties: warnings, and that the broker is ready. */
export const LOG_PROPERTIES: string = [
  "status=error",
  "appender.out.type=Console",
  "appender.out.name=Out",
  "appender.out.layout.type=PatternLayout",
  "appender.out.layout.pattern=%d %p %c{1} %m%n",
  "rootLogger.level=warn",
  "rootLogger.appenderRef.out.ref=Out",
  "logger.ready.name=kafka.server.KafkaRaftServer",
  "logger.ready.level=info\n",
].join("\n");

function properties(
  options: BrokerOptions,
  { ports, dataFolder, certificates }: BrokerPlace,
): Record<string, string> {
  const protocols: Partial<Record<Listener, string>> = {
    plaintext: "PLAINTEXT",
    controller: "PLAINTEXT",
    ...(options.isSecured === true ? { sasl: "SASL_PLAINTEXT", tls: "SSL", mtls: "SSL" } : {}),
  };
  const proxyPorts = options.proxyPorts ?? [];
  for (const place of proxyPorts.keys()) protocols[`proxied${place}`] = "PLAINTEXT";
  const isCombined = options.hasOwnController !== true;
  const all = Object.keys(protocols) as Listener[];
  const listeners = isCombined ? all : all.filter((name) => name !== "controller");
  const advertised = listeners
    .filter((name) => name !== "controller")
    .map((name) => {
      const port = name.startsWith("proxied")
        ? proxyPorts[Number(name.slice("proxied".length))]
        : ports[name];
      return `${name.toUpperCase()}://127.0.0.1:${port}`;
    });
  return {
    "process.roles": isCombined ? "broker,controller" : "broker",
    "node.id": String(BROKER_ID),
    "controller.quorum.voters": `${isCombined ? BROKER_ID : CONTROLLER_ID}@${addressOf(ports, "controller")}`,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    listeners: listeners.map((name) => `${name.toUpperCase()}://${addressOf(ports, name)}`).join(","),
    "advertised.listeners": advertised.join(","),
    "listener.security.protocol.map": all.map((name) => `${name.toUpperCase()}:${protocols[name]}`).join(","),
    "log.dirs": dataFolder,
    "auto.create.topics.enable": "false",
    ...SMALL_AND_QUICK,
    ...(certificates === undefined ? {} : security(certificates)),
  };
}

/** One replica, few threads and partitions, and timeouts that don't keep a test waiting. */
const SMALL_AND_QUICK: Readonly<Record<string, string>> = {
  "num.network.threads": "2",
  "num.io.threads": "4",
  "num.replica.fetchers": "1",
  "background.threads": "2",
  "log.cleaner.dedupe.buffer.size": String(2 * 1024 * 1024),
  "log.cleaner.threads": "1",
  "default.replication.factor": "1",
  "min.insync.replicas": "1",
  // The first group and the first transaction wait until these topics are there.
  "offsets.topic.num.partitions": "4",
  "offsets.topic.replication.factor": "1",
  "transaction.state.log.num.partitions": "4",
  "transaction.state.log.replication.factor": "1",
  "transaction.state.log.min.isr": "1",
  "share.coordinator.state.topic.num.partitions": "1",
  "share.coordinator.state.topic.replication.factor": "1",
  "share.coordinator.state.topic.min.isr": "1",
  // A broker that was killed is let in again only when its old registration has lapsed.
  "broker.session.timeout.ms": "2000",
  "broker.heartbeat.interval.ms": "500",
  "group.initial.rebalance.delay.ms": "0",
  "group.min.session.timeout.ms": "1000",
  // Only this scan notices that a transaction has timed out.
  "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
};

function security(certificates: Certificates): Record<string, string> {
  const plain = "org.apache.kafka.common.security.plain.PlainLoginModule";
  const scram = "org.apache.kafka.common.security.scram.ScramLoginModule";
  const bearer = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule";
  const { username, password } = SASL_USER;
  const keys = {
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": certificates.serverFile,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": certificates.caFile,
  };
  const of = (listener: string, entries: Readonly<Record<string, string>>): [string, string][] =>
    Object.entries(entries).map(([key, value]) => [`listener.name.${listener}.${key}`, value]);
  return Object.fromEntries([
    ...of("tls", { ...keys, "ssl.client.auth": "none" }),
    ...of("mtls", { ...keys, "ssl.client.auth": "required" }),
    ...of("sasl", {
      "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
      "plain.sasl.jaas.config": `${plain} required user_${username}="${password}";`,
      "scram-sha-256.sasl.jaas.config": `${scram} required;`,
      "scram-sha-512.sasl.jaas.config": `${scram} required;`,
      "oauthbearer.sasl.jaas.config": `${bearer} required unsecuredLoginStringClaim_sub="broker";`,
      "oauthbearer.sasl.server.callback.handler.class":
        "org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler",
    }),
  ]);
}

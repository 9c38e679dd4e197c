import { Command, InvalidArgumentError, Option } from "commander";
import { printConfig } from "../config/load.ts";
import { plaintextCredentials } from "../config/plaintext.ts";
import type { Config } from "../config/schema.ts";
import { sumOf } from "../engine/totals.ts";
import { OddlinkError } from "../errors.ts";
import { LOGIN_SCHEMA } from "../ingest/formats/avro-login.ts";
import { createDecoder, FORMAT_NAMES } from "../ingest/formats/index.ts";
import { avroLoginEncoder, ENCODINGS, type EncodeLogin, encodeJsonLogin } from "../ingest/login-encoding.ts";
import { SchemaRegistry } from "../ingest/schema-registry.ts";
import type { ConsumerStanding } from "../log/kafka/consumer-meter.ts";
import { KafkajsAdmin } from "../log/kafka/kafkajs/admin.ts";
import { type NormalizedCounts, Normalizer } from "../log/kafka/normalizing.ts";
import { runTopicPipeline } from "../log/kafka/topic-pipeline.ts";
import { REAL_TIME } from "../time.ts";
import { kafkaClientOptions, openKafkaClient, topicsOf } from "./kafka.ts";
import { watchConsumer } from "./operations/consumer-watch.ts";
import { manage } from "./operations/management.ts";
import { NormalizerWatch } from "./operations/normalizer-watch.ts";
import { type CommonFlags, configOf } from "./options.ts";
import { openResolution, type ResolutionCounts, resolutionLines } from "./resolution.ts";
import type { StandardOutput } from "./standard-output.ts";
import { stoppable } from "./stopping.ts";
import { countText } from "./terminal/numbers.ts";
import { sentenceText } from "./terminal/outside-text.ts";
import { Progress } from "./terminal/progress.ts";
import { Repeated } from "./terminal/repeated.ts";
import { type UntilHad, untilHadOf } from "./waiting.ts";

type RawTopic = Config["normalize"]["topics"][number];

type NormalizeFlags = Pick<CommonFlags, "config" | "json" | "printConfig"> & {
  readonly from?: readonly RawTopic[];
  readonly encoding?: string;
};

export function normalizeCommand(output: StandardOutput): Command {
  return new Command("normalize")
    .description(
      "Read raw topics, each in a format of its own, and write one topic of canonical logins, exactly once.",
    )
    .option(
      "--from <topic[=format]>",
      "a raw topic, and the format of its records (auto if left out); may be repeated; takes the place of normalize.topics",
      (text: string, others: readonly RawTopic[] = []) => [...others, rawTopicOf(text)],
    )
    .addOption(new Option("--encoding <name>", "of the canonical logins").choices(ENCODINGS))
    .option("--json", "end with one JSON object on standard output")
    .option("--config <file>", "configuration file (YAML); environment and flags come after it")
    .option("--print-config", "print the configuration in force and stop")
    .addHelpText(
      "after",
      `
Each login and piece of evidence becomes one record of kafka.topics.logins, keyed by its user; what can't be read goes to the dead
letters, what is no login is counted. Headers say which record it came from (oddlink-source-topic, -partition, -offset). Outputs and
positions are committed together: killed and started again it goes on, and nobody who reads committed records sees one twice.

Start as many as you like: the partitions of each topic are shared by its consumer group, <kafka.group>-normalize-<topic>.

Examples:
  oddlink normalize --from raw.windows=windows --from raw.okta=okta --from raw.vpn
  oddlink normalize --config oddlink.yaml --encoding avro
                                                     topics as normalize.topics names them; the schema is registered
  oddlink ingest --explain FILE                      what would be made of some records`,
    )
    .action((flags: NormalizeFlags) => run(flags, output));
}

async function run(flags: NormalizeFlags, output: StandardOutput): Promise<void> {
  const config = configOf(flags, { "normalize.topics": flags.from, "normalize.encoding": flags.encoding });
  if (flags.printConfig) return output.write(printConfig(config));
  const { topics: rawTopics } = config.normalize;
  const topics = topicsOf(config.kafka);
  if (rawTopics.length === 0)
    throw new OddlinkError("USAGE", "no raw topic given: name them with --from, or in normalize.topics");
  const own = rawTopics.find(({ topic }) => Object.values(topics).includes(topic));
  if (own !== undefined)
    throw new OddlinkError("USAGE", `${own.topic} is a topic of oddlink's own, and no raw one`);
  const startedMs = performance.now();
  const progress = new Progress({ stream: process.stderr, now: Date.now });
  const trouble = new Repeated((message) => progress.note(sentenceText(message)));
  const normalizers = new Map<string, Normalizer>();
  const watched: (() => void)[] = [];
  let counts = (): ResolutionCounts => ({});
  const watch =
    config.management.port === undefined
      ? undefined
      : new NormalizerWatch(
          () => new Map([...normalizers].map(([topic, normalizer]) => [topic, normalizer.counts])),
          () => counts(),
        );
  const onTrouble = (message: string): void => {
    watch?.troubled();
    trouble.say(message);
  };
  await stoppable(async (stopped) => {
    const failed = new AbortController();
    const signal = AbortSignal.any([stopped, output.gone, failed.signal]);
    stopped.addEventListener("abort", () => progress.note("stopping: what was read is being committed"));
    const managed = manage(config, watch, (message) => progress.note(message));
    managed?.failed.addEventListener("abort", () => failed.abort(managed.failed.reason));
    const client = openKafkaClient(config.kafka, onTrouble);
    const untilHad = untilHadOf(signal, onTrouble);
    try {
      const resolution = await openResolution(config, { client, onTrouble });
      counts = resolution.counts;
      const registry = config.input.registry && new SchemaRegistry(config.input.registry);
      const encode = await encoderOf(config, topics.logins, registry, untilHad);
      await expectTopics(config, [...rawTopics.map(({ topic }) => topic), topics.logins, topics.deadLetters]);
      progress.note(startedText(config, topics.logins));
      for (const problem of plaintextCredentials(config)) progress.note(problem);
      const pipelines = rawTopics.map(async ({ topic, format }) => {
        const normalizer = new Normalizer({
          topic,
          logins: topics.logins,
          deadLetters: topics.deadLetters,
          recordBytesMax: config.input.recordBytesMax,
          createDecoder: () => resolution.wrap(createDecoder(format, { ...config.input, schemas: registry })),
          encode,
          untilHad,
          onBug: (error, partition, offset) =>
            onTrouble(
              `record ${offset} of partition ${partition} of ${topic} brought out a bug, and is a dead letter: ${error.stack ?? error.message}`,
            ),
        });
        normalizers.set(topic, normalizer);
        const options = {
          ...config.kafka,
          client,
          time: REAL_TIME,
          group: `${config.kafka.group}-normalize-${topic}`,
          topic,
          outputs: [topics.logins],
          meter: watch?.consumers.meterOf(topic),
          onConsuming: (standing: () => ConsumerStanding) => {
            if (watch !== undefined)
              watched.push(watchConsumer(watch.consumers, { topic, client, standing }));
          },
          onTrouble,
          onNews: (message: string) => progress.note(`${topic}: ${sentenceText(message)}`),
          map: async (...record: Parameters<Normalizer["map"]>) => {
            const outputs = await normalizer.map(...record);
            progress.update({ records: totalOf(normalizers) });
            return outputs;
          },
        };
        await runTopicPipeline(options, signal).catch((error: unknown) => {
          failed.abort();
          throw error;
        });
      });
      const outcomes = await Promise.allSettled(pipelines);
      const failure = outcomes.find((outcome) => outcome.status === "rejected");
      if (failure !== undefined) throw failure.reason;
      if (managed?.failed.aborted) throw managed.failed.reason;
    } finally {
      progress.done();
      for (const stop of watched) stop();
      await managed?.close();
      await client.close();
    }
  });
  const seconds = (performance.now() - startedMs) / 1000;
  output.write(
    flags.json
      ? `${JSON.stringify(jsonOf(normalizers, counts(), seconds))}\n`
      : render(normalizers, counts()),
  );
}

/** @throws {OddlinkError} KAFKA_TOPIC_MISSING naming those that are not there, and who makes them */
async function expectTopics({ kafka, normalize }: Config, topics: readonly string[]): Promise<void> {
  const admin = new KafkajsAdmin(kafkaClientOptions(kafka, undefined));
  try {
    const found = await admin.findTopics(topics);
    const missing = topics.filter((topic) => !found.has(topic));
    if (missing.length === 0) return;
    const areRaw = missing.every((topic) => normalize.topics.some((raw) => raw.topic === topic));
    const hint = areRaw
      ? "raw topics are made by whoever fills them"
      : "oddlink topics --create makes those that it writes; raw topics are made by whoever fills them";
    throw new OddlinkError("KAFKA_TOPIC_MISSING", `there is no topic ${missing.join(", ")}: ${hint}`);
  } finally {
    await admin.close();
  }
}

async function encoderOf(
  { normalize, input }: Config,
  logins: string,
  registry: SchemaRegistry | undefined,
  untilHad: UntilHad,
): Promise<EncodeLogin> {
  if (normalize.encoding === "json") return encodeJsonLogin;
  const { registers } = input.registry!;
  const id = await untilHad(() =>
    registry!.idOf({ subject: `${logins}-value`, schema: JSON.stringify(LOGIN_SCHEMA), registers }),
  );
  return avroLoginEncoder(id!);
}

function startedText({ kafka, normalize }: Config, logins: string): string {
  const from = normalize.topics.map(({ topic, format }) => `${topic} (${format})`).join(", ");
  return `normalize started: brokers ${kafka.brokers.join(", ")}; reads ${from}; writes ${logins} as ${normalize.encoding}`;
}

/** `topic` or `topic=format`. */
export function rawTopicOf(text: string): RawTopic {
  const [topic = "", format = "auto"] = text.split("=", 2);
  if (topic === "") throw new InvalidArgumentError("expected TOPIC or TOPIC=FORMAT");
  if (!FORMAT_NAMES.includes(format))
    throw new InvalidArgumentError(`formats are ${FORMAT_NAMES.join(", ")}`);
  return { topic, format };
}

function totalOf(normalizers: ReadonlyMap<string, Normalizer>): number {
  return [...normalizers.values()].reduce((sum, { counts }) => sum + counts.consumed, 0);
}

/** What `normalize --json` ends with: of this process, by raw topic. */
function jsonOf(
  normalizers: ReadonlyMap<string, Normalizer>,
  resolution: ResolutionCounts,
  seconds: number,
): unknown {
  const topics = Object.fromEntries([...normalizers].map(([topic, { counts }]) => [topic, counts]));
  return { consumed: totalOf(normalizers), seconds, topics, resolution };
}

function render(normalizers: ReadonlyMap<string, Normalizer>, resolution: ResolutionCounts): string {
  const lines = [...normalizers].map(([topic, { counts }]) => `${topic}: ${countsText(counts)}`);
  return [...lines, ...resolutionLines(resolution)].map((line) => `${line}\n`).join("");
}

export function countsText({ consumed, login, evidence, ignored, rejected }: NormalizedCounts): string {
  const parts = [
    `${countText(login)} logins`,
    ...(evidence > 0 ? [`${countText(evidence)} evidence`] : []),
    ...reasonsText("ignored", ignored),
    ...reasonsText("rejected", rejected),
  ];
  return `${countText(consumed)} records read: ${parts.join(", ")}`;
}

function reasonsText(what: string, counts: Readonly<Record<string, number>>): string[] {
  const total = sumOf(counts);
  if (total === 0) return [];
  const reasons = Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${countText(count)}`);
  return [`${countText(total)} ${what} (${reasons.join(", ")})`];
}

import { randomUUID } from "node:crypto";
import { plaintextCredentials } from "../config/plaintext.ts";
import type { Config } from "../config/schema.ts";
import { IncidentFeed } from "../console/incident-feed.ts";
import { PartitionMerging } from "../engine/partition-merging.ts";
import type { SharedGraph } from "../engine/shared-graph.ts";
import { OddlinkError } from "../errors.ts";
import type { KafkaClient } from "../log/kafka/client.ts";
import { REAL_TIME } from "../time.ts";
import { deliverConsumed } from "./deliveries.ts";
import { openKafkaLog, topicsOf } from "./kafka.ts";
import { watchConsumer } from "./operations/consumer-watch.ts";
import { WorkerWatch } from "./operations/worker-watch.ts";
import { outputEncodingsOf } from "./output-encodings.ts";
import { RejectedShare } from "./rejected-share.ts";
import { openResolution } from "./resolution.ts";
import { runOn, type ServingPlan } from "./run-engine.ts";
import { topicFeed } from "./serving.ts";
import type { StandardOutput } from "./standard-output.ts";
import { stoppable } from "./stopping.ts";
import { Progress } from "./terminal/progress.ts";
import { Repeated } from "./terminal/repeated.ts";
import { untilHadOf } from "./waiting.ts";
import { startedText, stoppedText, topicProblems } from "./worker-words.ts";

/** How often in ten seconds a worker says the same of partitions that come and go. */
const NEWS_TIMES_MAX = 5;

/** Reads a topic in a consumer group, until it is stopped. */
export async function runWorker(
  args: readonly string[],
  configured: Config,
  output: StandardOutput,
  isJson: boolean,
): Promise<void> {
  if (args.length > 0) throw new OddlinkError("USAGE", `--kafka reads a topic: leave ${args[0]} out`);
  const { outputs, training } = configured;
  if (
    [outputs.store, outputs.alerts, outputs.alertsShadow, outputs.scored].some((path) => path !== undefined)
  )
    throw new OddlinkError(
      "USAGE",
      "with --kafka results go to topics: leave --store, --alerts, --alerts-shadow and --scored out",
    );
  // A topic has no end, and who waits for a training is thrown out of the group.
  const mode = training.mode === "replay" ? "live" : training.mode;
  const config = { ...configured, training: { ...training, mode } };
  const progress = new Progress({ stream: process.stderr, now: Date.now });
  const say = (message: string): void => progress.note(message);
  const trouble = new Repeated(say);
  const news = new Repeated(say, Date.now, NEWS_TIMES_MAX);
  const rejectedShare = new RejectedShare({
    shareMax: config.input.rejectedShareMax,
    deadLetters: topicsOf(config.kafka).deadLetters,
    monotonicMs: REAL_TIME.monotonicMs,
    warn: say,
  });
  const lookedAtTopics = new AbortController();
  say(startedText("worker", config));
  for (const trouble of plaintextCredentials(config)) say(trouble);
  const looking = topicProblems(config, lookedAtTopics.signal).then((problems) => {
    for (const problem of problems) say(problem);
  });
  const isWatched = config.http.enabled !== false || config.management.port !== undefined;
  const watch = isWatched ? new WorkerWatch(true) : undefined;
  const onTrouble = (message: string): void => {
    watch?.troubled();
    trouble.say(message);
  };
  const opened: (() => Promise<void>)[] = [];
  let uncommitted = 0;
  try {
    uncommitted = await stoppable(async (signal) => {
      signal.addEventListener("abort", () => say("stopping: what was read is being committed"));
      const encodings = await outputEncodingsOf(config, untilHadOf(signal, onTrouble)).catch(
        unlessStopped(signal),
      );
      if (encodings === undefined) return 0;
      const { logins } = topicsOf(config.kafka);
      const log = openKafkaLog(config, {
        encodings,
        onTrouble,
        onNews: (message) => news.say(message),
        meter: watch?.consumers?.meterOf(logins),
      });
      opened.unshift(() => log.close());
      if (watch?.consumers !== undefined) {
        const { client } = log;
        const stop = watchConsumer(watch.consumers, { topic: logins, client, standing: () => log.standing });
        opened.unshift(async () => stop());
      }
      const resolution = await openResolution(config, { client: log.client, onTrouble });
      opened.unshift(resolution.close);
      const sinks = deliverConsumed(log.client, { config, onTrouble });
      opened.unshift(sinks.stop);
      const merging = (state: SharedGraph) =>
        new PartitionMerging({
          state,
          log,
          config,
          breathe: () => REAL_TIME.sleep(0),
          newId: randomUUID,
          onFailed: (error) =>
            onTrouble(`segments could not be merged, which is tried again: ${error.message}`),
        });
      const serving = servingOf(config, log.client, onTrouble);
      if (serving?.close !== undefined) opened.unshift(serving.close);
      return runOn(log, config, {
        output,
        signal,
        isJson,
        merging,
        progress,
        resolution,
        sinks,
        watch,
        serving,
        rejectedShare,
      });
    });
  } finally {
    lookedAtTopics.abort();
    for (const close of opened) await close();
    await looking;
  }
  say(stoppedText(uncommitted));
}

/** Incidents of all workers, where alerts can be read back as they are written; else those of this one. */
function servingOf(
  { kafka, outputs, http }: Config,
  client: KafkaClient,
  onTrouble: (message: string) => void,
): (ServingPlan & { readonly close?: () => Promise<void> }) | undefined {
  if (http.enabled === false) return undefined;
  if (outputs.alertFormat !== "ocsf" || outputs.encoding !== "json")
    return { until: "read", feed: new IncidentFeed(), isFedByRun: true };
  const { feed, tail } = topicFeed(client, topicsOf(kafka).alerts, onTrouble);
  return { until: "read", feed, isFedByRun: false, close: () => tail.close() };
}

/** What was waited for in vain until a stop is no failure. */
function unlessStopped(signal: AbortSignal): (error: unknown) => undefined {
  return (error) => {
    if (!signal.aborted) throw error;
    return undefined;
  };
}

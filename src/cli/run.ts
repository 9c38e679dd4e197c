import { randomUUID } from "node:crypto";
import { Command } from "commander";
import type { DetectionFinding } from "../alerts/detection-finding.ts";
import { configFile, printConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { Engine } from "../engine/engine.ts";
import { PartitionMerging } from "../engine/partition-merging.ts";
import { rolledBackText } from "../engine/roll-back.ts";
import { type Merging, WholeMerging } from "../engine/segment-merging.ts";
import type { SharedGraph } from "../engine/shared-graph.ts";
import { emptyTotals, sumOf } from "../engine/totals.ts";
import { trainEpoch } from "../engine/training/train-epoch.ts";
import { OddlinkError } from "../errors.ts";
import { digestOf } from "../graph-state/digest.ts";
import type { Graph } from "../graph-state/graph.ts";
import { findLinkKind } from "../graph-state/link-kinds.ts";
import { SchemaRegistry } from "../ingest/schema-registry.ts";
import { STDIN } from "../ingest/sources.ts";
import { EmbeddedLog } from "../log/embedded/embedded-log.ts";
import type { Log } from "../log/port.ts";
import { delegatingSources } from "../model/delegating-sources.ts";
import type { Epoch } from "../model/epoch.ts";
import { decodeInThread } from "../model/epoch-thread.ts";
import { REAL_TIME } from "../time.ts";
import { openKafkaLog, topicsOf } from "./kafka.ts";
import { addCommonOptions, type CommonFlags, configOf } from "./options.ts";
import { findSourcesBeside, placeOf } from "./own-files.ts";
import { RejectedShare } from "./rejected-share.ts";
import { openResolution, type Resolution, type ResolutionCounts, resolutionLines } from "./resolution.ts";
import { settingsKey } from "./settings-key.ts";
import type { StandardOutput } from "./standard-output.ts";
import { stoppable } from "./stopping.ts";
import { renderAlert, renderRepeatedAlert } from "./terminal/alert-block.ts";
import { sentenceText } from "./terminal/outside-text.ts";
import { Progress } from "./terminal/progress.ts";
import { Repeated } from "./terminal/repeated.ts";
import { restoringText } from "./terminal/restoring.ts";
import { type RunSummary, renderSummary } from "./terminal/summary.ts";
import { rejectedText, restoredText, startedText, stoppedText, topicProblems } from "./worker-words.ts";

/** How often in ten seconds a worker says the same of partitions that come and go. */
const NEWS_TIMES_MAX = 5;
/** Weak-only sources that a summary names. */
const NAMED_MAX = 5;

type RunFlags = CommonFlags & { readonly kafka?: true };

export function runCommand(output: StandardOutput): Command {
  const command = new Command("run")
    .description(
      "Score every login of a file, a directory, standard input or a Kafka topic, and print the odd ones.",
    )
    .argument("[SOURCE...]", "file, directory, or - for standard input; plain or gzip")
    .option(
      "--store <file>",
      "SQLite file that keeps everything; run again to continue after an interruption",
    )
    .option("--alerts <file>", "write one OCSF Detection Finding a line")
    .option(
      "--alerts-shadow <file>",
      "the same for what an epoch in the shadow would have raised, with training.shadow",
    )
    .option("--scored <file>", "write one line for each scored login")
    .option(
      "--kafka",
      "read a Kafka topic in a consumer group instead of a SOURCE, until stopped; see kafka.*",
    )
    .option("--json", "end with one JSON object on standard output; alerts are not printed");
  addCommonOptions(command).addHelpText(
    "after",
    `
Examples:
  oddlink run auth.txt.gz                            odd logins of a LANL file, on the terminal
  zcat logs/*.gz | oddlink run - --train off         from a pipe, without training
  oddlink run logs/ --store logins.db --alerts alerts.jsonl
                                                     keep everything; killed and run again, it goes on
  ODDLINK_KAFKA_BROKERS=host:9092 oddlink run --kafka
                                                     a worker: alerts go to a topic, exactly once`,
  );
  return command.action((sources: string[], flags: RunFlags) => run(sources, flags, output));
}

async function run(args: readonly string[], flags: RunFlags, output: StandardOutput): Promise<void> {
  const config = configOf(flags);
  if (flags.printConfig) return output.write(printConfig(config));
  const isJson = flags.json === true;
  if (flags.kafka === true) return runWorker(args, config, output, isJson);
  if (config.input.format === "avro")
    throw new OddlinkError("USAGE", "Avro records have no line ends: they are read from Kafka, with --kafka");
  if (args.length === 0)
    throw new OddlinkError("USAGE", "no SOURCE given: name a file, a directory, or - for standard input");
  if (args.filter((arg) => arg === STDIN).length > 1)
    throw new OddlinkError("USAGE", "standard input can be read once only");
  const sources = await findSourcesBeside(args, filesOf(config.outputs, flags), (path) =>
    process.stderr.write(`skipped ${sentenceText(path)}: it does not look like a log\n`),
  );
  const resolution = await openResolution(config);
  const log = await EmbeddedLog.open({
    sources,
    store: config.outputs.store,
    settings: settingsKey(config),
    alertsFile: config.outputs.alerts,
    alertsShadowFile: config.outputs.alertsShadow,
    scoredFile: config.outputs.scored,
    recordBytesMax: config.input.recordBytesMax,
  });
  try {
    const merging = (state: SharedGraph) => new WholeMerging(state);
    const progress = new Progress({ stream: process.stderr, now: Date.now });
    await stoppable((signal) =>
      runOn(log, config, { output, signal, isJson, merging, progress, resolution }),
    );
  } finally {
    await log.close();
  }
}

/** Reads a topic in a consumer group, until it is stopped. */
async function runWorker(
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
  const log = openKafkaLog(
    config,
    (message) => trouble.say(message),
    (message) => news.say(message),
  );
  const rejectedShare = new RejectedShare({
    shareMax: config.input.rejectedShareMax,
    deadLetters: topicsOf(config.kafka).deadLetters,
    monotonicMs: REAL_TIME.monotonicMs,
    warn: say,
  });
  const breathe = () => REAL_TIME.sleep(0);
  const merging = (state: SharedGraph) =>
    new PartitionMerging({
      state,
      log,
      config,
      breathe,
      newId: randomUUID,
      onFailed: (error) =>
        trouble.say(`segments could not be merged, which is tried again: ${error.message}`),
    });
  const lookedAtTopics = new AbortController();
  say(startedText("worker", config));
  const looking = topicProblems(config, lookedAtTopics.signal).then((problems) => {
    for (const problem of problems) say(problem);
  });
  let uncommitted = 0;
  let resolution: Resolution | undefined;
  try {
    uncommitted = await stoppable(async (signal) => {
      signal.addEventListener("abort", () => say("stopping: what was read is being committed"));
      resolution = await openResolution(config, {
        client: log.client,
        onTrouble: (text) => trouble.say(text),
      });
      return runOn(log, config, { output, signal, isJson, merging, progress, resolution, rejectedShare });
    });
  } finally {
    lookedAtTopics.abort();
    await resolution?.close();
    await Promise.all([log.close(), looking]);
  }
  say(stoppedText(uncommitted));
}

/** A training notes how far it has come beside the store, unless the settings name another place. */
function checkpointOf({ training, outputs }: Config): string | undefined {
  return training.checkpoint ?? besideStore(outputs.store, "-training");
}

/** SQLite's own files lie beside the store itself, not beside a link to it; and so does what else belongs to a store. */
function besideStore(store: string | undefined, suffix: string): string | undefined {
  return store && placeOf(store) + suffix;
}

function filesOf({ alerts, alertsShadow, scored, store }: Config["outputs"], flags: CommonFlags) {
  const journals = ["-wal", "-shm"].map((suffix) => besideStore(store, suffix));
  return {
    written: [
      { as: "--alerts", path: alerts },
      { as: "--alerts-shadow", path: alertsShadow },
      { as: "--scored", path: scored },
      { as: "--store", path: store },
      ...journals.map((path) => ({ as: "the journal of --store", path })),
      { as: "the training of --store", path: besideStore(store, "-training") },
    ],
    read: [{ as: "--config", path: configFile(flags.config, process.env) }],
  };
}

type RunContext = {
  readonly output: StandardOutput;
  readonly signal: AbortSignal;
  readonly isJson: boolean;
  readonly merging: (state: SharedGraph) => Merging;
  readonly progress: Progress;
  readonly resolution: Resolution;
  /** Of a worker only, which bad records do not end. */
  readonly rejectedShare?: RejectedShare;
};

/** @returns records that were read and not committed, or not by this process: none of files */
async function runOn(
  log: Log,
  config: Config,
  { output, signal, isJson, merging, progress, resolution, rejectedShare }: RunContext,
): Promise<number> {
  const startedMs = performance.now();
  let read = 0;
  const engine = new Engine({
    config,
    log,
    time: REAL_TIME,
    merging,
    wrapDecoder: resolution.wrap,
    schemas: config.input.registry && new SchemaRegistry(config.input.registry),
    onTrouble: (message) => progress.note(message),
    signal: AbortSignal.any([signal, output.gone]),
    train: (graph, trainingConfig, number, trainedAtMs, signal, previous) =>
      trainEpoch(graph, trainingConfig, number, trainedAtMs, {
        previous,
        checkpoint: checkpointOf(config),
        onProgress: ({ step, steps }) => progress.phase(`training epoch ${number}, step ${step} of ${steps}`),
        onNote: (text) => progress.note(text),
        signal,
      }).finally(() => progress.phase(undefined)),
    decodeLive: decodeInThread,
    onAlert: (alert) => {
      if (isJson) return;
      const finding = JSON.parse(alert.finding) as DetectionFinding;
      progress.clear();
      output.write(
        finding.count === 1 ? `${renderAlert(finding)}\n\n` : `${renderRepeatedAlert(finding)}\n\n`,
      );
    },
    onRestoring: (restoring) => progress.phase(restoringText(restoring)),
    onEpoch: ({ manifest }) =>
      progress.note(`epoch ${manifest.number} trained on ${manifest.linkCount} links`),
    onChallenger: ({ manifest }) =>
      progress.note(`epoch ${manifest.number} is in the shadow: it scores, and alerts nobody`),
    onRejected: (rejected) => progress.note(rejectedText(rejected)),
    onRolledBack: (epoch) => progress.note(rolledBackText(epoch)),
    ...(log.isShared && {
      onAdopted: ({ manifest }: Epoch) =>
        progress.note(`epoch ${manifest.number} adopted, trained on ${manifest.linkCount} links`),
      onRestored: (graph: Graph, epoch: Epoch | undefined) =>
        progress.note(restoredText(graph.linkCount, epoch?.manifest.number)),
    }),
    onEpochFailed: (error) => progress.note(`going on with the model before: ${error.message}`),
    onProgress: (count) => {
      read += count;
      progress.update({ ...log.progress(), records: read });
      rejectedShare?.look(() => engine.totals);
    },
  });
  let failure: unknown;
  try {
    await engine.run();
  } catch (error) {
    failure = error;
  } finally {
    progress.done();
  }
  const committed = log.totals() ?? JSON.stringify(log.isEndless ? engine.totals : emptyTotals());
  const isCommitted = failure === undefined || committed === JSON.stringify(engine.totals);
  // The state before could not be read: there is nothing to sum up.
  if (failure !== undefined && read === 0 && (log.isEndless || !isCommitted)) throw failure;
  const summary = summaryOf(engine, config, log.isEndless, {
    read,
    seconds: (performance.now() - startedMs) / 1000,
    end: failure !== undefined ? "failed" : signal.aborted ? "stopped" : "done",
    isCommitted,
    resolution: resolution.counts(),
  });
  output.write(`${isJson ? JSON.stringify(summary) : renderSummary(summary)}\n`);
  if (failure !== undefined) throw failure;
  return log.isEndless ? Math.max(0, read - engine.totals.consumed) : 0;
}

type RunEnd = {
  readonly read: number;
  readonly seconds: number;
  readonly end: "done" | "stopped" | "failed";
  /** False if a failure left something that is counted out of the last commit. */
  readonly isCommitted: boolean;
  readonly resolution: ResolutionCounts;
};

function summaryOf(
  engine: Engine,
  config: Config,
  isEndless: boolean,
  { read, seconds, end, isCommitted, resolution }: RunEnd,
): RunSummary {
  const { totals, graph } = engine;
  const { store, alerts, alertsShadow, scored } = config.outputs;
  const written: string[] = [];
  const notes: string[] = [];
  if (isCommitted) {
    if (alerts !== undefined) written.push(`${alerts}: alerts (OCSF, JSON lines)`);
    if (alertsShadow !== undefined)
      written.push(`${alertsShadow}: what an epoch in the shadow would have raised (OCSF, JSON lines)`);
    if (scored !== undefined) written.push(`${scored}: the logins scored by runs that name it (JSON lines)`);
    if (store !== undefined) written.push(`${store}: everything (SQLite: alerts, dead_letters, ...)`);
  } else notes.push("Not all that is counted here could be written.");
  if (isEndless) {
    const topics = topicsOf(config.kafka);
    written.push(`${topics.alerts}: alerts (OCSF)`, `${topics.deadLetters}: records that can't be read`);
    if (config.training.shadow)
      written.push(`${topics.alertsShadow}: what an epoch in the shadow would have raised (OCSF)`);
    if (config.outputs.scoredLogins) written.push(`${topics.scoredLogins}: scored logins`);
  } else if (store === undefined)
    notes.push("Nothing else was kept; with --store FILE a run can be continued.");
  if (end === "stopped" && !isEndless) notes.push("Stopped before the end of the input.");
  if (end === "done" && read === 0 && totals.consumed > 0)
    notes.push("Nothing new to read: the store holds all of this input already.");
  if (end === "done" && totals.consumed === 0) notes.push("The input holds no records.");
  if (findLinkKind(graph.kinds, "user", "sourceHost") === undefined)
    notes.push("Presence raises nothing: it needs links from user to sourceHost, and none are configured.");
  const { weakOnlySources } = engine;
  if (weakOnlySources.length > 0) {
    const named = weakOnlySources.slice(0, NAMED_MAX).map(({ host, logins }) => `${host} (${logins})`);
    notes.push(
      `Presence let ${weakOnlySources.reduce((sum, { logins }) => sum + logins, 0)} logins pass from ${weakOnlySources.length} weak-only source(s), ` +
        `on which no person shows strong evidence: ${named.join(", ")}${weakOnlySources.length > NAMED_MAX ? ", ..." : ""}. Watch for one that should not be among them.`,
    );
  }
  const delegating = delegatingSources(graph);
  if (delegating.length > 0) {
    const named = delegating.slice(0, NAMED_MAX).map(({ host, accounts }) => `${host} (${accounts})`);
    notes.push(
      `Accounts log on from ${delegating.length} delegating source(s) without having asked for a ticket there, which says little then: ` +
        `${named.join(", ")}${delegating.length > NAMED_MAX ? ", ..." : ""}. Watch for one that should not be among them.`,
    );
  }
  for (const topic of engine.leftOver) {
    notes.push(
      `The last line of ${topic} has no line end and can't be read; a run on the same store reads it once it is whole.`,
    );
  }
  if (graph.evictedCount > 0)
    notes.push(`${graph.evictedCount} links were evicted at the cap (window.maxLinks).`);
  return {
    read,
    consumed: totals.consumed,
    scored: totals.scored,
    evidence: totals.evidence,
    ignored: sumOf(totals.ignored),
    rejected: sumOf(totals.rejected),
    duplicate: totals.duplicate,
    alerts: totals.alerts,
    alertsShadow: totals.alertsShadow,
    incidents: totals.incidents,
    epochs: totals.epochs,
    epochsRejected: totals.epochsRejected,
    rollBacks: totals.rollBacks,
    seconds,
    loginsPerSecond: seconds > 0 ? read / seconds : 0,
    stopped: end === "stopped",
    graph: { entities: graph.entityCount, links: graph.linkCount, digest: digestOf(graph) },
    ignoredReasons: nonZero(totals.ignored),
    rejectedReasons: nonZero(totals.rejected),
    alertsBySignal: totals.alertsBySignal,
    decades: totals.decades,
    threshold: engine.threshold > 0 ? engine.threshold : null,
    resolution,
    written,
    notes: [...notes, ...resolutionLines(resolution)],
  };
}

function nonZero(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

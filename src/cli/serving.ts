import { isClosing } from "../alerts/closing.ts";
import type { DetectionFinding } from "../alerts/detection-finding.ts";
import type { Config } from "../config/schema.ts";
import type { ConsoleOptions } from "../console/console.ts";
import type { EngineView } from "../console/engine-view.ts";
import { IncidentFeed } from "../console/incident-feed.ts";
import type { Operations } from "../console/operations.ts";
import { isObject } from "../ingest/formats/json-format.ts";
import type { Store } from "../log/embedded/store.ts";
import type { KafkaClient, Tail } from "../log/kafka/client.ts";

/** Alerts of a store that are there to be looked at from the start: the newest, and of those that were suppressed as many. */
const STORED_ALERTS_MAX = 2000;

/** What a process tells of over HTTP. */
export type Serving = {
  readonly feed: IncidentFeed;
  /** Fires, with the error as its reason, if it can't be served. */
  readonly failed: AbortSignal;
  close(): Promise<void>;
};

export type ServingOptions = {
  readonly config: Config;
  readonly engine: EngineView;
  readonly feed: IncidentFeed;
  readonly operations: Operations & Pick<ConsoleOptions, "lags">;
  /** What is good to know. */
  readonly say: (message: string) => void;
};

/** Begins to serve, beside what else the process does. */
export function serve({ config, engine, feed, operations, say }: ServingOptions): Serving {
  const failing = new AbortController();
  // Loaded when it is needed: a run of a file is over before.
  const opening = import("../console/console.ts").then(({ openConsole }) =>
    openConsole({
      ...config.http,
      engine,
      feed,
      operations,
      lags: operations.lags,
      onBug: (error) => say(`a bug of oddlink, in an answer over HTTP: ${error.stack ?? error.message}`),
    }),
  );
  opening.then(
    ({ url }) => say(`http: ${url}/api/v1/status`),
    (error: unknown) => failing.abort(error),
  );
  return {
    feed,
    failed: failing.signal,
    close: async () => {
      const console = await opening.catch(() => undefined);
      await console?.close();
    },
  };
}

/** The newest alerts of a store, in the order in which they were raised. */
export function storedFeed(store: Store): IncidentFeed {
  const feed = new IncidentFeed();
  const alerts = [
    ...store.alertsAfter(store.alertSeqBefore(STORED_ALERTS_MAX), STORED_ALERTS_MAX),
    ...store.newestSuppressed(STORED_ALERTS_MAX),
  ].sort((a, b) => a.seq - b.seq);
  for (const { finding } of alerts) feed.add(JSON.parse(finding) as DetectionFinding);
  return feed;
}

/** The alerts of all workers, those from before included, as they are committed. */
export function topicFeed(
  client: KafkaClient,
  topic: string,
  onTrouble: (message: string) => void,
): { readonly feed: IncidentFeed; readonly tail: Tail } {
  const feed = new IncidentFeed();
  const tail = client.tail({
    topic,
    onRecords: (_, records) => {
      for (const { value } of records) {
        const finding = value === null ? undefined : findingOf(value);
        if (finding !== undefined) feed.add(finding);
      }
    },
    onCrash: (error) =>
      onTrouble(`${topic} is not followed any more, incidents are not shown: ${error.message}`),
  });
  return { feed, tail };
}

/** Undefined for what somebody else has written there, and is no finding of ours. */
function findingOf(value: Buffer): DetectionFinding | undefined {
  try {
    const finding = JSON.parse(value.toString()) as Partial<DetectionFinding> | null;
    const isOurs =
      finding?.class_uid === 2004 &&
      !isClosing(finding) &&
      // What a canary tests with is nothing to look at.
      finding.metadata?.labels?.includes("test") !== true &&
      // What a rule suppresses is kept apart; what an epoch in the shadow would have raised has a topic of its own.
      (finding.status_id === undefined ||
        (finding.status_id === 3 && Boolean(finding.evidences?.[0]?.data))) &&
      typeof finding.finding_info?.uid === "string" &&
      typeof finding.finding_info.analytic?.name === "string" &&
      typeof finding.finding_info.title === "string" &&
      typeof finding.severity === "string" &&
      namesEnds(finding.evidences?.[0]) &&
      typeof finding.metadata?.uid === "string" &&
      Number.isFinite(finding.time) &&
      Number.isFinite(finding.start_time ?? finding.time) &&
      Number.isFinite(finding.count);
    return isOurs ? (finding as DetectionFinding) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether evidence says what a page reads of it: who, from where, to where, as texts if at all. */
function namesEnds(evidence: unknown): boolean {
  if (!isObject(evidence)) return false;
  const { actor, src_endpoint: source, dst_endpoint: target } = evidence;
  const ends = [isObject(actor) ? (actor["user"] ?? actor) : actor, source, target];
  return ends.every((end) => end === undefined || (isObject(end) && typeof end["name"] === "string"));
}

import { alertLine } from "../alerts/alert-formats.ts";
import type { Config } from "../config/schema.ts";
import { type Delivery, deliver, noSinkCounts, type Sink, type SinkCounts } from "../delivery/sink.ts";
import { drain, type Spool } from "../delivery/spool.ts";
import type { Store, StoredAlert } from "../log/embedded/store.ts";
import type { ConsumedRecord, KafkaClient } from "../log/kafka/client.ts";
import { CLOSES, SUPPRESSED_BY } from "../log/kafka/produced-records.ts";
import { runTopicPipeline } from "../log/kafka/topic-pipeline.ts";
import { JSON_ENCODINGS } from "../log/port.ts";
import { REAL_TIME } from "../time.ts";
import { topicsOf } from "./kafka.ts";
import { eventTypeOf } from "./output-encodings.ts";
import { sinksOf } from "./sinks.ts";
import { countText } from "./terminal/numbers.ts";

/** After the end of the input, a sink that takes nothing for so long is waited for no more. */
const SILENT_MS_MAX = 10_000;

/** What became of the alerts of this process, by sink; `waiting` only of a store, whose alerts it is to deliver by itself. */
export type SinkSummaries = Readonly<Record<string, SinkCounts & { readonly waiting?: number }>>;

/** Deliveries under way. */
export type RunningSinks = {
  summaries(): SinkSummaries;
  /** Fires, with the error as its reason, if deliveries can't go on. */
  readonly failed: AbortSignal;
  /** Resolves when all is delivered that can be; with `stop`, at once. */
  end(): Promise<void>;
  stop(): Promise<void>;
};

type SinkContext = { readonly config: Config; readonly onTrouble: (message: string) => void };

/** Sends the alerts of a store to the sinks of the configuration, from where each has come to. */
export function deliverStored(store: Store, { config, onTrouble }: SinkContext): RunningSinks {
  const spools = new Map<Sink, StoredSpool>();
  let isEnded = false;
  const running = startAll(config, (sink, counts, signal) => {
    const spool = new StoredSpool(store, sink, config);
    spools.set(sink, spool);
    return drain({
      spool,
      sink,
      counts,
      signal,
      onTrouble,
      time: REAL_TIME,
      waitingMax: config.outputs.waitingMax,
      isEnded: () => isEnded,
    });
  });
  return {
    ...running.common,
    summaries: () => {
      const waiting = [...spools].map(
        ([{ name }, spool]) => [name, spool.waiting(spool.position())] as const,
      );
      return Object.fromEntries(
        waiting.map(([name, count]) => [name, { ...running.counts.get(name)!, waiting: count }]),
      );
    },
    end: async () => {
      isEnded = true;
      await running.untilSilent(SILENT_MS_MAX);
    },
  };
}

/** Sends the alerts of the topic to the sinks of the configuration: each is a consumer group, which the workers share. */
export function deliverConsumed(client: KafkaClient, { config, onTrouble }: SinkContext): RunningSinks {
  const { kafka } = config;
  const topic = topicsOf(kafka).alerts;
  const { common, counts } = startAll(config, (sink, sinkCounts, signal) =>
    runTopicPipeline(
      {
        ...kafka,
        client,
        time: REAL_TIME,
        group: `${kafka.group}-${sink.name.replaceAll(" ", "-")}`,
        topic,
        // What was sent is noted at once, so that little is sent again after a kill.
        recordsMax: 1,
        // Who was away for longer than the topic keeps alerts goes on with those that are there.
        onLostInput: "skip",
        onTrouble: (message) => onTrouble(`${sink.name}: ${message}`),
        map: async (record) => {
          const delivery = consumedDelivery(record);
          if (delivery !== undefined)
            await deliver(delivery, { sink, counts: sinkCounts, signal, onTrouble });
          return [];
        },
      },
      signal,
    ),
  );
  return { ...common, summaries: () => Object.fromEntries(counts), end: common.stop };
}

/** Runs something for each sink; the first that fails stops the others. */
function startAll(
  { outputs }: Config,
  work: (sink: Sink, counts: SinkCounts, signal: AbortSignal) => Promise<void>,
) {
  const sinks = sinksOf(outputs);
  const counts = new Map(sinks.map(({ name }) => [name, noSinkCounts()]));
  const stopping = new AbortController();
  const failing = new AbortController();
  const all = Promise.all(
    sinks.map(async (sink) => {
      try {
        await work(sink, counts.get(sink.name)!, stopping.signal);
      } catch (error) {
        stopping.abort();
        failing.abort(error);
      } finally {
        sink.close();
      }
    }),
  );
  const stop = async (): Promise<void> => {
    stopping.abort();
    await all;
  };
  const progress = (): number =>
    [...counts.values()].reduce((sum, one) => sum + one.delivered + one.refused + one.passedOver, 0);
  return {
    counts,
    common: { failed: failing.signal, stop },
    /** Until all are done, or nothing has been delivered for so long. */
    untilSilent: async (silentMs: number): Promise<void> => {
      let isDone = false;
      const done = all.then(() => {
        isDone = true;
      });
      for (let before = -1; !isDone && progress() !== before; ) {
        before = progress();
        const waited = new AbortController();
        await Promise.race([done, REAL_TIME.sleep(silentMs, waited.signal)]);
        waited.abort();
      }
      await stop();
    },
  };
}

/** Alerts of a store, but for those that are suppressed; how far a sink has come is noted there too. */
class StoredSpool implements Spool {
  readonly #store: Store;
  readonly #key: string;
  readonly #config: Config;
  /** Up to here all are done with or suppressed: there may be many, and they need not be gone through again. */
  #passed = 0;

  constructor(store: Store, sink: Sink, config: Config) {
    this.#store = store;
    this.#key = `last alert sent to ${sink.name}`;
    this.#config = config;
  }

  position(): number {
    return Number(this.#store.meta(this.#key) ?? 0);
  }

  next(position: number): { readonly position: number; readonly delivery: Delivery } | undefined {
    const [alert] = this.#store.alertsAfter(Math.max(position, this.#passed), 1);
    if (alert === undefined) this.#passed = this.#store.lastAlertSeq();
    return alert && { position: alert.seq, delivery: this.#deliveryOf(alert) };
  }

  waiting(position: number): number {
    return this.#store.countAlertsAfter(Math.max(position, this.#passed));
  }

  positionBefore(countMax: number): number {
    return this.#store.alertSeqBefore(countMax);
  }

  note(position: number): void {
    this.#store.setMeta(this.#key, String(position));
  }

  #deliveryOf({ uid, timeMs, topic, partition, finding }: StoredAlert): Delivery {
    const { alertFormat } = this.#config.outputs;
    return {
      uid,
      timeMs,
      contentType: JSON_ENCODINGS.alert.contentType,
      source: encodeURI(`/${topic}/${partition}`),
      eventType: eventTypeOf(alertFormat),
      body: alertLine(alertFormat, finding),
    };
  }
}

/** What a header of an alert may hold: it becomes one of HTTP. */
const HEADER_FORM = /^[\x20-\x7e]{0,1000}$/;

/** Undefined for what a rule suppresses, and for what somebody else has written into the topic and is no alert: it must not hold up those that are. */
export function consumedDelivery({ value, headers }: ConsumedRecord): Delivery | undefined {
  const text = (name: string): string => headers[name]?.toString() ?? "";
  const [uid, time] = [text("ce_id"), text("ce_time")];
  if (value === null || uid === "" || Number.isNaN(Date.parse(time))) return undefined;
  if (headers[SUPPRESSED_BY] !== undefined || headers[CLOSES] !== undefined) return undefined;
  const [contentType, source, eventType] = [text("content-type"), text("ce_source"), text("ce_type")];
  if (![uid, contentType, source, eventType].every((one) => HEADER_FORM.test(one))) return undefined;
  return { uid, timeMs: Date.parse(time), contentType, source, eventType, body: value.toString() };
}

/**
 * A line for each sink.
 *
 * @param isKept whether what waits lies in a store that is still there afterwards
 */
export function sinkLines(summaries: SinkSummaries, isKept: boolean): string[] {
  const later = isKept
    ? "wait: run again with the same --store to send them"
    : "were not sent, and are kept nowhere: use --store";
  return Object.entries(summaries).map(([name, summary]) => {
    const { delivered, refused, passedOver, failedAttempts, waiting = 0 } = summary;
    const parts = [
      `${countText(delivered)} alerts delivered`,
      ...(refused > 0 ? [`${countText(refused)} refused`] : []),
      ...(passedOver > 0 ? [`${countText(passedOver)} passed over`] : []),
      ...(waiting > 0 ? [`${countText(waiting)} ${later}`] : []),
      ...(failedAttempts > 0 ? [`${countText(failedAttempts)} attempts failed`] : []),
    ];
    return `To ${name}: ${parts.join(", ")}.`;
  });
}

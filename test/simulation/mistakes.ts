import type { Merging } from "../../src/engine/segment-merging.ts";
import { isSum } from "../../src/engine/stored-segments.ts";
import { decodeSegment, decodeSegmentHeader, encodeSegment } from "../../src/graph-state/segment.ts";
import {
  type KafkaClient,
  type TransactionalProducer,
  TransactionError,
} from "../../src/log/kafka/client.ts";
import type { Commit, Log, RecordBatch } from "../../src/log/port.ts";
import type { Time } from "../../src/time.ts";
import type { Verdict } from "../verification/verifier.ts";
import { wrapClient, wrapLog, wrapProducer } from "./wrapped.ts";

/**
 * Something that a worker could do wrong, as a layer around its client, its log or its merging: everything else is the real
 * engine. What the verifier does not find of these, it would not find of a real mistake either.
 */
export type Mistake = {
  /** What must be found, each of them. */
  readonly verdicts: readonly Verdict[];
  /** @param process name of the process, one of its own each time that one is started */
  readonly client?: (client: KafkaClient, process: string) => KafkaClient;
  readonly log?: (log: Log) => Log;
  readonly time?: (time: Time) => Time;
  readonly merging?: (merging: Merging) => Merging;
};

const changedCommits = (change: (commit: Commit, count: number) => Commit) => {
  return (log: Log): Log => {
    let count = 0;
    return wrapLog(log, { commit: (commit) => log.commit(change(commit, count++)) });
  };
};

type Transact = TransactionalProducer["transact"];

const changedTransactions = (
  change: (transact: Transact, ...args: Parameters<Transact>) => Promise<void>,
) => {
  return (client: KafkaClient): KafkaClient =>
    wrapClient(client, {
      producer: (id) => {
        const producer = client.producer(id);
        const transact: Transact = (records, position) => producer.transact(records, position);
        return wrapProducer(producer, {
          transact: (records, position) => change(transact, records, position),
        });
      },
    });
};

/** Every so many commits, where a mistake in every one would be too easy to find. */
const SELDOM = 50;

/** By what the worker does. */
export const MISTAKES: Readonly<Record<string, Mistake>> = {
  "commits its position before its outputs": {
    verdicts: ["RECORD-LOST", "STATE-DIVERGED"],
    client: changedTransactions(async (transact, records, position) => {
      await transact([], position);
      await transact(records);
    }),
  },
  "commits its outputs before its position": {
    verdicts: ["RECORD-DUPLICATED"],
    client: changedTransactions(async (transact, records, position) => {
      await transact(records);
      await transact([], position);
    }),
  },
  "drops a dead letter": {
    verdicts: ["RECORD-LOST"],
    log: changedCommits((commit, count) => (count % SELDOM === 0 ? { ...commit, deadLetters: [] } : commit)),
  },
  "drops an alert": {
    verdicts: ["ALERT-LOST"],
    log: changedCommits((commit) => ({ ...commit, alerts: commit.alerts.slice(1) })),
  },
  "raises an alert twice": {
    verdicts: ["ALERT-DUPLICATED"],
    log: changedCommits((commit) => ({
      ...commit,
      alerts: [...commit.alerts, ...commit.alerts.slice(0, 1)],
    })),
  },
  "raises alerts on another score": {
    verdicts: ["ALERT-DIFFERS"],
    log: changedCommits((commit) => ({
      ...commit,
      alerts: commit.alerts.map((alert) => ({ ...alert, finding: withOtherScore(alert.finding) })),
    })),
  },
  "skips a segment": {
    verdicts: ["STATE-DIVERGED"],
    log: changedCommits((commit, count) =>
      count % SELDOM === SELDOM - 1 ? { ...commit, graphState: [...commit.graphState].slice(1) } : commit,
    ),
  },
  "scores a batch twice": {
    verdicts: ["RECORD-DUPLICATED", "STATE-DIVERGED"],
    log: (log) =>
      wrapLog(log, {
        assignments: async function* (signal) {
          for await (const assignment of log.assignments(signal))
            yield { ...assignment, batches: repeated(assignment.batches) };
        },
      }),
  },
  "sends its outputs again after an unknown outcome, without asking": {
    verdicts: ["RECORD-DUPLICATED"],
    client: (client) =>
      wrapClient(client, {
        producer: (id) => {
          let producer = client.producer(id);
          return {
            fence: () => producer.fence(),
            close: () => producer.close(),
            transact: async (records, position) => {
              for (;;) {
                try {
                  return await producer.transact(records, position);
                } catch (error) {
                  if (!(error instanceof TransactionError) || error.outcome !== "unknown") throw error;
                  producer = client.producer(id);
                  await producer.fence();
                }
              }
            },
          };
        },
      }),
  },
  "takes connecting for fencing": {
    verdicts: ["RECORD-DUPLICATED"],
    client: (client) =>
      wrapClient(client, {
        producer: (id) => {
          const producer = client.producer(id);
          let isFenced = false;
          return wrapProducer(producer, {
            fence: async () => {},
            transact: async (records, position) => {
              if (!isFenced) await producer.fence();
              isFenced = true;
              return producer.transact(records, position);
            },
          });
        },
      }),
  },
  "has a transactional id of its own": {
    verdicts: ["RECORD-DUPLICATED"],
    client: (client, process) =>
      wrapClient(client, { producer: (id) => client.producer(`${id} of ${process}`) }),
  },
  "takes a lost commit for a good one": {
    verdicts: ["STATE-DIVERGED"],
    log: (log) =>
      wrapLog(log, {
        commit: async (commit) => {
          await log.commit(commit);
          return "committed";
        },
      }),
  },
  "restores no more than what lay in the topic when it began": {
    verdicts: ["STATE-DIVERGED"],
    client: (client) =>
      wrapClient(client, {
        topicOffsets: async (topic) =>
          (await client.topicOffsets(topic)).map((offsets) => ({ ...offsets, high: offsets.low })),
      }),
  },
  "counts a link of a merged segment twice": {
    verdicts: ["STATE-DIVERGED"],
    merging: (merging) => ({
      mergeCount: 0,
      write: (segments, partition) =>
        [...merging.write(segments, partition)].map(({ key, value }) => {
          if (value === null || !isSum(key)) return { key, value };
          const sum = decodeSegment(value);
          return { key, value: encodeSegment({ ...sum, links: [...sum.links, ...sum.links.slice(0, 1)] }) };
        }),
      forget: (partition) => merging.forget(partition),
    }),
  },
  "deletes the segments of a sum before the sum is whole": {
    verdicts: ["STATE-DIVERGED"],
    merging: (merging) => ({
      mergeCount: 0,
      write: (segments, partition) => {
        const records = [...merging.write(segments, partition)];
        // The last piece never comes, and what deletes the segments does not ask for it.
        return records.filter(
          ({ key, value }) => value === null || !isSum(key) || !decodeSegmentHeader(value).isLast,
        );
      },
      forget: (partition) => merging.forget(partition),
    }),
  },
  "measures durations by the wall clock": {
    verdicts: ["PARTITION-STUCK"],
    time: (time) => ({ ...time, monotonicMs: time.now }),
  },
  "never comes to a partition": {
    verdicts: ["PARTITION-STUCK"],
    log: (log) =>
      wrapLog(log, {
        assignments: async function* (signal) {
          for await (const assignment of log.assignments(signal)) {
            if (assignment.partition === 0) assignment.release();
            else yield assignment;
          }
        },
      }),
  },
};

/** Every so many batches the same one comes again. */
async function* repeated(batches: AsyncIterable<RecordBatch>): AsyncGenerator<RecordBatch> {
  let count = 0;
  for await (const batch of batches) {
    yield batch;
    if (++count % SELDOM === 0) yield batch;
  }
}

function withOtherScore(finding: string): string {
  const changed = JSON.parse(finding);
  changed.evidences[0].data.score /= 2;
  return JSON.stringify(changed);
}

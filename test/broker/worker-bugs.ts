import { planMerge } from "../../src/engine/merge-plan.ts";
import { PartitionMerging } from "../../src/engine/partition-merging.ts";
import { Scoring } from "../../src/engine/scoring.ts";
import { SharedGraph } from "../../src/engine/shared-graph.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import type { Segment } from "../../src/graph-state/segment.ts";
import { USER } from "../../src/ingest/login-bytes.ts";
import type { ProducedRecord } from "../../src/log/kafka/client.ts";
import { KafkaLog } from "../../src/log/kafka/kafka-log.ts";
import { KafkajsClient } from "../../src/log/kafka/kafkajs/client.ts";
import { KafkajsProducer } from "../../src/log/kafka/kafkajs/producer.ts";
import type { SeededBug } from "./worker-faults.ts";
import { wrap } from "./wrap.ts";

/** What makes a merge due: little at first, and later a share of all there is, so that merging is under way all the time. */
const MERGED_BYTES_MIN = 13_000;
const MERGED_SHARE_MIN = 1 / 8;
const MERGED_BYTES_MAX = 16 * 1024 * 1024;
/** A small sum has pieces of so many bytes, and a large one some dozen of them: it must come to its end between two faults. */
const PIECE_BYTES = 20_000;
const PIECE_BYTES_PER_LINK = 16;
/** Commits that go well before a mistake is made, so that there is something to lose. */
const COMMITS_BEFORE = 2;

/** What comes after hours of a real load comes after seconds: any cut into pieces is a right one. */
export function mergeSooner(): void {
  wrap(PartitionMerging.prototype, "plan", (_, bytes) => {
    const total = bytes.reduce((sum, group) => sum + group, 0);
    const bytesMin = Math.max(MERGED_BYTES_MIN, MERGED_SHARE_MIN * total);
    return planMerge(bytes, { bytesMin, bytesMax: MERGED_BYTES_MAX });
  });
  wrap(Graph.prototype, "toParts", function (toParts, bytesMax) {
    return toParts(Math.min(bytesMax, Math.max(PIECE_BYTES, PIECE_BYTES_PER_LINK * this.links.size)));
  });
}

export function poisonScoring(user: string): void {
  wrap(Scoring.prototype, "score", (score, login, partition) => {
    if (login.ends[USER]! - login.starts[USER]! === user.length && login.text(USER) === user)
      throw new TypeError("a login that can't be scored");
    return score(login, partition);
  });
}

export function plantBug(bug: SeededBug): void {
  BUGS[bug]();
}

const BUGS: Readonly<Record<SeededBug, () => void>> = {
  "commit-before-produce": () => {
    let commits = 0;
    wrap(KafkajsProducer.prototype, "transact", async (transact, records, position) => {
      if (++commits <= COMMITS_BEFORE || !hasOutputs(records)) return transact(records, position);
      // What tells where the group and the graph are goes first, and between the two the process dies.
      await transact(
        records.filter((record) => !isOutput(record)),
        position,
      );
      process.kill(process.pid, "SIGKILL");
    });
  },
  "dead-letter-dropped": () => {
    wrap(KafkaLog.prototype, "commit", (commit, what) =>
      commit({ ...what, deadLetters: what.deadLetters.slice(1) }),
    );
  },
  "alert-dropped": () => {
    wrap(KafkaLog.prototype, "commit", (commit, what) => commit({ ...what, alerts: what.alerts.slice(1) }));
  },
  "alert-with-another-score": () => {
    wrap(KafkaLog.prototype, "commit", (commit, what) => {
      const alerts = what.alerts.map((alert) => ({
        ...alert,
        finding: alert.finding.replaceAll(`"score":${alert.score}`, `"score":${alert.score / 2}`),
      }));
      return commit({ ...what, alerts });
    });
  },
  "segment-skipped": () => {
    let commits = 0;
    wrap(PartitionMerging.prototype, "write", (write, segments, partition) => {
      const kept = ++commits % COMMITS_BEFORE === 0 ? segments.map(emptied) : segments;
      return write(kept, partition);
    });
  },
  "scored-twice": () => {
    let commits = 0;
    wrap(KafkaLog.prototype, "commit", async (commit, what) => {
      const result = await commit(what);
      // As if there had been no answer: the same once more, and nobody is asked what became of the first.
      return ++commits % COMMITS_BEFORE === 0 ? commit(what) : result;
    });
  },
  "restored-to-the-last-stable-offset": () => {
    wrap(KafkajsClient.prototype, "topicOffsets", async (ask, topic) =>
      (await ask(topic)).map((offsets) => ({ ...offsets, high: offsets.stable })),
    );
    // Nor does it hold what it has restored against what is committed.
    wrap(SharedGraph.prototype, "add", function (add, run, assignment) {
      const { partition, position } = assignment;
      const offset = this.coverage.nextOf(partition) ?? position.offset;
      return add(run, { ...assignment, isNew: true, position: { ...position, offset } });
    });
  },
  "sum-counted-twice": () => {
    wrap(Graph.prototype, "addPart", (add, part) => {
      add(part);
      if (((part as Partial<Segment>).group ?? "").includes("/sum-")) add(part);
    });
  },
};

/** The same range of offsets, and nothing in it. */
function emptied(segment: Segment): Segment {
  return { ...segment, names: [], relations: [], links: [], histograms: [], incidents: [], stories: [] };
}

function isOutput({ topic }: ProducedRecord): boolean {
  return /alerts|scored-logins|dead-letters/.test(topic);
}

function hasOutputs(records: readonly ProducedRecord[]): boolean {
  return records.some(isOutput);
}
